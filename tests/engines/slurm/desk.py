"""A controller in small: opens the engine on a cluster, gives orders, waits for reports."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from gridhall.engines.protocol import AttemptKey, NodeSeen, Place, Report, StartOrder, StopOrder
from gridhall.engines.slurm import SlurmEngine, SlurmSettings
from tests.slurm.cluster import Cluster

PATIENCE_S = 30.0
PYTHON = "/usr/bin/python3"
_R = TypeVar("_R")
_jobs = itertools.count(1)


class Desk:
    """One controller on one cluster; `epoch` is the one it leads with."""

    def __init__(self, cluster: Cluster, epoch: int = 1) -> None:
        self.cluster, self.epoch = cluster, epoch
        self.engine = SlurmEngine(SlurmSettings.model_validate(cluster.settings))
        self.reports: list[Report] = []
        self._news = asyncio.Event()

    async def open(self) -> None:
        await self.engine.open(self._hear)

    def _hear(self, report: Report) -> None:
        self.reports.append(report)
        self._news.set()

    def order(self, command: Sequence[str], *nodes: int, gpus: int = 1, **fields: Any) -> StartOrder:
        """The first attempt of a new job on nodes of the cluster, by number."""
        places = tuple(Place(self.cluster.name, self.cluster.nodes[node], tuple(range(gpus))) for node in nodes)
        key = AttemptKey(next(_jobs), 1)
        return StartOrder(key, self.epoch, "job", "org", "project", "user", tuple(command), places, **fields)

    async def begin(self, command: Sequence[str], *nodes: int, **fields: Any) -> StartOrder:
        """Start a new job."""
        order = self.order(command, *nodes, **fields)
        await self.engine.start(order)
        return order

    async def stop(self, key: AttemptKey, grace_ms: int = 10_000) -> None:
        await self.engine.stop(StopOrder(key, self.epoch, grace_ms))

    async def heard(self, kind: type[_R], key: AttemptKey) -> _R:
        """The first report of a kind about an attempt."""
        return await self.find(lambda report: isinstance(report, kind) and getattr(report, "key", None) == key)

    async def seen(self, node: int, up: bool, takes_work: bool = True, since: int = 0) -> NodeSeen:
        """The first report after the `since`-th that a node is in a state."""
        name = self.cluster.nodes[node]
        wanted = (name, up, takes_work)
        return await self.find(
            lambda report: isinstance(report, NodeSeen) and (report.node, report.up, report.takes_work) == wanted, since
        )

    async def find(self, wanted: Callable[[Report], bool], since: int = 0) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self._news.clear()
                for report in self.reports[since:]:
                    if wanted(report):
                        return report
                await self._news.wait()

    async def output(self, key: AttemptKey, rank: int = 0) -> str:
        return (await self.engine.read_log(key, rank, 0, 1 << 20)).decode()

    async def says(self, key: AttemptKey, word: str, rank: int = 0) -> str:
        """The rank's output, once it holds a word."""
        async with asyncio.timeout(PATIENCE_S):
            while word not in (text := await self.output(key, rank)):
                await asyncio.sleep(0.05)
        return text


def python(program: str) -> tuple[str, ...]:
    """The command that runs a program text."""
    return (PYTHON, "-c", program)


def next_attempt(order: StartOrder, **fields: Any) -> StartOrder:
    return replace(order, key=AttemptKey(order.key.job, order.key.attempt + 1), **fields)


def drive(cluster: Cluster, story: Callable[[Desk], Awaitable[None]], epoch: int = 1) -> None:
    """Tell a story on an open desk; afterwards nothing of it runs any more."""

    async def tell() -> None:
        desk = Desk(cluster, epoch)
        await desk.open()
        try:
            await story(desk)
        finally:
            await asyncio.to_thread(clear, cluster)
            for key in await desk.engine.running():
                await desk.engine.forget(key, 1 << 40)
            (cluster.shared / "epoch").unlink()
            await desk.engine.close()

    asyncio.run(tell())


def clear(cluster: Cluster) -> None:
    """Cancel every job and wait until none is left."""
    cluster.call("scancel", "--user=nobody")
    end = time.monotonic() + PATIENCE_S
    while cluster.call("squeue", "-h"):
        assert time.monotonic() < end, "jobs do not go away"
        time.sleep(0.1)
