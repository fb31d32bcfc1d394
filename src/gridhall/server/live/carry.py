"""Carrying out: orders from the outbox to the engines, each until its engine has taken it on.

An engine that is away is tried again with growing pauses. A gang that cannot be started within `START_PATIENCE_S` is
reported lost, so that the core places it elsewhere; orders to stop and to forget are tried for ever. One to pause or to
go on is tried until the next order about the job comes, which counts instead.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gridhall.engines.clock import Clock
from gridhall.engines.protocol import AttemptKey, Engine, EngineFault, Lost, StaleEpoch, StartOrder, StopOrder
from gridhall.server.live.changes import Change, Delivered, Reported
from gridhall.server.live.draft import OrderRow
from gridhall.server.live.work import Attempt, Job
from gridhall.server.live.world import World
from gridhall.server.objects.job import JobSpec

log = logging.getLogger("gridhall.carry")

START_PATIENCE_S = 30.0
LONGEST_PAUSE_S = 5.0
SWITCHES = ("pause", "resume")


@dataclass
class Carrier:
    """Hands orders to engines, those about one job in order, those about different jobs side by side."""

    world: Callable[[], World]
    engines: Mapping[str, Engine]
    clock: Clock
    tell: Callable[[Change], None]
    _lanes: dict[int, asyncio.Task[None]] = field(default_factory=dict[int, asyncio.Task[None]])
    _pending: dict[int, list[OrderRow]] = field(default_factory=dict[int, list[OrderRow]])

    def take(self, orders: Sequence[OrderRow]) -> None:
        """Take on orders that are durable."""
        for order in orders:
            self._pending.setdefault(order.job, []).append(order)
            if order.job not in self._lanes:
                self._lanes[order.job] = asyncio.create_task(self._work(order.job))

    @property
    def waiting(self) -> int:
        """Jobs with orders on their way."""
        return len(self._lanes)

    def busy(self, job: int) -> bool:
        """Whether orders about a job are on their way."""
        return job in self._lanes

    async def close(self) -> None:
        """Leave what is not delivered in the outbox."""
        for lane in list(self._lanes.values()):
            lane.cancel()
        await asyncio.gather(*self._lanes.values(), return_exceptions=True)
        self._lanes.clear()  # a lane that had not begun yet could not leave by itself
        self._pending.clear()

    async def _work(self, job: int) -> None:
        try:
            while self._pending.get(job):
                await self._deliver(self._pending[job].pop(0))
        finally:
            self._pending.pop(job, None)
            self._lanes.pop(job, None)

    async def _deliver(self, order: OrderRow) -> None:
        began, pause = asyncio.get_running_loop().time(), 0.1
        while True:
            try:
                await self._send(order)
                break
            except StaleEpoch:
                log.error("order %s is of an epoch that is over", order.number)
                return
            except EngineFault as fault:
                log.warning("%s %s.%s: %s", order.kind, order.job, order.attempt, fault)
                if order.kind == "start" and asyncio.get_running_loop().time() - began > START_PATIENCE_S:
                    key = AttemptKey(order.job, order.attempt)
                    self.tell(Reported(Lost(key, self.clock.now_ms(), 0, f"not started: {fault}")))
                    break
                if order.kind in SWITCHES and self._pending.get(order.job):
                    break
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE_S, 2 * pause)
        self.tell(Delivered((order.number,)))

    async def _send(self, order: OrderRow) -> None:
        engine = self.engines[order.engine]
        world, key = self.world(), AttemptKey(order.job, order.attempt)
        job = world.jobs.get(order.job)
        if order.kind == "forget":
            await engine.forget(key, world.epoch)
            return
        if job is None or job.open_attempt is None or job.open_attempt.attempt != order.attempt:
            return  # it is over: nothing is to be done any more
        if order.kind == "start":
            await engine.start(start_order(job, job.open_attempt, world.epoch))
        elif order.kind in SWITCHES:
            await (engine.pause if order.kind == "pause" else engine.resume)(key, world.epoch)
        else:
            spec = JobSpec.model_validate_json(job.spec)
            await engine.stop(StopOrder(key, world.epoch, spec.checkpoint.grace_ms))


def start_order(job: Job, attempt: Attempt, epoch: int) -> StartOrder:
    """The order to start an attempt, from the job's own words."""
    spec = JobSpec.model_validate_json(job.spec)
    fields: dict[str, Any] = {
        "environment": spec.environment,
        "directory": spec.directory,
        "processes_per_node": spec.processes_per_node,
        "cpu_milli": spec.resources.cpu_milli,
        "mem_mib": spec.resources.mem_mib,
        "limit_ms": spec.limit_ms,
        "grace_ms": spec.checkpoint.grace_ms,
        "saved_ms": job.saved_ms,
    }
    return StartOrder(
        attempt.key, epoch, job.name, job.organisation, job.project, job.user, spec.command, attempt.places, **fields
    )
