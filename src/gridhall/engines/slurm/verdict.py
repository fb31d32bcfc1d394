"""What the facts about an attempt mean: has it begun, is it over, must it be pushed.

The runner's word on an end is believed at once when the end was good. A bad end may have a cause that only Slurm knows
(a node died under the gang, someone cancelled the job), so then Slurm's own verdict is waited for. Silence is no fact:
an attempt is lost only when Slurm answered and did not know it, twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gridhall.engines.slurm.answers import RUNNING, Job
from gridhall.engines.slurm.records import Begun, Ending, Over, Stop

ABSENCES = 2
"""So many lists of Slurm in a row, asked for after the submission, must lack a job before it counts as gone."""
ENDED = frozenset({"COMPLETED", "FAILED", "OUT_OF_MEMORY"})
TIMED_OUT = frozenset({"TIMEOUT", "DEADLINE"})
UNREACHABLE = ("ReqNodeNotAvail", "NodeDown", "Nodes_required_for_job_are_DOWN", "BadConstraints")
KILL_AGAIN_MS = 5_000
GRACE_SLACK_MS = 3_000
"""The runner kills its ranks when the grace of a stop is over; so much later Slurm is asked to."""
PATIENCE_MS = 3_000
"""Slurm says when it began to start a job, in whole seconds; the runner's better word is waited for so long."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known about an attempt: Slurm's job, if it listed one; the runner's words; the order to stop."""

    job: Job | None = None
    absences: int = 0
    begun: Begun | None = None
    ending: Ending | None = None
    stop: Stop | None = None


def started_ms(facts: Facts, now_ms: int) -> int | None:
    """When the first process began to run; None while that is not known."""
    if facts.begun:
        return facts.begun.time_ms
    if facts.ending:
        return facts.ending.began_ms
    slurms_ms = facts.job.start_time * 1000 if facts.job and facts.job.job_state in RUNNING else 0
    return slurms_ms if slurms_ms and now_ms - slurms_ms >= PATIENCE_MS else None


def is_over(facts: Facts) -> bool:
    """Whether the attempt has ended, for certain."""
    return _settled(facts) or (facts.ending is not None and not facts.ending.exit_code)


def _settled(facts: Facts) -> bool:
    """Whether Slurm has nothing more to say."""
    return facts.job.final if facts.job else facts.absences >= ABSENCES


def over(facts: Facts, now_ms: int, saved_ms: int) -> Over:
    """How an attempt that is over ended; `saved_ms` is the useful work saved in all."""
    if facts.ending:
        return _told(facts, facts.ending, saved_ms)
    if facts.stop:
        return Over(kind="stopped", time_ms=now_ms, saved_ms=saved_ms)
    if facts.job is None:
        return Over(kind="lost", time_ms=now_ms, saved_ms=saved_ms, reason="Slurm does not know the job any more")
    return _slurms(facts.job, saved_ms)


def _told(facts: Facts, ending: Ending, saved_ms: int) -> Over:
    """An end that the runner wrote down, unless Slurm knows better."""
    if facts.stop and ending.time_ms >= facts.stop.time_ms:
        return Over(kind="stopped", time_ms=ending.time_ms, saved_ms=saved_ms)
    if ending.exit_code and facts.job and facts.job.job_state not in ENDED | TIMED_OUT:
        return _slurms(facts.job, saved_ms)
    return Over(
        kind="ended",
        time_ms=ending.time_ms,
        exit_code=ending.exit_code,
        ran_ms=ending.ran_ms,
        timed_out=ending.timed_out,
    )


def _slurms(job: Job, saved_ms: int) -> Over:
    """An end of which only Slurm knows."""
    time_ms = job.end_time * 1000
    if job.job_state in ENDED | TIMED_OUT:
        ran_ms = max(0, job.end_time - job.start_time) * 1000
        code = job.exit or (0 if job.job_state == "COMPLETED" else 1)
        timed_out = job.job_state in TIMED_OUT
        return Over(kind="ended", time_ms=time_ms, exit_code=code, ran_ms=ran_ms, timed_out=timed_out)
    said = job.state_description or (job.state_reason if job.state_reason != "None" else "")
    reason = f"Slurm: {job.job_state}" + (f" ({said})" if said else "")
    return Over(kind="lost", time_ms=time_ms, saved_ms=saved_ms, reason=reason)


def saved(before_ms: int, began_ms: int | None, now_ms: int, newest_ms: int) -> int:
    """Useful work saved in all: what earlier attempts saved, and of this one what lies before its newest checkpoint."""
    return before_ms + max(0, min(newest_ms, now_ms) - began_ms) if began_ms else before_ms


def must_be_killed(facts: Facts, killed_ms: int, now_ms: int) -> bool:
    """Whether the grace of a stop is over, or the job had not begun; `killed_ms` is when it was last killed."""
    if not facts.stop or facts.job is None or facts.job.final or now_ms - killed_ms < KILL_AGAIN_MS:
        return False
    return facts.job.job_state == "PENDING" or now_ms >= facts.stop.time_ms + facts.stop.grace_ms + GRACE_SLACK_MS


def true_job(jobs: Sequence[Job], claimed: int) -> Job | None:
    """Which of several jobs carries out their attempt: the one that claimed it, the first while all of them wait.

    None while that is not known: one of them is about to claim.
    """
    if claimed:
        return next((job for job in jobs if job.job_id == claimed), None)
    waiting = all(job.job_state == "PENDING" for job in jobs)
    return min(jobs, key=lambda job: job.job_id) if waiting else None


def waits_for_nodes(facts: Facts) -> bool:
    """Whether Slurm does not start a waiting job because it misses its nodes."""
    return facts.job is not None and facts.job.job_state == "PENDING" and facts.job.state_reason.startswith(UNREACHABLE)
