"""Attempts of jobs in the simulated world: how far each has got, what it draws, and what was lost when it ends.

With checkpoint interval dt and cost w, an attempt does nothing useful for its start-up time, then alternates dt of
work with w of writing. A failure keeps the work of whole cycles; a wanted stop writes one more checkpoint first.
"""

from gridhall.controller.events import EVENT_WIDTH
from gridhall.engines.twin.meters import add_watts, switch_node
from gridhall.engines.twin.stillness import go_on
from gridhall.engines.twin.world import (
    HORIZON,
    INTERVAL_WIDTH,
    JOB_WIDTH,
    L_CHECKPOINT,
    L_FAILURE,
    L_PREEMPT,
    L_RESTART,
    L_STILL,
    L_UNFINISHED,
    NODE_FAILED,
    PREEMPTED,
    WorldColumns,
)
from gridhall.kernel import count_ones, kernel, trailing_zeros
from gridhall.scheduling.starts import FRESH


@kernel
def accept(v: WorldColumns, row: int, slot: int) -> None:
    """Remember the truth about an arrival in the slot that the core gave it."""
    base = row * EVENT_WIDTH
    v.true_job[slot] = v.in_event[base + 2]
    v.told_project[slot] = v.in_event[base + 3]
    v.told_user[slot] = v.in_event[base + 4]
    v.told_priority[slot] = v.in_event[base + 6]
    v.told_tier[slot] = v.in_event[base + 8]
    v.told_gpus[slot] = v.in_event[base + 9]
    v.told_submit_ms[slot] = v.in_event[base + 1]
    v.true_power_milli[slot] = v.in_event[base + 16]
    v.true_gpu_milli[slot] = v.in_event[base + 11]
    v.true_checkpoint_ms[slot] = v.in_event[base + 17]
    v.true_cost_ms[slot] = v.in_event[base + 18]
    v.true_total_ms[slot] = max(1, v.in_duration_ms[row])
    v.true_outcome[slot] = v.in_outcome[row]
    v.true_saved_ms[slot] = 0
    v.true_attempt[slot] = 0
    v.true_running[slot] = 0
    v.true_chunk[slot] = 0
    v.true_cell[slot] = -1
    v.sum_first_ms[slot] = 0
    v.sum_allocated[slot] = 0
    v.sum_work[slot] = 0
    v.sum_restarts[slot] = 0
    v.sum_preemptions[slot] = 0
    v.sum_wms[slot] = 0
    v.sum_joules[slot] = 0
    v.last_racks[slot] = 0
    v.last_level[slot] = 0


@kernel
def saved_at(v: WorldColumns, slot: int, time_ms: int, wanted: bool) -> int:
    """Work in ms that survives if the attempt stops now: whole cycles, and the current one when the stop was wanted."""
    saved = v.true_saved_ms[slot]
    until_ms = v.true_still_ms[slot] if v.true_still_ms[slot] > 0 else time_ms
    ran = until_ms - v.true_begin_ms[slot]
    interval = v.true_checkpoint_ms[slot]
    if ran <= 0 or interval <= 0:
        return saved
    cycle = interval + v.true_cost_ms[slot]
    whole = ran // cycle
    saved += whole * interval
    if wanted:
        saved += min(interval, ran - whole * cycle)
    return min(saved, v.true_total_ms[slot])


@kernel
def end_of_work(v: WorldColumns, slot: int) -> int:
    """When the attempt will be done if nothing happens: the rest of the work and the checkpoints within it."""
    rest = v.true_total_ms[slot] - v.true_saved_ms[slot]
    interval = v.true_checkpoint_ms[slot]
    writes = (rest - 1) // interval if interval > 0 else 0
    return v.true_begin_ms[slot] + rest + writes * v.true_cost_ms[slot]


@kernel
def open_attempt(v: WorldColumns, slot: int, attempt: int, cell: int, nodes: int, cause: int, time_ms: int) -> None:
    """An attempt starts; its racks follow piece by piece."""
    v.true_attempt[slot] = attempt
    v.true_running[slot] = 1
    v.true_cell[slot] = cell
    v.true_nodes[slot] = nodes
    v.true_start_ms[slot] = time_ms
    delay = v.start_delay_ms[0] if cause == FRESH else v.restart_delay_ms[0]
    v.true_begin_ms[slot] = time_ms + delay
    v.true_still_ms[slot] = 0
    v.true_stood_ms[slot] = 0
    if v.sum_first_ms[slot] == 0:
        v.sum_first_ms[slot] = time_ms
    gpus = min(v.told_gpus[slot], v.cell_gpus[cell])
    if nodes > 1:
        gpus = v.cell_gpus[cell]
    v.true_gpus[slot] = 0
    charged = gpus * v.true_gpu_milli[slot] * v.cell_span_w[cell] * v.true_power_milli[slot] // 1000000
    v.true_node_w[slot] = charged * v.draw_milli[0] // 1000
    v.true_why[slot] = HORIZON
    v.true_new_saved_ms[slot] = v.true_saved_ms[slot]
    v.last_racks[slot] = 0


@kernel
def open_piece(v: WorldColumns, slot: int, rack: int, mask: int, gpu_mask: int, time_ms: int) -> None:
    """One rack of an attempt: its nodes work for it from now on."""
    place = v.piece_free[0] - 1
    v.piece_free[0] = v.piece_next[place]
    v.piece_rack[place] = rack
    v.piece_mask[place] = mask
    v.piece_next[place] = v.true_chunk[slot]
    v.true_chunk[slot] = place + 1
    v.last_racks[slot] += 1
    v.true_gpus[slot] += count_ones(mask) * count_ones(gpu_mask)
    add_watts(v, rack, count_ones(mask) * v.true_node_w[slot], time_ms)
    whole = count_ones(gpu_mask) == v.cell_gpus[v.cell_of_rack[rack]] and v.true_gpu_milli[slot] == 1000
    rest = mask
    while rest != 0:
        node = v.rack_first_node[rack] + trailing_zeros(rest)
        rest &= rest - 1
        work_on(v, node, 1, time_ms)
        if whole:
            v.node_slot[node] = slot + 1


@kernel
def work_on(v: WorldColumns, node: int, attempts: int, time_ms: int) -> None:
    """A node works for one attempt more or less; a retired one is off when it works for none."""
    v.node_jobs[node] += attempts
    if v.node_gone[node] == 1 and v.node_jobs[node] == (1 if attempts > 0 else 0):
        v.cell_ready_nodes[v.cell_of_rack[v.rack_of_node[node]]] += attempts
        switch_node(v, node, v.node_jobs[node], time_ms)


@kernel
def close_pieces(v: WorldColumns, slot: int, time_ms: int) -> None:
    """The attempt's nodes fall idle."""
    at = v.true_chunk[slot]
    while at != 0:
        rack = v.piece_rack[at - 1]
        mask = v.piece_mask[at - 1]
        add_watts(v, rack, -count_ones(mask) * v.true_node_w[slot], time_ms)
        rest = mask
        while rest != 0:
            node = v.rack_first_node[rack] + trailing_zeros(rest)
            rest &= rest - 1
            work_on(v, node, -1, time_ms)
            if v.node_slot[node] == slot + 1:
                v.node_slot[node] = 0
        following = v.piece_next[at - 1]
        v.piece_next[at - 1] = v.piece_free[0]
        v.piece_free[0] = at
        at = following
    v.true_chunk[slot] = 0


@kernel
def close_attempt(v: WorldColumns, slot: int, time_ms: int) -> None:
    """The attempt's nodes are taken back: account for its time and energy, and write its interval."""
    why = v.true_why[slot]
    nodes = v.true_nodes[slot]
    gpus = v.true_gpus[slot]
    span = time_ms - v.true_start_ms[slot]
    if v.true_still_ms[slot] > 0:
        go_on(v, slot, time_ms)
    close_pieces(v, slot, time_ms)
    v.true_running[slot] = 0
    cell = v.true_cell[slot]
    milli = gpus * v.true_gpu_milli[slot]
    idle = v.cell_idle_w[cell] * milli // (1000 * v.cell_gpus[cell])
    joules = joules_of(v, slot, nodes * v.true_node_w[slot] * (span - v.true_stood_ms[slot]) + idle * span)
    work = v.true_new_saved_ms[slot] - v.true_saved_ms[slot]
    v.true_saved_ms[slot] = v.true_new_saved_ms[slot]
    account(v, slot, milli, span, work, why)
    base = v.out_count[1] * INTERVAL_WIDTH
    v.out_count[1] += 1
    v.out_intervals[base] = v.true_job[slot]
    v.out_intervals[base + 1] = v.true_attempt[slot]
    v.out_intervals[base + 2] = v.told_project[slot]
    v.out_intervals[base + 3] = v.sites_of_cells[cell]
    v.out_intervals[base + 4] = v.hw_of_cells[cell]
    v.out_intervals[base + 5] = gpus
    v.out_intervals[base + 6] = v.true_start_ms[slot]
    v.out_intervals[base + 7] = time_ms
    v.out_intervals[base + 8] = why
    v.out_intervals[base + 9] = joules
    v.out_intervals[base + 10] = v.true_gpu_milli[slot]


@kernel
def joules_of(v: WorldColumns, slot: int, wms: int) -> int:
    """Whole joules of an attempt's watts x ms; the remainder goes on to the job's next one."""
    total = v.sum_wms[slot] + wms
    joules = total // 1000
    v.sum_wms[slot] = total - joules * 1000
    v.sum_joules[slot] += joules
    v.job_joules[0] += joules
    return joules


@kernel
def account(v: WorldColumns, slot: int, milli: int, span_ms: int, work_ms: int, why: int) -> None:
    """Split an attempt's GPU time: useful work, start-up, checkpoint writing, standing still, and what its end wasted.

    `milli` is its size in 1/1000 GPU; the parts add up to the whole.
    """
    allocated = milli * span_ms // 1000
    work = milli * work_ms // 1000
    v.sum_allocated[slot] += allocated
    v.sum_work[slot] += work
    v.allocated_gpu_ms[0] += allocated
    v.work_gpu_ms[0] += work
    goes_ms = span_ms - v.true_stood_ms[slot]
    delay_ms = min(goes_ms, v.true_begin_ms[slot] - v.true_start_ms[slot] - v.true_stood_ms[slot])
    writing_ms = 0
    interval = v.true_checkpoint_ms[slot]
    if interval > 0:
        writing_ms = max(0, min(goes_ms - delay_ms - work_ms, work_ms // interval * v.true_cost_ms[slot]))
    delay = milli * delay_ms // 1000
    writing = milli * writing_ms // 1000
    v.lost_gpu_ms[L_RESTART] += delay
    still = allocated - milli * goes_ms // 1000
    rest = allocated - work - delay - writing - still
    place = L_CHECKPOINT
    if why == NODE_FAILED:
        place = L_FAILURE
    elif why == PREEMPTED:
        place = L_PREEMPT
    elif why == HORIZON:
        place = L_UNFINISHED
    v.lost_gpu_ms[L_CHECKPOINT] += writing
    v.lost_gpu_ms[L_STILL] += still
    v.lost_gpu_ms[place] += rest


@kernel
def write_job(v: WorldColumns, slot: int, state: int, reason: int, time_ms: int) -> None:
    """One row of the jobs table."""
    base = v.out_count[0] * JOB_WIDTH
    v.out_count[0] += 1
    v.state_jobs[state] += 1
    cell = v.true_cell[slot]
    v.out_jobs[base] = v.true_job[slot]
    v.out_jobs[base + 1] = v.told_project[slot]
    v.out_jobs[base + 2] = v.told_user[slot]
    v.out_jobs[base + 3] = v.told_priority[slot]
    v.out_jobs[base + 4] = v.told_tier[slot]
    v.out_jobs[base + 5] = v.told_gpus[slot]
    v.out_jobs[base + 6] = v.true_nodes[slot] if cell >= 0 else 0
    v.out_jobs[base + 7] = v.last_racks[slot]
    v.out_jobs[base + 8] = v.last_level[slot]
    v.out_jobs[base + 9] = v.sites_of_cells[cell] if cell >= 0 else -1
    v.out_jobs[base + 10] = v.hw_of_cells[cell] if cell >= 0 else -1
    v.out_jobs[base + 11] = v.told_submit_ms[slot]
    v.out_jobs[base + 12] = v.sum_first_ms[slot]
    v.out_jobs[base + 13] = time_ms
    v.out_jobs[base + 14] = v.sum_allocated[slot]
    v.out_jobs[base + 15] = v.sum_work[slot]
    v.out_jobs[base + 16] = v.sum_allocated[slot] - v.sum_work[slot]
    v.out_jobs[base + 17] = v.sum_restarts[slot]
    v.out_jobs[base + 18] = v.sum_preemptions[slot]
    v.out_jobs[base + 19] = state
    v.out_jobs[base + 20] = reason
    v.out_jobs[base + 21] = v.sum_joules[slot]
