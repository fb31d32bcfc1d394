"""Gangs as processes on this machine, behind the protocol of every engine.

An order is first made durable in the attempt's record; then a shim is started on it, and from there on the record and
the shim's lock tell everything: who lives, what began, how it ended. So a new server on the same folder knows as much
as the one that was killed. Each attempt is followed by one task: until it has begun, until it is gone, to its report.
"""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gridhall.engines.local import begin, confine, folder, launch, standing, verdict, watch
from gridhall.engines.local.remains import end_remains
from gridhall.engines.local.shim import family, paper
from gridhall.engines.protocol import (
    Ability,
    AttemptKey,
    EngineFault,
    Lost,
    NodeSeen,
    OnReport,
    StaleEpoch,
    Started,
    StartOrder,
    StopOrder,
)

State = Mapping[str, Any] | None
"""What the shim wrote when the ranks had begun; None when it came not so far."""
DISK_S = 1.0
"""How long to wait before writing an end again that the disk had no room for."""


class LocalEngine:
    """The engine `local`. `sites` names the nodes of each site; all of them are this machine.

    `root` is the engine's own folder; jobs can reach only their own part of it. `private` are further folders, such as
    the server's, that no job may read. `hide` forces a way of hiding them instead of the best that there is.
    """

    name = "local"
    abilities = frozenset({Ability.PAUSE, Ability.CHECKPOINT})

    def __init__(
        self,
        root: Path,
        sites: Mapping[str, Sequence[str]],
        private: Sequence[Path] = (),
        hide: confine.Hide | None = None,
    ) -> None:
        self._root = Path(os.path.realpath(root))
        self._folder = folder.Folder(self._root)
        self._sites = {site: tuple(nodes) for site, nodes in sites.items()}
        self._private = (self._root, *(Path(os.path.realpath(path)) for path in private))
        self._hide = hide
        self._lock = asyncio.Lock()
        self._held = -1
        self._epoch = 0
        self._following: dict[AttemptKey, asyncio.Task[None]] = {}
        self._on_report: OnReport = lambda report: None

    async def open(self, on_report: OnReport) -> None:
        """Take the folder, and take up what earlier servers left there."""
        self._on_report = on_report
        self._held = self._folder.prepare()
        try:
            self._epoch = (paper.read_or_none(str(self._root), "epoch.json") or {"epoch": 0})["epoch"]
        except ValueError as error:
            raise EngineFault(f"{self._root}/epoch.json is damaged ({error}): restore it from a backup") from error
        reason = await asyncio.to_thread(self._unfit)
        for site, nodes in self._sites.items():
            for node in nodes:
                on_report(NodeSeen(site, node, _now_ms(), not reason, reason))
        for key in self._folder.live():
            self._follow(key, None)

    async def start(self, order: StartOrder) -> None:
        """Start the gang; an attempt that is known is not started again, and one that has ended tells its end again.

        A start that has begun is finished even when its caller gives up: the gang must not run unfollowed.
        """
        await asyncio.shield(self._start(order))

    async def stop(self, order: StopOrder) -> None:
        """Begin to stop a gang; one never started here is noted as lost, so that a late start finds its end."""
        async with self._lock:
            await asyncio.to_thread(self._lead, order.epoch)
            record = self._folder.record(order.key)
            if (record / "report.json").exists():
                self._tell_end(order.key)
            elif (record / "order.json").exists():
                await asyncio.to_thread(self._tell_to_stop, record, order.grace_ms)
            else:
                saved = self._folder.saved_before(order.key)
                end = Lost(order.key, _now_ms(), saved, "it was told to stop before it was started")
                await asyncio.to_thread(self._note, end)
                self._on_report(end)

    async def pause(self, key: AttemptKey, epoch: int) -> None:
        """Stop every process of a gang where it is."""
        await self._switch(key, epoch, still=True)

    async def resume(self, key: AttemptKey, epoch: int) -> None:
        """Let a paused gang go on."""
        await self._switch(key, epoch, still=False)

    async def forget(self, key: AttemptKey, epoch: int) -> None:
        """Stop repeating the end of an attempt."""
        async with self._lock:
            await asyncio.to_thread(self._lead, epoch)
            if (self._folder.record(key) / "report.json").exists():
                self._folder.forget(key)

    async def running(self) -> Sequence[AttemptKey]:
        """Every attempt that is not forgotten."""
        return tuple(self._folder.live())

    async def read_log(self, key: AttemptKey, rank: int, offset: int, most: int) -> bytes:
        """A piece of a rank's output."""
        try:
            with open(self._folder.log(key, rank), "rb") as file:
                file.seek(max(0, offset))
                return file.read(max(0, most))
        except FileNotFoundError:
            return b""

    async def close(self) -> None:
        """Stop following; shims and gangs go on."""
        tasks, self._following = list(self._following.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    async def _start(self, order: StartOrder) -> None:
        async with self._lock:
            await asyncio.to_thread(self._lead, order.epoch)
            record = self._folder.record(order.key)
            if (record / "order.json").exists() or (record / "report.json").exists():
                self._tell_end(order.key)
                return
            self._check_places(order)
            try:
                ready = await asyncio.to_thread(self._begin, order)
            except OSError as error:
                raise EngineFault(f"could not start attempt {order.key}: {error}") from error
            self._follow(order.key, ready)

    async def _switch(self, key: AttemptKey, epoch: int, still: bool) -> None:
        async with self._lock:
            await asyncio.to_thread(self._lead, epoch)
            record = self._folder.record(key)
            over = any((record / name).exists() for name in ("report.json", "stop.json"))
            if over or not (record / "order.json").exists():
                return
            try:
                await asyncio.to_thread(standing.tell, record, still)
            except OSError as error:
                raise EngineFault(
                    f"could not tell attempt {key} to {'pause' if still else 'go on'}: {error}"
                ) from error
        answer = await standing.reached(key, record, still)
        if answer:
            self._on_report(answer)

    def _unfit(self) -> str:
        """Why no job may run here; "" when jobs may."""
        try:
            self._shielded()
        except EngineFault as error:
            return str(error)
        return ""

    def _shielded(self) -> confine.Hide:
        """How jobs are kept from the private folders. Raises EngineFault when they cannot be."""
        self._hide = self._hide or confine.choose()
        confine.check_private(self._hide, self._root, self._private)
        return self._hide

    def _lead(self, epoch: int) -> None:
        if epoch < self._epoch:
            raise StaleEpoch(f"epoch {epoch} is over, {self._epoch} leads")
        if epoch > self._epoch:
            paper.write(str(self._root), "epoch.json", {"epoch": epoch})
            self._epoch = epoch

    def _check_places(self, order: StartOrder) -> None:
        for place in order.places:
            if place.node not in self._sites.get(place.site, ()):
                raise EngineFault(f"node {place.node!r} of site {place.site!r} is not one of this engine's")

    def _begin(self, order: StartOrder) -> int:
        """Write the order down and start a shim on it; returns a descriptor that closes when the ranks have begun."""
        hide = self._shielded()
        confine.check_directory(hide, self._private, order.directory)
        uid = confine.uid_of(self._root, order.organisation)
        job = self._root / "jobs" / str(order.key.job)
        shield = confine.plan(hide, self._private, job, uid)
        plan = launch.plan(order, launch.Ground(_free_port(), job, self._root / "logs" / str(order.key), shield))
        self._folder.job_folder(order.key.job, uid)
        record = self._folder.make_record(order.key)
        paper.write(str(record), "plan.json", plan)
        paper.write(str(record), "order.json", folder.order_words(order))
        try:
            return begin.spawn(record)
        except OSError:
            (record / "order.json").unlink()
            raise

    def _tell_to_stop(self, record: Path, grace_ms: int) -> None:
        """Write the stop down, then wake the shim; one that has no state yet looks for it before and after starting."""
        told = paper.read_or_none(str(record), "stop.json")
        if told is None or grace_ms < told["grace_ms"]:
            paper.write(str(record), "stop.json", {"grace_ms": grace_ms})
        state = paper.read_or_none(str(record), "state.json")
        if state and folder.held(record):
            with contextlib.suppress(ProcessLookupError):
                os.kill(state["shim"]["pid"], signal.SIGTERM)

    def _follow(self, key: AttemptKey, ready: int | None) -> None:
        task = asyncio.get_running_loop().create_task(self._live(key, ready))
        self._following[key] = task
        task.add_done_callback(lambda _: self._following.pop(key, None))

    async def _live(self, key: AttemptKey, ready: int | None) -> None:
        """Follow one attempt from its beginning to its report."""
        record = self._folder.record(key)
        if (record / "report.json").exists():
            return self._tell_end(key)
        try:
            end = await self._outcome(key, record, ready)
        except ValueError as error:
            end = Lost(key, _now_ms(), self._folder.saved_before(key), f"the attempt's record is damaged: {error}")
            self._note(end)
        self._on_report(end)

    async def _outcome(self, key: AttemptKey, record: Path, ready: int | None) -> verdict.End:
        state = await begin.began(record, ready)
        if state:
            self._on_report(Started(key, state["began_ms"]))
            if stands := standing.report(key, record):
                self._on_report(stands)
        if state and folder.held(record):
            await watch.gone(state["shim"]["pid"], state["shim"]["start"])
        while folder.held(record):
            await asyncio.sleep(watch.POLL_S)
        return await self._concluded(key, record, state)

    async def _concluded(self, key: AttemptKey, record: Path, state: State) -> verdict.End:
        """The durable end of an attempt whose shim is gone; on a full disk it waits for room."""
        while True:
            try:
                return await asyncio.to_thread(self._conclude, key, record, state)
            except OSError:
                await asyncio.sleep(DISK_S)

    def _conclude(self, key: AttemptKey, record: Path, state: State) -> verdict.End:
        before_ms = paper.read(str(record), "order.json")["saved_ms"]
        end = paper.read_or_none(str(record), "end.json")
        checkpoints = self._root / "jobs" / str(key.job) / "checkpoints"
        if end is None:
            end_remains(state, (f"GRIDHALL_CHECKPOINT_DIR={checkpoints}", f"GRIDHALL_ATTEMPT={key.attempt}"))
        now = _now_ms()
        began = end["began_ms"] if end else state["began_ms"] if state else now
        pauses = end.get("pauses", ()) if end else standing.spans(record)
        ran = end["ran_ms"] if end else max(0, now - began - standing.paused_ms(pauses, now))
        newest = verdict.newest_ms(checkpoints)
        saved = verdict.saved_in_all(before_ms, began, ran, newest - standing.paused_ms(pauses, newest))
        lost = Lost(key, now, saved, verdict.reason(state, family.boot_id()))
        report = verdict.verdict(key, end, saved) if end else lost
        self._note(report)
        return report

    def _note(self, end: verdict.End) -> None:
        """Make an end durable."""
        paper.write(str(self._folder.make_record(end.key)), "report.json", verdict.report_words(end))

    def _tell_end(self, key: AttemptKey) -> None:
        words = paper.read_or_none(str(self._folder.record(key)), "report.json")
        if words:
            self._on_report(verdict.report_of(key, words))


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
