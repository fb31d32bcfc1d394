"""Why does a job wait, and when could it start? Computed when somebody asks; the state is not touched.

A promise is what is known now: the time of the job's hold, or else the soonest that a plan finds if everything that
runs ends as predicted and nothing that came later goes ahead. A plan writes scratch columns only. It binds nobody:
failures, late work and higher priorities move it.
"""

from dataclasses import dataclass
from typing import Literal

from gridhall.controller.state import ControllerState
from gridhall.fleet.capacity import NEVER_MS
from gridhall.kernel import kernel, state_cast
from gridhall.scheduling.decisions import N_PLANS
from gridhall.scheduling.holds import nodes_in
from gridhall.scheduling.jobs import (
    QUEUED,
    R_BUDGET,
    R_CLOSED,
    R_NONE,
    R_NOT_READY,
    R_QUOTA,
    R_UNCONSIDERED,
    REASONS,
)
from gridhall.scheduling.planning import HORIZON_MS, plan_gang, time_for
from gridhall.scheduling.tries import barred

Basis = Literal["hold", "plan", "back-off", "none"]


@dataclass(frozen=True)
class Promise:
    """Why a job waits, in words, and the earliest start it can be promised.

    `start_ms` (ms UTC) is None where nothing can be said: its owners' limits or its sites decide, it asks for a share
    of a GPU or to be spread over racks, or no place is foreseen within the planning horizon. `basis` says what the
    time rests on.
    """

    job_id: int
    reason: int
    words: str
    start_ms: int | None
    basis: Basis


def promise(w: ControllerState, slot: int, now_ms: int) -> Promise:
    """The promise for the job in a slot. Raises ValueError where no job waits in it."""
    if not 0 <= slot < int(w.n_slots[0]) or w.job_state[slot] != QUEUED:
        raise ValueError(f"no job waits in slot {slot}")
    reason = int(reason_now(w.handle, slot, now_ms))
    start_ms, basis = _earliest(w, slot, reason, now_ms)
    return Promise(int(w.job_id[slot]), reason, REASONS[reason], start_ms, basis)


def _earliest(w: ControllerState, slot: int, reason: int, now_ms: int) -> tuple[int | None, Basis]:
    not_before_ms = int(w.job_not_before_ms[slot])
    hold = int(w.job_hold[slot]) - 1
    if hold >= 0:
        return max(now_ms, int(w.hold_at_ms[hold])), "hold"
    if reason in (R_QUOTA, R_NOT_READY, R_CLOSED, R_BUDGET) or w.job_gpu_milli[slot] < 1000:
        return None, "none"
    if w.job_best_effort[slot] == 0 and (w.job_min_domains[slot] > 1 or w.job_max_skew[slot] > 0):
        return None, "none"
    plans = int(w.decided[N_PLANS])
    planned_ms = int(plan_start(w.handle, slot, now_ms))
    w.decided[N_PLANS] = plans  # a plan that was only asked for counts for nothing
    if planned_ms >= NEVER_MS:
        return None, "none"
    if not_before_ms > planned_ms:
        return not_before_ms, "back-off"
    return planned_ms, "plan"


as_controller = state_cast(ControllerState)


@kernel
def soonest_ms(w: ControllerState, slot: int, now_ms: int) -> int:
    """When whole nodes for the job are expected to be free with nobody stopped for it; NEVER_MS when not foreseen."""
    bound_ms = now_ms + HORIZON_MS
    cell = plan_gang(w, slot, w.job_cells[slot], 0, now_ms, bound_ms)
    if cell < 0:
        return NEVER_MS
    nodes = nodes_in(w, cell, w.job_gpus[slot])
    return time_for(w, w.plan_rack0[0], w.plan_rack1[0], nodes, now_ms, bound_ms)


@kernel
def plan_start(address: int, slot: int, now_ms: int) -> int:
    """Entry for Python: `soonest_ms` on a handle."""
    return soonest_ms(as_controller(address), slot, now_ms)


@kernel
def binding_reason(w: ControllerState, slot: int, now_ms: int) -> int:
    """Back-off and quota as they are now, else what the last look at the job found: it may be long ago."""
    reason = barred(w, slot, now_ms)
    if w.job_hold[slot] != 0 or reason == 0:
        reason = w.job_reason[slot]
    return R_UNCONSIDERED if reason == R_NONE else reason


@kernel
def reason_now(address: int, slot: int, now_ms: int) -> int:
    """Entry for Python: `binding_reason` on a handle."""
    return binding_reason(as_controller(address), slot, now_ms)
