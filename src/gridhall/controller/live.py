"""Live: event rows written by name, and effect rows read back, for an edge that has people and engines behind it.

The edge writes a row to `state.event`, calls `step`, and reads with `effects_of` what was decided. It keeps both before
it does anything; `feed.feed_and_compare` later proves that the one follows from the other. It grows the state (and
keeps a GROW row that says so) whenever `is_full` says that the next job might find no slot.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from gridhall.controller.events import EVENT_WIDTH, SUBMIT
from gridhall.controller.state import ControllerState
from gridhall.kernel import Ints
from gridhall.scheduling.decisions import EFFECT_WIDTH, PLACE, START

Effect = tuple[int, ...]
"""kind, time_ms, job_id, slot, attempt, a, b, c: the table in `scheduling/decisions.py` says what a, b and c are."""

ANYWHERE = (1 << 60) - 1
"""The mask of all cells that a fleet can have."""


@dataclass(frozen=True, slots=True)
class Submit:
    """A job as the core is told of it; the fields are in the order of the SUBMIT row.

    `project`, `user` and `name` are indexes, `cells` is a mask. Of the constraints (the last four) 0 means free:
    `pack_level` 1 rack, 2 pod, 3 hall, 4 site; at least `min_domains` racks; the gang's nodes in any two of its racks
    differ by at most `max_skew`; `best_effort` 1 = run as usual where that cannot be met now.
    """

    job_id: int
    project: int
    user: int
    name: int
    priority: int = 1
    preemptible: int = 0
    tier: int = 0
    gpus: int = 1
    gpus_per_node: int = 0
    gpu_milli: int = 1000
    cpu_milli: int = 0
    mem_mib: int = 0
    cells: int = ANYWHERE
    limit_ms: int = 0
    power_milli: int = 1000
    checkpoint_ms: int = 0
    checkpoint_cost_ms: int = 0
    deadline_ms: int = 0
    pack_level: int = 0
    min_domains: int = 0
    max_skew: int = 0
    best_effort: int = 0

    def row(self, time_ms: int) -> Ints:
        """The event."""
        return row(SUBMIT, time_ms, *(getattr(self, name) for name in SUBMIT_FIELDS))


SUBMIT_FIELDS = tuple(each.name for each in fields(Submit))


@dataclass(frozen=True, slots=True)
class Started:
    """An attempt that begins. `nodes` are (node, mask of its GPUs), in the order of the gang's ranks."""

    job_id: int
    slot: int
    attempt: int
    cell: int
    nodes: tuple[tuple[int, int], ...]


def row(kind: int, time_ms: int, *fields: int) -> Ints:
    """An event of any kind; fields that are not given are 0."""
    event = np.zeros(EVENT_WIDTH, dtype=np.int64)
    event[: 2 + len(fields)] = (kind, time_ms, *fields)
    return event


def effects_of(w: ControllerState, count: int) -> list[Effect]:
    """The effects of the last step, which returned their number."""
    rows = w.view("effects")[: count * EFFECT_WIDTH].reshape(count, EFFECT_WIDTH).tolist()
    return [tuple(effect) for effect in rows]


def starts_of(effects: Iterable[Effect], rack_node0: Ints) -> list[Started]:
    """The attempts that some effects begin: every START with the PLACE rows behind it.

    `rack_node0` is the first node of each rack, as in the state and in the compiled fleet.
    """
    found: list[tuple[Effect, list[tuple[int, int]]]] = []
    for effect in effects:
        if effect[0] == START:
            found.append((effect, []))
        elif effect[0] == PLACE:
            found[-1][1].extend(_nodes_of(effect, rack_node0))
    return [Started(start[2], start[3], start[4], start[5], tuple(nodes)) for start, nodes in found]


def _nodes_of(place: Sequence[int], rack_node0: Ints) -> Iterable[tuple[int, int]]:
    """The nodes of one PLACE row, lowest first."""
    rest = place[6]
    while rest:
        yield int(rack_node0[place[5]]) + (rest & -rest).bit_length() - 1, place[7]
        rest &= rest - 1


def is_full(w: ControllerState) -> bool:
    """Whether the state must grow before one more job is submitted."""
    return int(w.slots_taken[0]) >= int(w.n_slots[0]) - 1
