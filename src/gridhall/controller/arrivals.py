"""A job is submitted or cancelled: refused if it can never run, else started at once or queued."""

from gridhall.controller.attempts import finish
from gridhall.controller.state import ControllerState
from gridhall.kernel import kernel, trailing_zeros
from gridhall.scheduling.constraints import could_ever_meet, must_meet
from gridhall.scheduling.decisions import ACCEPT, N_PLACES, N_QUOTA, REFUSE, S_CANCELLED, WHY_CANCELLED, emit
from gridhall.scheduling.granting import consider_hold
from gridhall.scheduling.holds import drop_hold, nodes_in
from gridhall.scheduling.jobs import (
    QUEUED,
    R_CLOSED,
    R_NEVER_MET,
    R_PLACES,
    R_QUOTA,
    RUNNING,
    STOPPING,
    drop_slot,
    take_slot,
)
from gridhall.scheduling.owners import (
    charged_gpus,
    least_gpus,
    least_gpus_in,
    shared_gpus,
    shared_watts,
    shut_reason,
    watts_per_node,
)
from gridhall.scheduling.predictor import predict
from gridhall.scheduling.queue import P_HIGH_MILLI, P_HOLD_DEPTH, P_MEDIAN_MILLI, queue_drop, queue_find, queue_put
from gridhall.scheduling.stopping import tell_to_stop
from gridhall.scheduling.tries import try_start
from gridhall.tenancy.ceilings import ceilings_ever_bear


@kernel
def cells_that_could(w: ControllerState, cells: int, gpus: int, gpus_per_node: int, gpu_milli: int) -> int:
    """The cells of a mask that could hold the gang if they were empty and complete."""
    could = 0
    rest = cells & w.all_cells[0]
    while rest != 0:
        cell = trailing_zeros(rest)
        rest &= rest - 1
        per_node = w.cell_gpus_per_node[cell]
        in_pool = gpus <= per_node and w.cell_shared_nodes[cell] > 0
        as_gang = gpu_milli == 1000 and nodes_in(w, cell, gpus) <= w.cell_nodes_all[cell]
        if gpus_per_node <= per_node and (in_pool or as_gang):
            could |= 1 << cell
    return could


@kernel
def on_submit(w: ControllerState, now_ms: int) -> None:
    """Refuse what can never run, else give it a slot and try to start it at once."""
    slot = take_slot(w, w.n_slots[0])
    cells = cells_that_could(w, w.event[14], w.event[9], w.event[10], w.event[11])
    fill_slot(w, slot, cells, now_ms)
    reason = reason_to_refuse(w, slot)
    if reason != 0:
        drop_slot(w, slot)
        emit(w, REFUSE, now_ms, w.event[2], 0, 0, reason, 0, 0)
        return
    emit(w, ACCEPT, now_ms, w.job_id[slot], slot, 0, 0, 0, 0)
    reason = try_start(w, slot, w.job_cells[slot], now_ms)
    if reason != 0:
        w.job_reason[slot] = reason
        if queue_put(w, slot) < w.policy[P_HOLD_DEPTH]:
            consider_hold(w, slot, reason, now_ms)


@kernel
def reason_to_refuse(w: ControllerState, slot: int) -> int:
    """Why a job could never run, as things are set; 0 when it could."""
    project = w.job_project[slot]
    if w.job_cells[slot] == 0:
        w.decided[N_PLACES] += 1
        return R_PLACES
    if shut_reason(w, project) == R_CLOSED:
        return R_CLOSED
    if must_meet(w, slot):
        w.job_cells[slot] = cells_that_meet(w, slot)
        if w.job_cells[slot] == 0:
            return R_NEVER_MET
        w.job_least_gpus[slot] = least_gpus(w, slot)
    if not ever_allowed(w, slot):
        w.decided[N_QUOTA] += 1
        return R_QUOTA
    return 0


@kernel
def cells_that_meet(w: ControllerState, slot: int) -> int:
    """The cells of a job that could meet its placement constraint if they were empty and complete."""
    met = 0
    rest = w.job_cells[slot]
    while rest != 0:
        cell = trailing_zeros(rest)
        rest &= rest - 1
        per_node = w.cell_gpus_per_node[cell]
        gpus = charged_gpus(w, slot, cell)
        shares = w.cell_shared_nodes[cell] > 0 and w.job_gpus[slot] <= per_node
        part = gpus < per_node or w.job_gpu_milli[slot] < 1000
        on_one_node = (part or shares) and w.job_min_domains[slot] <= 1
        if on_one_node or (not part and could_ever_meet(w, slot, cell, nodes_in(w, cell, gpus))):
            met |= 1 << cell
    return met


@kernel
def ever_allowed(w: ControllerState, slot: int) -> bool:
    """Whether quota and ceilings of the job's owners would allow it in any of its cells if nothing else ran."""
    node = w.quota_project0[0] + w.job_project[slot]
    rest = w.job_cells[slot]
    while rest != 0:
        cell = trailing_zeros(rest)
        rest &= rest - 1
        gpus = charged_gpus(w, slot, cell)
        watts = max(1, gpus // w.cell_gpus_per_node[cell]) * watts_per_node(w, slot, cell)
        if w.job_gpu_milli[slot] < 1000:
            gpus = shared_gpus(w, slot)
            watts = shared_watts(w, slot, cell)
        fits = least_gpus_in(w, slot, cell) <= w.quota_most[node]
        if fits and ceilings_ever_bear(w, node, w.cell_hw[cell], gpus, watts):
            return True
    return False


@kernel
def fill_slot(w: ControllerState, slot: int, cells: int, now_ms: int) -> None:
    """Write a submitted job into its slot and predict its run time."""
    w.job_state[slot] = QUEUED
    w.job_id[slot] = w.event[2]
    w.job_project[slot] = w.event[3]
    w.job_user[slot] = w.event[4]
    w.job_name[slot] = w.event[5]
    w.job_priority[slot] = min(3, max(0, w.event[6]))
    w.job_preemptible[slot] = w.event[7]
    w.job_tier[slot] = w.event[8]
    w.job_gpus[slot] = w.event[9]
    w.job_gpus_per_node[slot] = w.event[10]
    w.job_gpu_milli[slot] = w.event[11]
    w.job_cpu_milli[slot] = w.event[12]
    w.job_mem_mib[slot] = w.event[13]
    w.job_cells[slot] = cells
    w.job_limit_ms[slot] = w.event[15]
    w.job_power_milli[slot] = w.event[16]
    w.job_checkpoint_ms[slot] = w.event[17]
    w.job_checkpoint_cost_ms[slot] = w.event[18]
    w.job_deadline_ms[slot] = w.event[19]
    w.job_pack_level[slot] = min(4, max(0, w.event[20]))
    w.job_min_domains[slot] = max(0, w.event[21])
    w.job_max_skew[slot] = max(0, w.event[22])
    w.job_best_effort[slot] = w.event[23]
    w.job_submit_ms[slot] = now_ms
    w.job_hold[slot] = 0
    w.job_plan_ms[slot] = 0
    w.job_not_before_ms[slot] = 0
    w.job_attempt[slot] = 0
    w.job_restarts[slot] = 0
    w.job_stuck[slot] = 0
    w.job_saved_ms[slot] = 0
    w.job_chunk[slot] = 0
    w.job_gpu_mask[slot] = 0
    w.job_still[slot] = 0
    w.job_still_ms[slot] = 0
    w.job_lost_ms[slot] = 0
    w.job_least_gpus[slot] = least_gpus(w, slot)
    user = w.job_user[slot]
    name = w.job_name[slot]
    w.job_median_ms[slot] = predict(w, user, name, w.job_limit_ms[slot], w.policy[P_MEDIAN_MILLI])
    w.job_high_ms[slot] = predict(w, user, name, w.job_limit_ms[slot], w.policy[P_HIGH_MILLI])


@kernel
def on_cancel(w: ControllerState, slot: int, job: int, now_ms: int) -> None:
    """Drop a waiting job; tell a running one to stop."""
    if w.job_id[slot] != job:
        return
    if w.job_state[slot] == QUEUED:
        leave_queue(w, slot)
        finish(w, slot, S_CANCELLED, now_ms)
    elif w.job_state[slot] == RUNNING or w.job_state[slot] == STOPPING:
        w.job_plan_ms[slot] = -1
        tell_to_stop(w, slot, WHY_CANCELLED, now_ms)


@kernel
def leave_queue(w: ControllerState, slot: int) -> None:
    """Take a waiting job out of the queue, and its hold with it."""
    queue_drop(w, queue_find(w, slot, w.job_key[slot]))
    if w.job_hold[slot] != 0:
        drop_hold(w, w.job_hold[slot] - 1)
