"""Forecasts: what the core would decide about a wish now, found out on a copy of its state.

The copy is scribbled on; the world is not touched. What the copy decides is what the core would decide, because it is
the same `step`.
"""

from dataclasses import dataclass

from gridhall.controller.events import RESERVE
from gridhall.controller.live import Effect, Started, effects_of, is_full, row, starts_of
from gridhall.controller.promise import Basis, promise
from gridhall.controller.state import ControllerState, grow_state
from gridhall.controller.step import step
from gridhall.engines.protocol import Place
from gridhall.kernel import Ints
from gridhall.scheduling.decisions import HOLD, REFUSE
from gridhall.server.live.fleet_map import FleetMap
from gridhall.server.live.metering import Taken
from gridhall.server.live.reservations import reservable_cells
from gridhall.server.live.submit import NewJob, allowed_cells, submit_row
from gridhall.server.objects.job import JobSpec
from gridhall.server.objects.reservation import ReservationSpec

FORECAST_NUMBER = 1 << 52
"""The number of a job that will never be: beyond every real one."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the core would decide about a job.

    `refused` is the REFUSE effect, or None. `places` is empty unless it would start at once. `taken` is what it would
    have there, or in the first cell that could take it. `slot` is its slot in the copy.
    """

    refused: Effect | None
    places: tuple[Place, ...] = ()
    taken: Taken | None = None
    reason: int = 0
    words: str = ""
    start_ms: int | None = None
    basis: Basis = "none"
    slot: int = -1
    predicted_ms: int = 0


def foresee(w: ControllerState, fleet: FleetMap, new: NewJob, number: int, now_ms: int) -> Foreseen:
    """Let a copy of the state decide about a job. Raises Refusal where no allowed place is in the fleet at all."""
    effects = _step(w, submit_row(number, new, allowed_cells(fleet, new.spec), fleet).row(now_ms))
    if effects[0][0] == REFUSE:
        return Foreseen(effects[0])
    slot = effects[0][3]
    started = next((each for each in starts_of(effects, fleet.arrays.rack_node0) if each.job_id == number), None)
    if started is not None:
        return _at_once(w, fleet, started, now_ms)
    why = promise(w, slot, now_ms)
    cells = int(w.job_cells[slot])
    cell = (cells & -cells).bit_length() - 1
    taken = taken_in(fleet, cell, new.spec, int(w.job_gpus[slot]))
    predicted_ms = int(w.job_median_ms[slot])
    return Foreseen(None, (), taken, why.reason, why.words, why.start_ms, why.basis, slot, predicted_ms)


def _at_once(w: ControllerState, fleet: FleetMap, started: Started, now_ms: int) -> Foreseen:
    gpu_milli, slot = int(w.job_gpu_milli[started.slot]), started.slot
    places = tuple(fleet.place(node, mask, gpu_milli) for node, mask in started.nodes)
    taken = Taken(
        started.cell, len(places), started.nodes[0][1].bit_count(), gpu_milli, int(w.job_node_w[slot]) * len(places)
    )
    return Foreseen(None, places, taken, start_ms=now_ms, slot=slot, predicted_ms=int(w.job_median_ms[slot]))


def taken_in(fleet: FleetMap, cell: int, spec: JobSpec, gpus: int) -> Taken:
    """What a job of so many GPUs would have in a cell: whole nodes for a gang, its own GPUs on part of a node."""
    arrays, asked = fleet.arrays, spec.resources
    hardware = int(arrays.cell_hw[cell])
    per_node = int(arrays.hw_gpus_per_node[hardware])
    part = gpus < per_node and asked.gpus_per_node <= gpus
    nodes = 1 if part else -(-gpus // per_node)
    span_w = int(arrays.hw_gpu_max_w[hardware] - arrays.hw_gpu_idle_w[hardware])
    watts = nodes * min(gpus, per_node) * asked.gpu_milli * span_w // 1000
    return Taken(cell, nodes, gpus if part else per_node, asked.gpu_milli, watts)


@dataclass(frozen=True, slots=True)
class Kept:
    """The hold that the core would make for a reservation."""

    hold: int
    cell: int
    from_ms: int


def foresee_reservation(
    w: ControllerState, fleet: FleetMap, spec: ReservationSpec, project: int, now_ms: int
) -> Kept | None:
    """Let a copy of the state decide about a reservation; None where it would be refused. Raises Refusal."""
    fields = (project, reservable_cells(fleet, spec), spec.nodes, spec.from_ms, spec.until_ms)
    effects = _step(w, row(RESERVE, now_ms, *fields))
    held = next((effect for effect in effects if effect[0] == HOLD and effect[2] == -1), None)
    return None if held is None else Kept(held[3], held[5], held[6])


def _step(w: ControllerState, event: Ints) -> list[Effect]:
    w.event[:] = event
    return effects_of(w, step(w.handle))


def room_for(copy: ControllerState, jobs: int) -> ControllerState:
    """A copy of the state, or a larger one, in which so many jobs find a slot."""
    while is_full(copy) or int(copy.n_slots[0]) - int(copy.slots_taken[0]) <= jobs:
        copy = grow_state(copy, 2 * int(copy.n_slots[0]))
    return copy
