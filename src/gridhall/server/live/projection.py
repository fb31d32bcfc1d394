"""How effects change jobs and attempts, and which orders follow: the tables' side of every decision."""

from collections.abc import Callable, Sequence

from gridhall.controller.live import Effect, starts_of
from gridhall.controller.live import Started as Decided
from gridhall.scheduling import decisions as d
from gridhall.server.live import work
from gridhall.server.live.draft import Draft
from gridhall.server.live.work import Attempt, Job

FINAL = {
    d.S_COMPLETED: work.COMPLETED,
    d.S_FAILED: work.FAILED,
    d.S_CANCELLED: work.CANCELLED,
    d.S_TIMEOUT: work.TIMED_OUT,
    d.S_CRASH_LOOP: work.CRASH_LOOP,
}


def project(draft: Draft, effects: Sequence[Effect]) -> None:
    """Bring jobs, attempts and the outbox up to date with the effects of one step."""
    starts = iter(starts_of(effects, draft.world.fleet.arrays.rack_node0))
    for effect in effects:
        if effect[0] == d.START:
            _begin(draft, next(starts), effect[1])
        elif effect[0] in _EFFECTS:
            job = draft.world.jobs.get(effect[2])
            if job is not None:
                _EFFECTS[effect[0]](draft, job, effect)


def _begin(draft: Draft, decided: Decided, time_ms: int) -> None:
    world = draft.world
    job = world.jobs[decided.job_id]
    swapped = job.open_attempt is not None  # its gang goes on with another node in place of the lost one
    if job.open_attempt is not None:
        _close(draft, job, job.open_attempt, time_ms)
    gpu_milli = int(world.state.job_gpu_milli[decided.slot])
    places = tuple(world.fleet.place(node, mask, gpu_milli) for node, mask in decided.nodes)
    watts = int(world.state.job_node_w[decided.slot]) * len(places)
    attempt = Attempt(
        job.number, decided.attempt, decided.cell, places, time_ms, world.epoch, draft.next_entry - 1, gpu_milli, watts
    )
    attempt.units, attempt.swapped = decided.nodes[0][1].bit_count(), swapped
    job.slot, job.attempt, job.open_attempt, job.state = decided.slot, decided.attempt, attempt, work.STARTING
    job.start_ms = job.start_ms or time_ms
    draft.new_attempts[job.number, attempt.attempt] = attempt
    draft.touch(job)
    draft.order(job, attempt.attempt, "start", world.engine_of_site[places[0].site])


def _pause(draft: Draft, job: Job, effect: Effect) -> None:
    _switch(draft, job, effect, "pause", work.PAUSING, effect[5])


def _resume(draft: Draft, job: Job, effect: Effect) -> None:
    _switch(draft, job, effect, "resume", work.RESUMING, -1)


def _switch(draft: Draft, job: Job, effect: Effect, order: str, pause: str, feed: int) -> None:
    """The job's state follows when its engine has seen it stand still, or go on."""
    attempt = job.open_attempt
    if attempt is None or attempt.attempt != effect[4]:
        return
    attempt.pause, attempt.pause_feed = pause, feed
    draft.touch_attempt(attempt)
    draft.touch(job)
    draft.order(job, attempt.attempt, order, _engine(draft, attempt))


def _stop(draft: Draft, job: Job, effect: Effect) -> None:
    attempt = job.open_attempt
    if attempt is None or attempt.attempt != effect[4]:
        return
    job.state = work.STOPPING
    attempt.pause, attempt.pause_feed = "", -1
    attempt.outcome = ("", "pre-empted", "cancelled", "reservation", "drained", "budget")[effect[5]]
    draft.touch_attempt(attempt)
    draft.touch(job)
    draft.order(job, attempt.attempt, "stop", _engine(draft, attempt))


def _release(draft: Draft, job: Job, effect: Effect) -> None:
    if job.open_attempt is not None and job.open_attempt.attempt == effect[4]:
        _close(draft, job, job.open_attempt, effect[1])
        job.state = work.QUEUED
        job.open_attempt = None
        draft.touch(job)


def _close(draft: Draft, job: Job, attempt: Attempt, time_ms: int) -> None:
    attempt.ended_ms, attempt.end_entry = time_ms, draft.next_entry - 1
    draft.closed.append(attempt)
    draft.touch_attempt(attempt)
    draft.order(job, attempt.attempt, "forget", _engine(draft, attempt))


def _done(draft: Draft, job: Job, effect: Effect) -> None:
    job.state, job.restarts, job.end_ms, job.slot = FINAL[effect[5]], effect[6], effect[1], -1
    draft.touch(job)
    del draft.world.jobs[job.number]
    del draft.world.job_of_id[job.id]


def _engine(draft: Draft, attempt: Attempt) -> str:
    return draft.world.engine_of_site[attempt.places[0].site]


_EFFECTS: dict[int, Callable[[Draft, Job, Effect], None]] = {
    d.PAUSE: _pause,
    d.RESUME: _resume,
    d.STOP: _stop,
    d.RELEASE: _release,
    d.DONE: _done,
}
