"""The compiled `step` and the reference, fed the same events and compared after each."""

from collections.abc import Sequence

from gridhall.controller import events as ev
from gridhall.controller.state import ControllerState, Room, grow_state, new_state
from gridhall.controller.step import step as compiled_step
from gridhall.scheduling.decisions import EFFECT_WIDTH, RELEASE, START
from tests.oracle import invariants, reference
from tests.oracle.cases import Case


class Pair:
    """Both cores in the same state."""

    def __init__(self, case: Case, slots: int = 16) -> None:
        room = Room(len(case.tenancy.organisations) + 1, len(case.tenancy.projects) + 2)
        self.w = new_state(case.fleet, case.tenancy, case.policy, slots, room=room)
        self.s = reference.new_reference(case.fleet, case.tenancy, case.policy, (room.organisations, room.projects))
        self.open: dict[int, tuple[int, int]] = {}
        self.interval_gpu_ms = 0
        self.allocated_gpu_ms = 0

    def step(self, event: Sequence[int]) -> list[tuple[int, ...]]:
        """The effects of one event, the same from both, with every invariant checked."""
        self.grow_or_fork()
        before_w = [self.s.committed_w(power) for power in range(len(self.s.limit_w))]
        before_ms = self.s.now_ms
        before_use = invariants.ceiling_use(self.s)
        was_here = event[0] == ev.NODE_UP and self.s.nodes[event[2]].here
        gpus = int(self.w.view("cell_used_gpus").sum())
        expected = reference.step(self.s, event)
        effects = run_compiled(self.w, event)
        assert effects == expected, f"{ev.EVENT_NAMES[event[0]]} {event}: {effects} where {expected} is right"
        invariants.check(self.w, self.s)
        joins = event[0] == ev.NODE_UP and not was_here
        idle_w = max(cell.node_idle_w for cell in self.s.cells) if joins else 0
        invariants.within_limits(self.s, before_w, idle_w)
        invariants.within_ceilings(self.s, before_use)
        self.allocated_gpu_ms += gpus * (self.s.now_ms - before_ms)
        self.read_intervals(effects)
        return effects

    def grow_or_fork(self) -> None:
        """Make room before the last slot is taken; else go on with a copy, at times. Neither changes a decision."""
        slots = self.w.sizes["slots"]
        if len(self.s.jobs) >= slots - 1:
            self.w = grow_state(self.w, 2 * slots)
        elif len(self.s.jobs) % 8 == 7:
            self.w = self.w.fork()

    def read_intervals(self, effects: list[tuple[int, ...]]) -> None:
        """GPU time is conserved: intervals from START to RELEASE are what was allocated meanwhile."""
        for kind, time_ms, _, slot, _, a, b, c in effects:
            if kind == RELEASE:
                start_ms, gpus = self.open.pop(slot)
                self.interval_gpu_ms += (time_ms - start_ms) * gpus
            elif kind == START and c % 8 != 2:
                job = self.s.jobs.get(slot)
                assert slot not in self.open
                assert job is not None
                self.open[slot] = time_ms, job.charged
                assert (a, b) == (job.cell, len(job.nodes()))
        still_open = sum((self.s.now_ms - start_ms) * gpus for start_ms, gpus in self.open.values())
        assert self.interval_gpu_ms + still_open == self.allocated_gpu_ms


def run_compiled(w: ControllerState, event: Sequence[int]) -> list[tuple[int, ...]]:
    """One event through the compiled core."""
    w.event[:] = 0
    w.event[: len(event)] = list(event)
    count = compiled_step(w.handle)
    rows = w.view("effects")[: count * EFFECT_WIDTH].reshape(count, EFFECT_WIDTH).tolist()
    return [tuple(row) for row in rows]
