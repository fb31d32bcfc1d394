"""What waits, by priority, project and reason: counted over the columns of the queue."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gridhall.controller.state import ControllerState
from gridhall.kernel import Ints
from gridhall.scheduling.jobs import R_UNCONSIDERED, REASONS
from gridhall.scheduling.queue import P_HEAD_START_MS
from gridhall.server.live.world import World
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


@dataclass(frozen=True, slots=True)
class Group:
    """Waiting jobs of one priority (by its number) and project (by its number) with one reason."""

    priority: int
    project: int
    reason: int
    jobs: int
    gpus: int
    first_ms: int
    """When the oldest was submitted."""


@dataclass(frozen=True, slots=True)
class Count:
    """What waits: its groups, largest demand first, and by priority when the middle one of its jobs was submitted."""

    groups: tuple[Group, ...]
    median_ms: Mapping[int, float]


class QueueCounts:
    """The count of the queue, made again only after a decision: counting a long queue takes some milliseconds."""

    def __init__(self) -> None:
        self._of: tuple[World, int] | None = None
        self._count = Count((), {})

    def of(self, world: World) -> Count:
        """The count as it is now. Nothing but a decision changes the queue."""
        if self._of is None or self._of[0] is not world or self._of[1] != world.decisions:
            self._count, self._of = count(world.state), (world, world.decisions)
        return self._count


def count(w: ControllerState) -> Count:
    """Count the columns of the queue."""
    queued = w.view("queue_slot")[: int(w.queue_length[0])]
    priorities, submitted = w.view("job_priority").take(queued), w.view("job_submit_ms").take(queued)
    keys = _keys(w, queued, priorities)
    jobs = np.bincount(keys)
    gpus, first = np.zeros(len(jobs), dtype=np.int64), np.full(len(jobs), np.iinfo(np.int64).max)
    np.add.at(gpus, keys, w.view("job_gpus").take(queued))
    np.minimum.at(first, keys, submitted)
    groups = [_group(int(key), int(jobs[key]), int(gpus[key]), int(first[key])) for key in np.flatnonzero(jobs)]
    middle = {each: float(np.median(submitted[priorities == each])) for each in {group.priority for group in groups}}
    return Count(tuple(sorted(groups, key=lambda group: (-group.gpus, group.project, group.reason))), middle)


_REASONS, _PRIORITIES = 64, len(PRIORITIES)


def _keys(w: ControllerState, queued: Ints, priorities: Ints) -> Ints:
    """Of each waiting job one small number for its group."""
    reasons = np.maximum(w.view("job_reason").take(queued), R_UNCONSIDERED)
    return (w.view("job_project").take(queued) * _REASONS + reasons) * _PRIORITIES + priorities


def _group(key: int, jobs: int, gpus: int, first_ms: int) -> Group:
    rest, priority = divmod(key, _PRIORITIES)
    return Group(priority, *divmod(rest, _REASONS), jobs, gpus, first_ms)


def queue_object(world: World, counted: Count, place: int, may: May, now_ms: int) -> Queue:
    """The queue of the priority with that number."""
    groups = [group for group in counted.groups if group.priority == place]
    return Queue(
        metadata=fleet_metadata(id=PRIORITIES[place], name=PRIORITIES[place]),
        spec=QueueSpec(priority=PRIORITIES[place], head_start_ms=int(world.state.policy[P_HEAD_START_MS + place])),
        status=QueueStatus(
            jobs=sum(group.jobs for group in groups),
            gpus=sum(group.gpus for group in groups),
            oldest_ms=max((now_ms - group.first_ms for group in groups), default=0),
            median_age_ms=int(now_ms - counted.median_ms[place]) if groups else 0,
            waiting=tuple(_waiting(world, groups, may, now_ms)),
        ),
    )


def _waiting(world: World, groups: Iterable[Group], may: May, now_ms: int) -> Iterator[Waiting]:
    """The groups that the caller may see."""
    projects = {each.number: each for each in world.directory.all("project")}
    for group in groups:
        owner = projects.get(group.project)
        if owner is not None and may(owner.organisation, owner.id):
            yield Waiting(
                organisation=owner.organisation,
                project=owner.id,
                reason=reason_word(group.reason),
                words=REASONS[group.reason],
                jobs=group.jobs,
                gpus=group.gpus,
                oldest_ms=now_ms - group.first_ms,
            )


def waiting_by_reason(w: ControllerState) -> dict[str, int]:
    """Number of waiting jobs by reason."""
    queued = w.view("queue_slot")[: int(w.queue_length[0])]
    counts = np.bincount(np.maximum(w.view("job_reason")[queued], R_UNCONSIDERED))
    return {reason_word(reason): int(count) for reason, count in enumerate(counts) if count}
