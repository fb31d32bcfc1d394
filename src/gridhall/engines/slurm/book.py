"""The attempts that an engine holds, what it knows of each, and the reports that follow from it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gridhall.engines.protocol import AttemptKey, Paused, Report, Resumed, Started
from gridhall.engines.slurm import verdict
from gridhall.engines.slurm.answers import SUSPENDED, Job
from gridhall.engines.slurm.folder import Folder
from gridhall.engines.slurm.records import Begun, Ending, Over, Stop


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass
class Attempt:
    """One attempt. `asked_ms` is when its submission was answered, `slurm_id` 0 while that is not known.

    `nodes` are Slurm's names. `told_still` is whether it was last told to pause, `still` what was last reported of
    that (None = it is to be reported again), `switched_ms` when Slurm had carried out the last order to pause or go on.
    """

    key: AttemptKey
    nodes: tuple[str, ...] = ()
    saved_ms: int = 0
    slurm_id: int = 0
    asked_ms: int = 0
    absences: int = 0
    killed_ms: int = 0
    job: Job | None = None
    begun: Begun | None = None
    ending: Ending | None = None
    stop: Stop | None = None
    over: Over | None = None
    started: bool = False
    told_still: bool = False
    still: bool | None = False
    switched_ms: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def facts(self) -> verdict.Facts:
        """What is known about it."""
        return verdict.Facts(self.job, self.absences, self.begun, self.ending, self.stop)


class Book:
    """Attempts by key; `say` takes the reports."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.attempts: dict[AttemptKey, Attempt] = {}
        self.say: Callable[[Report], None] = _unheard

    def known(self, key: AttemptKey) -> Attempt | None:
        """An attempt that was submitted or is over already."""
        attempt = self.attempts.get(key)
        return attempt if attempt and (attempt.slurm_id or attempt.over) else None

    def live(self) -> list[Attempt]:
        """The attempts that are not over."""
        return [attempt for attempt in self.attempts.values() if not attempt.over]

    def starting(self) -> bool:
        """Whether one was submitted and has not begun."""
        return any(attempt.slurm_id and not attempt.started and not attempt.over for attempt in self.attempts.values())

    def load(self, key: AttemptKey) -> Attempt:
        """Take up an attempt from what the shared folder says."""
        order, slurm = self.folder.order(key), self.folder.slurm(key)
        attempt = Attempt(
            key,
            nodes=tuple(order.nodes) if order else (),
            saved_ms=order.saved_ms if order else 0,
            slurm_id=slurm.job_id if slurm else self.folder.claimed(key),
            still=None,
            stop=self.folder.stop(key),
            over=self.folder.over(key),
        )
        self.attempts[key] = attempt
        return attempt

    def take(self, attempt: Attempt, job_id: int) -> None:
        """Its Slurm job has this number."""
        attempt.slurm_id, attempt.asked_ms = job_id, now_ms()
        self.folder.hold(attempt.key)
        self.folder.write_slurm(attempt.key, job_id)

    def hear_news(self) -> None:
        """Take in what the runners wrote."""
        for key in self.folder.news():
            attempt = self.attempts.get(key)
            if attempt is None or attempt.over:
                continue
            attempt.begun = attempt.begun or self.folder.begun(key)
            attempt.ending = attempt.ending or self.folder.ending(key)
            if attempt.begun or attempt.ending:
                self.judge(attempt)

    def judge(self, attempt: Attempt) -> None:
        """Report what follows from the facts and was not reported yet."""
        facts = attempt.facts
        began_ms = verdict.started_ms(facts, now_ms())
        if began_ms is not None and not attempt.started and not attempt.over:
            attempt.started = True
            self.say(Started(attempt.key, began_ms))
        if not attempt.over and verdict.is_over(facts):
            self.close(attempt, verdict.over(facts, now_ms(), self.saved_ms(attempt)))

    def stand(self, attempt: Attempt, asked_ms: int) -> None:
        """Report whether it stands still, by a list that Slurm was asked for at a time, unless that was reported."""
        state = attempt.job.job_state if attempt.job else ""
        if state not in ("RUNNING", SUSPENDED) or not attempt.started or attempt.over or asked_ms < attempt.switched_ms:
            return
        still = state == SUSPENDED
        if still != attempt.still:
            attempt.still = still
            self.say((Paused if still else Resumed)(attempt.key, now_ms()))

    def saved_ms(self, attempt: Attempt) -> int:
        """The useful work that its checkpoints hold now."""
        began_ms = verdict.started_ms(attempt.facts, now_ms())
        return verdict.saved(attempt.saved_ms, began_ms, now_ms(), self.folder.saved_at_ms(attempt.key))

    def close(self, attempt: Attempt, over: Over) -> None:
        """The attempt is over: keep that, and say it."""
        attempt.over = over
        self.folder.hold(attempt.key)
        self.folder.write_over(attempt.key, over)
        self.say(over.report(attempt.key))

    def say_again(self, attempt: Attempt) -> None:
        """Repeat the end of an attempt."""
        if attempt.over:
            self.say(attempt.over.report(attempt.key))


def _unheard(report: Report) -> None:
    raise RuntimeError(f"nobody listens to {report}: open the engine first")
