"""Jobs as objects: what the row says, and for what the core still holds what its slot says."""

from typing import Literal, TypeGuard

from gridhall.scheduling.jobs import R_NONE, R_UNCONSIDERED, REASONS
from gridhall.server.live import work
from gridhall.server.live.work import Attempt, Job
from gridhall.server.live.world import World
from gridhall.server.objects.job import AttemptStatus, JobSpec, PlaceStatus
from gridhall.server.objects.job import Job as JobObject

Provisioning = Literal["pending", "provisioning", "provisioned", "deprovisioning", "deprovisioned"]
Health = Literal["unknown", "healthy", "degraded", "error"]

PROVISIONING: dict[str, Provisioning] = {
    work.QUEUED: "pending",
    work.STARTING: "provisioning",
    work.RUNNING: "provisioned",
    work.PAUSED: "provisioned",
    work.STOPPING: "deprovisioning",
}
HEALTH: dict[str, Health] = {
    work.QUEUED: "unknown",
    work.STARTING: "unknown",
    work.COMPLETED: "healthy",
    work.CANCELLED: "healthy",
    work.FAILED: "error",
    work.TIMED_OUT: "error",
    work.CRASH_LOOP: "error",
}
ENDINGS = {
    work.STARTING: "its nodes are chosen; the engine starts it",
    work.RUNNING: "it runs",
    work.PAUSED: "it stands still on its nodes",
    work.STOPPING: "it was told to stop and saves its work",
    work.COMPLETED: "it ended with exit code 0",
    work.CANCELLED: "it was cancelled",
    work.TIMED_OUT: "its time limit ended it",
    work.CRASH_LOOP: "it was given up after repeated failures without progress",
}


def job_object(job: Job, world: World) -> JobObject:
    """A job as it is read."""
    return JobObject.model_validate(job_fields(job, world))


def job_fields(job: Job, world: World) -> dict[str, object]:
    """What a job's object is made of, and the same as JSON: a long list is written without making the objects."""
    return {"metadata": _metadata(job), "spec": JobSpec.model_validate_json(job.spec), "status": _status(job, world)}


def _metadata(job: Job) -> dict[str, object]:
    return {
        "id": job.id,
        "name": job.name,
        "organisation": job.organisation,
        "project": job.project,
        "created_ms": job.submit_ms,
        "created_by": job.user,
        "modified_ms": max(job.submit_ms, job.start_ms, job.end_ms),
        "version": job.version,
    }


def _status(job: Job, world: World) -> dict[str, object]:
    attempt = job.open_attempt
    return {
        "state": job.state,
        "provisioning": PROVISIONING.get(job.state, "deprovisioned"),
        "health": health_of(job),
        "reason": reason_of(job, world),
        "submit_ms": job.submit_ms,
        "start_ms": job.start_ms or None,
        "end_ms": job.end_ms or None,
        "attempt": job.attempt,
        "restarts": job.restarts,
        "exit_code": job.exit_code,
        "saved_ms": job.saved_ms,
        "places": places_of(attempt) if attempt is not None else (),
    }


def health_of(job: Job) -> Health:
    """Whether the work itself is well; work that had to begin again is degraded."""
    if job.state in (work.RUNNING, work.PAUSED, work.STOPPING):
        return "degraded" if job.attempt > 1 else "healthy"
    return HEALTH[job.state]


def reason_of(job: Job, world: World) -> str:
    """In words why it waits, or what became of it."""
    if job.state == work.QUEUED:
        reason = int(world.state.job_reason[job.slot]) if job.slot >= 0 else R_NONE
        return REASONS[R_UNCONSIDERED if reason == R_NONE else reason]
    if job.state == work.FAILED:
        return f"it ended with exit code {job.exit_code}"
    words = ENDINGS[job.state]
    return f"{words}; {_pause_words(job.open_attempt, world)}" if _is_switched(job.open_attempt) else words


def _is_switched(attempt: Attempt | None) -> TypeGuard[Attempt]:
    return attempt is not None and bool(attempt.pause)


def _pause_words(attempt: Attempt, world: World) -> str:
    if attempt.pause == work.RESUMING:
        return "it was told to go on"
    asks = f"the load target of feed {world.fleet.arrays.power_names[attempt.pause_feed]} asks for it"
    if attempt.pause == work.PAUSING:
        return f"it was told to pause: {asks}"
    return asks if attempt.pause_feed >= 0 else "its engine paused it, nobody here asked for it"


def attempt_object(attempt: Attempt) -> AttemptStatus:
    """An attempt as it is read."""
    return AttemptStatus(
        attempt=attempt.attempt,
        decided_ms=attempt.decided_ms,
        started_ms=attempt.started_ms or None,
        ended_ms=attempt.ended_ms or None,
        outcome=attempt.outcome,
        exit_code=attempt.exit_code,
        places=places_of(attempt),
    )


def places_of(attempt: Attempt) -> tuple[PlaceStatus, ...]:
    """The nodes of an attempt."""
    return tuple(PlaceStatus(site=each.site, node=each.node, gpus=each.gpus) for each in attempt.places)
