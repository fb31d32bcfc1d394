"""Why a job waits and what would help, in words, from what the core knows of its slot."""

from collections.abc import Callable, Iterator

import numpy as np

from gridhall.controller.promise import Promise, promise
from gridhall.controller.state import ControllerState
from gridhall.fleet.arrays import MAX_POWER_PATH
from gridhall.scheduling import jobs as j
from gridhall.server.live import work
from gridhall.server.live.fleet_map import FleetMap
from gridhall.server.live.work import Job
from gridhall.server.live.world import World
from gridhall.server.objects.why import Why
from gridhall.server.views.jobs import reason_of
from gridhall.server.views.queues import reason_word
from gridhall.units import iso_utc

BASES = {
    "hold": "nodes are reserved for it",
    "plan": "if what runs ends as predicted and nothing goes ahead of it",
    "back-off": "it waits that long after repeated failures",
}


def why_object(world: World, job: Job, now_ms: int) -> Why:
    """Why a job is where it is; `world.state` is only read."""
    if job.state != work.QUEUED or job.slot < 0:
        return _not_waiting(world, job)
    w, fleet = world.state, world.fleet
    found = promise(w, job.slot, now_ms)
    helps = tuple(helps_for(w, fleet, job.slot, found.reason))
    return Why(
        job=job.id,
        state=job.state,
        sentence=_sentence(job, found, helps),
        reason=reason_word(found.reason),
        words=found.words,
        start_ms=found.start_ms,
        basis=found.basis,
        ahead=ahead_of(w, job.slot),
        helps=helps,
    )


def _not_waiting(world: World, job: Job) -> Why:
    words = reason_of(job, world)
    return Why(
        job=job.id,
        state=job.state,
        sentence=f"{job.id} {'is paused' if job.state == work.PAUSED else 'does not wait'}: {words}.",
        reason="none",
        words=words,
        start_ms=job.start_ms or None,
        basis="now" if job.start_ms else "none",
        ahead=0,
        helps=(),
    )


def _sentence(job: Job, found: Promise, helps: tuple[str, ...]) -> str:
    if found.start_ms is None:
        when = "no start can be promised"
    else:
        when = f"the earliest start is {iso_utc(found.start_ms)}, {BASES.get(found.basis, 'as things are')}"
    mend = f"; it would help to {helps[0]}" if helps else ""
    return f"{job.id} waits for {found.words}; {when}{mend}."


def ahead_of(w: ControllerState, slot: int) -> int:
    """Jobs that stand before it in the queue."""
    queued = w.view("queue_slot")[: int(w.queue_length[0])]
    places = np.flatnonzero(queued == slot)
    return int(places[0]) if len(places) else 0


def helps_for(w: ControllerState, fleet: FleetMap, slot: int, reason: int) -> Iterator[str]:
    """What would let a waiting job start sooner, the best first."""
    helper = _HELPS.get(reason)
    if helper is not None:
        yield from helper(w, fleet, slot)


def _more_room(w: ControllerState, fleet: FleetMap, slot: int) -> Iterator[str]:
    cells, asked = int(w.job_cells[slot]), int(w.job_gpus[slot])
    free = w.view("cell_open") * w.view("cell_gpus_per_node") + w.view("cell_part_gpus")
    inside = [int(free[cell]) for cell in range(len(free)) if cells >> cell & 1]
    for cell in range(len(free)):
        alike = fleet.cell_has_gpus[cell] == fleet.cell_has_gpus[(cells & -cells).bit_length() - 1]
        if not cells >> cell & 1 and alike and int(free[cell]) >= asked:
            yield f"allow {_cell_name(fleet, cell)} too, which has {int(free[cell]):,} free GPUs"
    if inside and 0 < max(inside) < asked:
        yield f"ask for at most {max(inside):,} GPUs, which are free now"


def _quota(w: ControllerState, fleet: FleetMap, slot: int) -> Iterator[str]:
    project = int(w.job_project[slot])
    used = int(w.quota_used[int(w.quota_project0[0]) + project])
    yield f"raise its project's quota (it uses {used:,} GPUs now), or let work of its own end"


def _power(w: ControllerState, fleet: FleetMap, slot: int) -> Iterator[str]:
    cells = int(w.job_cells[slot])
    racks = [rack for rack, cell in enumerate(fleet.arrays.rack_cell.tolist()) if cells >> cell & 1]
    above = fleet.arrays.rack_path.reshape(-1, MAX_POWER_PATH)[racks]
    places = np.unique(above[above >= 0])
    if len(places):
        left = w.view("power_limit_w")[places] - w.view("power_committed_w")[places]
        least = int(places[np.argmin(left)])
        yield f"ease the limit of {fleet.arrays.power_names[least]}, which has {int(left.min()):,} W left"


def _constraint(w: ControllerState, fleet: FleetMap, slot: int) -> Iterator[str]:
    yield "set when_unsatisfiable to best-effort, or to allow a wider level or fewer domains"


def _not_ready(w: ControllerState, fleet: FleetMap, slot: int) -> Iterator[str]:
    cells, ready = int(w.job_cells[slot]), fleet.arrays.rack_ready_from_ms
    coming = [int(ready[rack]) for rack, cell in enumerate(fleet.arrays.rack_cell.tolist()) if cells >> cell & 1]
    if coming and min(coming) > 0:
        yield f"allow other sites: the first rack of its own comes on line at {iso_utc(min(coming))}"
    else:
        yield "allow other sites: no node of its own is up"


def _budget(w: ControllerState, fleet: FleetMap, slot: int) -> Iterator[str]:
    yield "raise its project's budget, or wait for the next month"


def _cell_name(fleet: FleetMap, cell: int) -> str:
    arrays = fleet.arrays
    return f"{arrays.hw_names[int(arrays.cell_hw[cell])]} at {arrays.site_names[int(arrays.cell_site[cell])]}"


_HELPS: dict[int, Callable[[ControllerState, FleetMap, int], Iterator[str]]] = {
    j.R_QUOTA: _quota,
    j.R_NOT_READY: _not_ready,
    j.R_CAPACITY: _more_room,
    j.R_TOPOLOGY: _more_room,
    j.R_SHARED_FULL: _more_room,
    j.R_SPARES: _more_room,
    j.R_UNCONSIDERED: _more_room,
    j.R_POWER: _power,
    j.R_BUDGET: _budget,
    j.R_CONSTRAINT: _constraint,
}
