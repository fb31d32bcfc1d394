"""Stopping pre-emptible work on held nodes for the gang that the hold is for."""

from gridhall.fleet.arrays import MAX_GPUS_PER_NODE
from gridhall.fleet.capacity import NEVER_MS
from gridhall.kernel import kernel, trailing_zeros
from gridhall.scheduling.decisions import N_PREEMPT, STOP, emit
from gridhall.scheduling.jobs import STOPPING
from gridhall.scheduling.owners import StartColumns
from gridhall.scheduling.pauses import end_pause
from gridhall.scheduling.planning import stop_cost_ms


@kernel
def stop_for_hold(w: StartColumns, hold: int, priority: int, now_ms: int, why: int) -> None:
    """Tell the pre-emptible work on a hold's nodes to stop."""
    at = w.hold_chunk[hold]
    while at != 0:
        rack = w.chunk_rack[at - 1]
        rest = w.chunk_mask[at - 1] & ~w.rack_free[rack]
        while rest != 0:
            node = w.rack_node0[rack] + trailing_zeros(rest)
            rest &= rest - 1
            if w.node_job[node] != 0:
                stop_job(w, w.node_job[node] - 1, priority, now_ms, why)
            else:
                for gpu in range(w.cell_gpus_per_node[w.rack_cell[rack]]):
                    holder = w.gpu_job[node * MAX_GPUS_PER_NODE + gpu]
                    if holder != 0:
                        stop_job(w, holder - 1, priority, now_ms, why)
        at = w.chunk_next[at - 1]


@kernel
def stop_job(w: StartColumns, slot: int, priority: int, now_ms: int, why: int) -> None:
    """Tell one running job to write its checkpoint and stop, if it may be stopped."""
    cost = stop_cost_ms(w, slot, priority, now_ms)
    if cost >= NEVER_MS:
        return
    w.decided[N_PREEMPT] += 1
    tell_to_stop(w, slot, why, now_ms)


@kernel
def tell_to_stop(w: StartColumns, slot: int, why: int, now_ms: int) -> None:
    """Tell a gang to write its checkpoint and stop; it does not stand still any more."""
    w.job_state[slot] = STOPPING
    end_pause(w, slot, now_ms)
    emit(w, STOP, now_ms, w.job_id[slot], slot, w.job_attempt[slot], why, 0, 0)


@kernel
def hold_is_stoppable(w: StartColumns, hold: int, priority: int, now_ms: int) -> bool:
    """Whether only work that may be stopped for it is left on a hold's nodes."""
    at = w.hold_chunk[hold]
    while at != 0:
        rack = w.chunk_rack[at - 1]
        rest = w.chunk_mask[at - 1] & ~w.rack_free[rack]
        while rest != 0:
            if not node_is_stoppable(w, w.rack_node0[rack] + trailing_zeros(rest), priority, now_ms):
                return False
            rest &= rest - 1
        at = w.chunk_next[at - 1]
    return True


@kernel
def node_is_stoppable(w: StartColumns, node: int, priority: int, now_ms: int) -> bool:
    """Whether a node has work, and none that may not be stopped."""
    if w.node_job[node] != 0:
        return stop_cost_ms(w, w.node_job[node] - 1, priority, now_ms) < NEVER_MS
    for gpu in range(w.cell_gpus_per_node[w.rack_cell[w.node_rack[node]]]):
        holder = w.gpu_job[node * MAX_GPUS_PER_NODE + gpu]
        if holder != 0 and stop_cost_ms(w, holder - 1, priority, now_ms) >= NEVER_MS:
            return False
    return w.node_used[node] > 0
