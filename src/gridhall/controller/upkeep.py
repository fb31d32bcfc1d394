"""Nodes that join, leave or are cordoned, and what time alone changes: fair share, late predictions, slipped holds."""

from gridhall.controller.desk import keep_to_targets
from gridhall.controller.events import DRAIN, NODE_DOWN, NODE_UP
from gridhall.controller.state import ControllerState
from gridhall.fleet.capacity import join, leave_if_idle, refresh_node, set_node_up, takes_work
from gridhall.kernel import kernel
from gridhall.scheduling.advance import begin_and_end_reservations, lose_reserved
from gridhall.scheduling.decisions import WHY_DRAIN, WHY_PREEMPTED
from gridhall.scheduling.granting import complete_hold
from gridhall.scheduling.holds import FOR_PROJECT, FOR_URGENT, HOLDS, hold_ready
from gridhall.scheduling.jobs import RUNNING
from gridhall.scheduling.planning import plan_again
from gridhall.scheduling.queue import P_FAIR_GRID_MS, P_OVERRUN_MS, P_TICK_MS, fair_refresh, queue_sort
from gridhall.scheduling.sharing import pool_set_up
from gridhall.scheduling.starts import NOTHING_REFUSED, refresh_ends
from gridhall.scheduling.stopping import hold_is_stoppable, stop_for_hold, tell_to_stop


@kernel
def on_node(w: ControllerState, kind: int, node: int, now_ms: int) -> int:
    """A node joins, is lost, or is retired. Gangs on a lost node are told by their own LOST events.

    Returns cells to look at.
    """
    if kind == NODE_UP:
        join(w, node)
    elif kind == NODE_DOWN:
        set_node_up(w, node, 0)
    else:
        w.node_out[node] = 1
        leave_if_idle(w, node)
    cells = node_changed(w, node, now_ms)
    if kind == NODE_UP:
        cells |= keep_to_targets(w, now_ms)
    return cells


@kernel
def on_cordon(w: ControllerState, kind: int, node: int, cordoned: int, now_ms: int) -> int:
    """A node takes no new work, or takes it again; if it is drained, all that runs on it is told to stop.

    Returns cells to look at.
    """
    w.node_cordoned[node] = 1 if kind == DRAIN else cordoned
    cells = node_changed(w, node, now_ms)
    for slot in range(w.n_slots[0] if kind == DRAIN else 0):
        if w.job_state[slot] == RUNNING and runs_on(w, slot, node):
            tell_to_stop(w, slot, WHY_DRAIN, now_ms)
    return cells


@kernel
def runs_on(w: ControllerState, slot: int, node: int) -> bool:
    """Whether a job has a node, or a part of it."""
    rack = w.node_rack[node]
    bit = 1 << (node - w.rack_node0[rack])
    at = w.job_chunk[slot]
    while at != 0:
        if w.chunk_rack[at - 1] == rack and w.chunk_mask[at - 1] & bit != 0:
            return True
        at = w.chunk_next[at - 1]
    return False


@kernel
def node_changed(w: ControllerState, node: int, now_ms: int) -> int:
    """A node begins or ceases to take work: its cell is to be looked at, or a hold on it moves."""
    refresh_node(w, node)
    takes = takes_work(w, node)
    if w.node_shared[node] == 1:
        pool_set_up(w, w.pool_of_node[node], 1 if takes else 0)
        w.shared_refused_milli[0] = NOTHING_REFUSED
    if takes:
        return 1 << w.rack_cell[w.node_rack[node]]
    hold = w.node_hold[node] - 1
    if hold >= 0 and w.hold_kind[hold] == FOR_PROJECT:
        lose_reserved(w, hold, node, now_ms)
    elif hold >= 0:
        plan_again(w, hold, now_ms)
    return 0


@kernel
def on_tick(w: ControllerState, now_ms: int) -> int:
    """What time alone changes: fair share, late predictions, holds that slipped, reservations that begin.

    Returns cells to look at.
    """
    cells = 0
    if 0 < w.desk_wake_ms[0] <= now_ms:
        w.desk_wake_ms[0] = 0
        cells = keep_to_targets(w, now_ms)
    if w.wake_ms[0] > now_ms:
        return cells
    w.wake_ms[0] = 0
    w.shared_refused_milli[0] = NOTHING_REFUSED
    if now_ms >= w.fair_next_ms[0]:
        grid = w.policy[P_FAIR_GRID_MS]
        w.fair_next_ms[0] = (now_ms // grid + 1) * grid
        fair_refresh(w, w.n_projects[0], w.n_organisations[0], now_ms)
        extend_late(w, now_ms)
        queue_sort(w)
    begin_and_end_reservations(w, now_ms)
    review_holds(w, now_ms)
    return w.all_cells[0]


@kernel
def extend_late(w: ControllerState, now_ms: int) -> None:
    """Work that runs past its predicted end is expected to run half as long again as it has, and a least time more."""
    for slot in range(w.n_slots[0]):
        if w.job_state[slot] != RUNNING:
            continue
        ran = now_ms - w.job_start_ms[slot]
        if ran + w.job_saved_ms[slot] < w.job_high_ms[slot]:
            continue
        w.job_high_ms[slot] = w.job_saved_ms[slot] + ran + max(w.policy[P_OVERRUN_MS], ran // 2)
        refresh_ends(w, w.job_chunk[slot])


@kernel
def review_holds(w: ControllerState, now_ms: int) -> None:
    """Stop what is stoppable once nothing else is in a hold's way; plan holds anew whose time has passed."""
    for hold in range(HOLDS):
        kind = w.hold_kind[hold]
        if kind == 0 or kind == FOR_PROJECT or hold_ready(w, hold):
            continue
        slot = w.hold_slot[hold] - 1
        if complete_hold(w, hold, now_ms):
            continue
        if hold_is_stoppable(w, hold, w.job_priority[slot], now_ms):
            stop_for_hold(w, hold, w.job_priority[slot], now_ms, WHY_PREEMPTED)
            w.hold_kind[hold] = FOR_URGENT
            w.hold_at_ms[hold] = now_ms + w.policy[P_OVERRUN_MS]
        elif w.hold_at_ms[hold] + w.policy[P_TICK_MS] < now_ms:
            plan_again(w, hold, now_ms)
