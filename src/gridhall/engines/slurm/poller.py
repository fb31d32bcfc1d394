"""Watches a cluster: Slurm's lists of jobs and nodes about once a second, the runners' words many times a second.

The words are files in one folder, whose change is a single `stat`, so watching thousands of gangs costs no more than
watching one. When Slurm does not answer, the poller goes on trying, more and more slowly up to 5 s, and concludes
nothing.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from gridhall.engines.protocol import AttemptKey, EngineFault, NodeSeen
from gridhall.engines.slurm import verdict
from gridhall.engines.slurm.answers import Job, NodeState, node_state
from gridhall.engines.slurm.book import Attempt, Book, now_ms
from gridhall.engines.slurm.records import Over
from gridhall.engines.slurm.rest import Rest
from gridhall.engines.slurm.settings import SlurmSettings

PERIOD_S, LONGEST_S = 1.0, 5.0
HURRY_S = 0.1
SHARE = 10
"""The lists take at most one part in `SHARE` of the time: those of a large cluster are asked for less often."""
LISTEN_STARTING_S, LISTEN_S = 0.02, 0.1
SILENT_MS = 30_000
"""A node that does not answer for so long takes no work; a restart of slurmctld is over sooner."""
_log = logging.getLogger(__name__)


class Poller:
    """The two loops that watch one cluster."""

    def __init__(self, settings: SlurmSettings, rest: Rest, book: Book) -> None:
        self._settings, self._rest, self._book = settings, rest, book
        self._fleet_names = settings.fleet_nodes()
        self._seen: dict[str, NodeState] = {}
        self._silent_ms: dict[str, int] = {}
        self._hurry = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.addresses: dict[str, str] = {}

    def begin(self) -> None:
        """Start to watch."""
        self._tasks = [asyncio.create_task(_forever(once)) for once in (self._listen, self._poll)]

    async def end(self) -> None:
        """Stop watching."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    def hurry(self) -> None:
        """Ask Slurm again soon."""
        self._hurry.set()

    async def look(self) -> None:
        """Ask Slurm once and draw the conclusions; raises EngineFault."""
        asked_ms = now_ms()
        jobs = self.ours(await self._rest.jobs())
        for node in await self._rest.nodes():
            if self._settings.partition in node.partitions:
                self.addresses[node.name] = node.address
                self._see(node.name, node_state(node))
        self._book.hear_news()
        for key in jobs:
            await self._adopt(key, [job for job in jobs[key] if not job.final])
        for attempt in self._book.live():
            await self._settle(attempt, jobs.get(attempt.key, []), asked_ms)

    async def _adopt(self, key: AttemptKey, living: list[Job]) -> None:
        """Take up an attempt that Slurm has and the book has not; what was reported lost must not live on."""
        known = self._book.attempts.get(key)
        over = known.over if known else self._book.folder.over(key) if living else None
        if over and over.kind == "lost":
            for job in living:
                await self._rest.cancel(job.job_id)
        elif living and known is None and over is None:
            self._book.load(key)

    def ours(self, jobs: list[Job]) -> dict[AttemptKey, list[Job]]:
        """Gridhall's jobs by attempt: those that bear its name and lie in this engine's folder."""
        found: dict[AttemptKey, list[Job]] = {}
        for job in jobs:
            if (named := job.attempt) and job.current_working_directory == str(self._book.folder.attempt(named[0])):
                found.setdefault(named[0], []).append(job)
        return found

    async def _settle(self, attempt: Attempt, jobs: list[Job], asked_ms: int) -> None:
        """Draw the conclusions for one attempt, of which Slurm lists `jobs`."""
        job = await self._true_job(attempt, jobs)
        if job:
            attempt.job, attempt.absences = job, 0
            if not attempt.slurm_id:
                self._book.take(attempt, job.job_id)
        elif attempt.slurm_id and not jobs and attempt.asked_ms < asked_ms:
            attempt.job, attempt.absences = None, attempt.absences + 1
        await self._push(attempt)
        self._book.judge(attempt)
        self._book.stand(attempt, asked_ms)

    async def _push(self, attempt: Attempt) -> None:
        """Cancel what cannot start on its nodes, kill what does not stop."""
        closed = [node for node in attempt.nodes if node in self._seen and not self._seen[node].takes_work]
        if closed and verdict.waits_for_nodes(attempt.facts):
            await self._rest.cancel(attempt.slurm_id)
            reason = f"Slurm cannot start it: {', '.join(closed)}: {self._seen[closed[0]].reason}"
            self._book.close(attempt, Over(kind="lost", time_ms=now_ms(), saved_ms=attempt.saved_ms, reason=reason))
        elif verdict.must_be_killed(attempt.facts, attempt.killed_ms, now_ms()):
            attempt.killed_ms = now_ms()
            await self._rest.cancel(attempt.slurm_id)

    async def _true_job(self, attempt: Attempt, jobs: list[Job]) -> Job | None:
        """The job that carries out the attempt; a second one, of a submission that came twice, is cancelled."""
        if len(jobs) < 2:
            return jobs[0] if jobs else None
        true = verdict.true_job(jobs, self._book.folder.claimed(attempt.key))
        if true:
            attempt.slurm_id = true.job_id
            for job in jobs:
                if job is not true and not job.final:
                    await self._rest.cancel(job.job_id)
        return true

    def _see(self, node: str, state: NodeState) -> None:
        """Report a node whose state changed; short silence is no change."""
        time_ms = now_ms()
        if not state.silent:
            self._silent_ms.pop(node, None)
        elif node in self._seen and time_ms - self._silent_ms.setdefault(node, time_ms) < SILENT_MS:
            return
        if self._seen.get(node) != state:
            self._seen[node] = state
            name = self._fleet_names.get(node, node)
            self._book.say(NodeSeen(self._settings.site, name, time_ms, state.up, state.reason, state.takes_work))

    async def _poll(self) -> None:
        wait_s = PERIOD_S
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._hurry.wait()
                await asyncio.sleep(HURRY_S)
            self._hurry.clear()
            began_s = time.monotonic()
            try:
                await self.look()
                wait_s = max(PERIOD_S, SHARE * (time.monotonic() - began_s))
            except EngineFault as fault:
                wait_s = min(2 * wait_s, LONGEST_S)
                _log.warning("%s; trying again in %.0f s", fault, wait_s)

    async def _listen(self) -> None:
        heard_ns = 0
        while True:
            changed_ns = self._book.folder.news_changed_ns()
            if changed_ns != heard_ns:
                # a change within the clock's grain of this look could be missed: look once more
                heard_ns = changed_ns if time.time_ns() - changed_ns > 50_000_000 else 0
                self._book.hear_news()
                if any(attempt.ending for attempt in self._book.live()):
                    self.hurry()
            await asyncio.sleep(LISTEN_STARTING_S if self._book.starting() else LISTEN_S)


async def _forever(loop: Callable[[], Awaitable[None]]) -> None:
    """Keep a loop alive over faults of the shared folder, which may come back."""
    while True:
        try:
            await loop()
        except OSError as error:
            _log.warning("shared folder: %s; trying again in %.0f s", error, LONGEST_S)
            await asyncio.sleep(LONGEST_S)
