"""An attempt comes to its end: the job is done, stopped for others, or lost with a node of its gang."""

from gridhall.controller.events import ENDED, STOPPED
from gridhall.controller.state import ControllerState
from gridhall.controller.swaps import swap_node
from gridhall.kernel import kernel
from gridhall.scheduling.decisions import DONE, N_FAILURE, N_SWAP, S_CANCELLED, S_COMPLETED, S_CRASH_LOOP, emit
from gridhall.scheduling.jobs import RUNNING, STOPPING, drop_slot
from gridhall.scheduling.owners import reason_to_wait, shut_reason
from gridhall.scheduling.pauses import end_pause
from gridhall.scheduling.predictor import learn
from gridhall.scheduling.queue import P_BACKOFF_MS, P_MAX_STUCK, queue_put
from gridhall.scheduling.starts import release


@kernel
def on_attempt(w: ControllerState, kind: int, now_ms: int) -> int:
    """An attempt ended, was stopped or was lost; what is not current any more is passed over.

    Returns cells to look at.
    """
    slot = w.event[2]
    state = w.job_state[slot]
    if (state != RUNNING and state != STOPPING) or w.job_attempt[slot] != w.event[3] or w.job_id[slot] != w.event[6]:
        return 0
    cell = w.job_cell[slot]
    end_pause(w, slot, now_ms)
    if kind == ENDED:
        if w.event[4] == S_COMPLETED:
            learn(w, w.job_user[slot], w.job_name[slot], w.event[5])
        release(w, slot, now_ms)
        finish(w, slot, w.event[4], now_ms)
    elif kind == STOPPED:
        on_stopped(w, slot, now_ms)
    else:
        on_lost(w, slot, now_ms)
    return 1 << cell


@kernel
def on_stopped(w: ControllerState, slot: int, now_ms: int) -> None:
    """A stopped job gives its nodes back and waits for its next turn, or is gone if it was cancelled."""
    cancelled = w.job_plan_ms[slot] < 0
    w.job_saved_ms[slot] = max(w.job_saved_ms[slot], w.event[4])
    release(w, slot, now_ms)
    if cancelled:
        finish(w, slot, S_CANCELLED, now_ms)
    else:
        w.job_reason[slot] = reason_to_wait(w, slot)
        queue_put(w, slot)


@kernel
def on_lost(w: ControllerState, slot: int, now_ms: int) -> None:
    """A gang died with a node: swap the node if a spare is near, else queue again; brake what never gets on."""
    w.decided[N_FAILURE] += 1
    w.job_restarts[slot] += 1
    if w.event[4] > w.job_saved_ms[slot]:
        w.job_stuck[slot] = 0
        w.job_saved_ms[slot] = w.event[4]
    else:
        w.job_stuck[slot] += 1
    if w.job_stuck[slot] > w.policy[P_MAX_STUCK]:
        release(w, slot, now_ms)
        finish(w, slot, S_CRASH_LOOP, now_ms)
    elif may_swap(w, slot) and swap_node(w, slot, now_ms):
        w.decided[N_SWAP] += 1
    else:
        release(w, slot, now_ms)
        if w.job_plan_ms[slot] < 0:
            finish(w, slot, S_CANCELLED, now_ms)
            return
        if w.job_stuck[slot] > 1:
            w.job_not_before_ms[slot] = now_ms + (w.policy[P_BACKOFF_MS] << min(6, w.job_stuck[slot]))
        w.job_reason[slot] = reason_to_wait(w, slot)
        queue_put(w, slot)


@kernel
def may_swap(w: ControllerState, slot: int) -> bool:
    """Whether a lost gang may go on where it stood: on whole nodes, not told to stop, its project not shut."""
    whole = w.job_gpu_mask[slot] == 0 and w.node_shared[w.rack_node0[w.chunk_rack[w.job_chunk[slot] - 1]]] == 0
    return whole and w.job_state[slot] == RUNNING and shut_reason(w, w.job_project[slot]) == 0


@kernel
def finish(w: ControllerState, slot: int, state: int, now_ms: int) -> None:
    """Say DONE and give the slot back."""
    emit(w, DONE, now_ms, w.job_id[slot], slot, w.job_attempt[slot], state, w.job_restarts[slot], 0)
    drop_slot(w, slot)
