"""What waits, by priority, project and reason: counted over the columns of the queue."""

from collections.abc import Iterable

import numpy as np

from gridhall.controller.state import ControllerState
from gridhall.kernel import Ints
from gridhall.scheduling.jobs import R_UNCONSIDERED, REASONS
from gridhall.scheduling.queue import P_HEAD_START_MS
from gridhall.server.live.world import Resource, World
from gridhall.server.objects.job import PRIORITIES
from gridhall.server.objects.queue import Queue, QueueSpec, QueueStatus, Waiting
from gridhall.server.views.fleet import fleet_metadata
from gridhall.server.views.uses import May

WORDS = (
    "none",
    "unconsidered",
    "quota",
    "no-place",
    "not-ready",
    "capacity",
    "topology",
    "power",
    "reserved",
    "spares",
    "shared-full",
    "back-off",
    "closed",
    "budget",
    "constraint",
    "never-met",
)
"""The closed list of reasons, in the order of the core's numbers."""


def reason_word(reason: int) -> str:
    """The word for a reason; a reason younger than this list is called by its own first word."""
    return WORDS[reason] if reason < len(WORDS) else REASONS[reason].partition(":")[0].replace(" ", "-")


def queue_object(world: World, place: int, may: May, now_ms: int) -> Queue:
    """The queue of the priority with that number."""
    w = world.state
    queued = w.view("queue_slot")[: int(w.queue_length[0])]
    slots = queued[w.view("job_priority")[queued] == place]
    ages = now_ms - w.view("job_submit_ms")[slots]
    return Queue(
        metadata=fleet_metadata(id=PRIORITIES[place], name=PRIORITIES[place]),
        spec=QueueSpec(priority=PRIORITIES[place], head_start_ms=int(w.policy[P_HEAD_START_MS + place])),
        status=QueueStatus(
            jobs=len(slots),
            gpus=int(w.view("job_gpus")[slots].sum()),
            oldest_ms=int(ages.max()) if len(slots) else 0,
            median_age_ms=int(np.median(ages)) if len(slots) else 0,
            waiting=tuple(_groups(world, slots, ages, may)),
        ),
    )


def _groups(world: World, slots: Ints, ages: Ints, may: May) -> Iterable[Waiting]:
    """By project and reason, largest demand first."""
    w = world.state
    projects = {each.number: each for each in world.directory.all("project")}
    reasons = np.maximum(w.view("job_reason")[slots], R_UNCONSIDERED)
    keys, places = np.unique(w.view("job_project")[slots] * 64 + reasons, return_inverse=True)
    jobs = np.bincount(places, minlength=len(keys))
    gpus, oldest = np.zeros(len(keys), dtype=np.int64), np.zeros(len(keys), dtype=np.int64)
    np.add.at(gpus, places, w.view("job_gpus")[slots])
    np.maximum.at(oldest, places, ages)
    for at in np.argsort(-gpus, kind="stable"):
        owner = projects.get(int(keys[at]) // 64)
        if owner is not None and may(owner.organisation, owner.id):
            yield _waiting(owner, int(keys[at]) % 64, int(jobs[at]), int(gpus[at]), int(oldest[at]))


def _waiting(owner: Resource, reason: int, jobs: int, gpus: int, oldest_ms: int) -> Waiting:
    return Waiting(
        organisation=owner.organisation,
        project=owner.id,
        reason=reason_word(reason),
        words=REASONS[reason],
        jobs=jobs,
        gpus=gpus,
        oldest_ms=oldest_ms,
    )


def waiting_by_reason(w: ControllerState) -> dict[str, int]:
    """Number of waiting jobs by reason."""
    queued = w.view("queue_slot")[: int(w.queue_length[0])]
    counts = np.bincount(np.maximum(w.view("job_reason")[queued], R_UNCONSIDERED))
    return {reason_word(reason): int(count) for reason, count in enumerate(counts) if count}
