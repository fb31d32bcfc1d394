"""The changes that engines, the clock and people bring: each decides on a draft, in the order of arrival."""

from dataclasses import dataclass
from typing import Protocol

from gridhall.controller import events
from gridhall.controller.live import row
from gridhall.engines.protocol import Ended, Lost, NodeSeen, Paused, Report, Resumed, Started, Stopped
from gridhall.scheduling.decisions import S_COMPLETED, S_FAILED, S_TIMEOUT
from gridhall.server.live import work
from gridhall.server.live.draft import Draft, Refusal
from gridhall.server.live.nodes import is_cordoned
from gridhall.server.live.projection import project
from gridhall.server.live.work import Attempt, Job


class Change(Protocol):
    """Something that has happened, or is asked for."""

    def decide(self, draft: Draft) -> object:
        """Write on the draft what follows from it; what it returns is the answer. Raises Refusal, nothing changed."""
        ...


@dataclass(frozen=True, slots=True)
class WakeUp:
    """A wake-up that the core asked for is due."""

    def decide(self, draft: Draft) -> None:
        """Let the core look around."""
        project(draft, draft.step(row(events.TICK, draft.now_ms)))


@dataclass(frozen=True, slots=True)
class Cancel:
    """Somebody cancels a job by its id; `expected` is the version that they saw, None = any."""

    job: str
    expected: int | None = None

    def decide(self, draft: Draft) -> Job:
        """The job as it is afterwards."""
        job = draft.world.job_named(self.job)
        if job is None:
            raise Refusal(409, "finished", f"{self.job} is not waiting and not running")
        if self.expected not in (None, job.version):
            raise Refusal(412, "changed", f"{self.job} is at version {job.version} by now; read it again")
        project(draft, draft.step(row(events.CANCEL, draft.now_ms, job.slot, job.number)))
        return job


@dataclass(frozen=True, slots=True)
class Delivered:
    """Orders that engines have taken on; they leave the outbox."""

    orders: tuple[int, ...]

    def decide(self, draft: Draft) -> None:
        """Take them out."""
        draft.delivered.extend(self.orders)


@dataclass(frozen=True, slots=True)
class Reported:
    """An engine reports. What is known already, late or about an attempt that is not current changes nothing."""

    report: Report

    def decide(self, draft: Draft) -> None:
        """Pass on to the core what it does not know."""
        if isinstance(self.report, NodeSeen):
            _node_seen(draft, self.report)
            return
        job = draft.world.jobs.get(self.report.key.job)
        attempt = job.open_attempt if job is not None else None
        if job is None or attempt is None or attempt.attempt != self.report.key.attempt:
            return
        match self.report:
            case Started():
                _started(draft, job, attempt, self.report)
            case Paused():
                _paused(draft, job, attempt)
            case Resumed():
                _resumed(draft, job, attempt)
            case Ended():
                _ended(draft, job, attempt, self.report)
            case Stopped():
                _gone(draft, job, attempt, events.STOPPED, attempt.outcome or "stopped", self.report.saved_ms)
            case Lost():
                _gone(draft, job, attempt, events.LOST, f"lost: {self.report.reason}", self.report.saved_ms)


def _started(draft: Draft, job: Job, attempt: Attempt, report: Started) -> None:
    if attempt.started_ms:
        return
    attempt.started_ms = report.time_ms
    if job.state == work.STARTING:
        job.state = work.RUNNING
        draft.touch(job)
    draft.touch_attempt(attempt)


def _paused(draft: Draft, job: Job, attempt: Attempt) -> None:
    """It stands still, whoever asked for it; one that was told to go on by now will."""
    known = attempt.pause == work.PAUSED or (attempt.pause == work.RESUMING and job.state == work.PAUSED)
    if known or job.state == work.STOPPING:
        return
    if attempt.pause != work.RESUMING:
        attempt.pause = work.PAUSED
    _switched(draft, job, attempt, events.PAUSED, work.PAUSED)


def _resumed(draft: Draft, job: Job, attempt: Attempt) -> None:
    if attempt.pause in (work.PAUSED, work.RESUMING):
        attempt.pause, attempt.pause_feed = "", -1
        _switched(draft, job, attempt, events.RESUMED, work.RUNNING)


def _switched(draft: Draft, job: Job, attempt: Attempt, kind: int, state: str) -> None:
    job.state = state
    draft.touch_attempt(attempt)
    draft.touch(job)
    project(draft, draft.step(row(kind, draft.now_ms, job.slot, attempt.attempt, 0, 0, job.number)))


def _ended(draft: Draft, job: Job, attempt: Attempt, report: Ended) -> None:
    state = S_TIMEOUT if report.timed_out else S_COMPLETED if report.exit_code == 0 else S_FAILED
    attempt.exit_code = job.exit_code = report.exit_code
    attempt.outcome = "timed-out" if report.timed_out else f"exit {report.exit_code}"
    ran_ms = job.saved_ms + report.ran_ms
    fields = (job.slot, attempt.attempt, state, ran_ms, job.number)
    project(draft, draft.step(row(events.ENDED, draft.now_ms, *fields)))


def _gone(draft: Draft, job: Job, attempt: Attempt, kind: int, outcome: str, saved_ms: int) -> None:
    attempt.outcome = outcome
    job.saved_ms = max(job.saved_ms, saved_ms)
    fields = (job.slot, attempt.attempt, saved_ms, 0, job.number)
    project(draft, draft.step(row(kind, draft.now_ms, *fields)))


def _node_seen(draft: Draft, report: NodeSeen) -> None:
    world = draft.world
    node = world.fleet.node_index.get((report.site, report.node))
    if node is None:
        return
    if bool(world.state.node_up[node]) != report.up:
        kind = events.NODE_UP if report.up else events.NODE_DOWN
        project(draft, draft.step(row(kind, draft.now_ms, node)))
    shut = is_cordoned(world, node) or (report.up and not report.takes_work)
    if bool(world.state.node_cordoned[node]) != shut:
        project(draft, draft.step(row(events.CORDON, draft.now_ms, node, int(shut))))
