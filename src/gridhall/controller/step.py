"""The one contract: `step(state, event) -> effects`.

`step_event` is the compiled core: it takes the row in `w.event` and leaves its effects in `w.effects`. It reads no
clock, file or random source; time and chance come in the event. Live, twin and replay all call it.
"""

from gridhall.controller.events import (
    CANCEL,
    ENDED,
    LIMIT,
    LOST,
    NODE_DOWN,
    NODE_OUT,
    NODE_UP,
    RESERVE,
    STOPPED,
    SUBMIT,
    TICK,
)
from gridhall.controller.state import ControllerState
from gridhall.fleet.capacity import (
    commit_watts,
    give_nodes,
    open_racks,
    refresh_node,
    set_node_up,
    take_nodes,
    watts_left,
)
from gridhall.kernel import count_ones, kernel, state_cast, trailing_zeros
from gridhall.scheduling.advance import begin_and_end_reservations, reserve
from gridhall.scheduling.decisions import (
    ACCEPT,
    DONE,
    N_FAILURE,
    N_PLACES,
    N_QUOTA,
    N_SWAP,
    REFUSE,
    S_CANCELLED,
    S_COMPLETED,
    S_CRASH_LOOP,
    STOP,
    WAKE,
    WHY_CANCELLED,
    WHY_PREEMPTED,
    emit,
)
from gridhall.scheduling.holds import (
    FOR_PROJECT,
    FOR_URGENT,
    HOLDS,
    drop_hold,
    hold_ready,
    nodes_in,
    plan_again,
)
from gridhall.scheduling.jobs import (
    QUEUED,
    R_PLACES,
    R_QUOTA,
    R_UNCONSIDERED,
    RUNNING,
    STOPPING,
    drop_chunks,
    drop_slot,
    new_chunk,
    take_slot,
)
from gridhall.scheduling.passes import (
    complete_hold,
    consider_hold,
    hold_is_stoppable,
    schedule,
    stop_for_hold,
    try_start,
)
from gridhall.scheduling.placement import lowest_bits
from gridhall.scheduling.predictor import learn, predict
from gridhall.scheduling.queue import (
    P_BACKOFF_MS,
    P_FAIR_GRID_MS,
    P_HIGH_MILLI,
    P_HOLD_DEPTH,
    P_MAX_STUCK,
    P_MEDIAN_MILLI,
    P_OVERRUN_MS,
    P_TICK_MS,
    fair_refresh,
    queue_drop,
    queue_find,
    queue_put,
    queue_sort,
)
from gridhall.scheduling.sharing import pool_set_up
from gridhall.scheduling.starts import (
    NOTHING_REFUSED,
    SWAPPED,
    level_of_picks,
    predicted_end_ms,
    refresh_ends,
    release,
    say_start,
)

as_controller = state_cast(ControllerState)


@kernel
def step_event(w: ControllerState) -> int:
    """Decide on the event in `w.event`; returns the number of effects, which stand in `w.effects`."""
    w.effect_count[0] = 0
    kind = w.event[0]
    now_ms = max(w.now_ms[0], w.event[1])
    w.now_ms[0] = now_ms
    if kind == SUBMIT:
        on_submit(w, now_ms)
    elif kind == ENDED or kind == STOPPED or kind == LOST:
        on_attempt(w, kind, now_ms)
    elif kind == NODE_UP or kind == NODE_DOWN or kind == NODE_OUT:
        on_node(w, kind, w.event[2], now_ms)
    elif kind == TICK:
        on_tick(w, now_ms)
    elif kind == LIMIT:
        w.power_limit_w[w.event[2]] = w.event[3]
        schedule(w, w.all_cells[0], now_ms)
    elif kind == RESERVE:
        reserve(w, w.event[2], w.event[3], w.event[4], w.event[5], w.event[6], now_ms)
    elif kind == CANCEL:
        on_cancel(w, w.event[2], w.event[3], now_ms)
    ask_for_wake(w, now_ms)
    return w.effect_count[0]


@kernel
def step(address: int) -> int:
    """Entry for Python: `step(state.handle)` after the event was written to `state.event`."""
    return step_event(as_controller(address))


@kernel
def ask_for_wake(w: ControllerState, now_ms: int) -> None:
    """While anything waits or is reserved, one wake-up stands on the grid of ticks."""
    if w.wake_ms[0] > now_ms:
        return
    busy = w.queue_length[0] > 0
    if not busy:
        for hold in range(HOLDS):
            busy = busy or w.hold_kind[hold] != 0
    if busy:
        tick = w.policy[P_TICK_MS]
        w.wake_ms[0] = (now_ms // tick + 1) * tick
        emit(w, WAKE, now_ms, 0, 0, 0, w.wake_ms[0], 0, 0)


# --- a job arrives --------------------------------------------------------------------------------------------------


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
    project = w.event[3]
    gpus = w.event[9]
    cells = cells_that_could(w, w.event[14], gpus, w.event[10], w.event[11])
    reason = 0
    if cells == 0:
        reason = R_PLACES
        w.decided[N_PLACES] += 1
    elif gpus > w.project_most[project]:
        reason = R_QUOTA
        w.decided[N_QUOTA] += 1
    if reason != 0:
        emit(w, REFUSE, now_ms, w.event[2], 0, 0, reason, 0, 0)
        return
    slot = take_slot(w, w.n_slots[0])
    fill_slot(w, slot, cells, now_ms)
    emit(w, ACCEPT, now_ms, w.job_id[slot], slot, 0, 0, 0, 0)
    reason = try_start(w, slot, cells, now_ms)
    if reason != 0:
        w.job_reason[slot] = reason
        if queue_put(w, slot) < w.policy[P_HOLD_DEPTH]:
            consider_hold(w, slot, reason, now_ms)


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
        w.job_state[slot] = STOPPING
        w.job_plan_ms[slot] = -1
        emit(w, STOP, now_ms, job, slot, w.job_attempt[slot], WHY_CANCELLED, 0, 0)


@kernel
def leave_queue(w: ControllerState, slot: int) -> None:
    """Take a waiting job out of the queue, and its hold with it."""
    queue_drop(w, queue_find(w, slot, w.job_key[slot]))
    if w.job_hold[slot] != 0:
        drop_hold(w, w.job_hold[slot] - 1)


@kernel
def finish(w: ControllerState, slot: int, state: int, now_ms: int) -> None:
    """Say DONE and give the slot back."""
    emit(w, DONE, now_ms, w.job_id[slot], slot, w.job_attempt[slot], state, w.job_restarts[slot], 0)
    drop_slot(w, slot)


# --- an attempt comes to its end ------------------------------------------------------------------------------------


@kernel
def on_attempt(w: ControllerState, kind: int, now_ms: int) -> None:
    """An attempt ended, was stopped or was lost; what is not current any more is passed over."""
    slot = w.event[2]
    state = w.job_state[slot]
    if (state != RUNNING and state != STOPPING) or w.job_attempt[slot] != w.event[3] or w.job_id[slot] != w.event[6]:
        return
    cell = w.job_cell[slot]
    if kind == ENDED:
        if w.event[4] == S_COMPLETED:
            learn(w, w.job_user[slot], w.job_name[slot], w.event[5])
        release(w, slot, now_ms)
        finish(w, slot, w.event[4], now_ms)
    elif kind == STOPPED:
        on_stopped(w, slot, now_ms)
    else:
        on_lost(w, slot, now_ms)
    schedule(w, 1 << cell, now_ms)


@kernel
def on_stopped(w: ControllerState, slot: int, now_ms: int) -> None:
    """A stopped job gives its nodes back and waits for its next turn, or is gone if it was cancelled."""
    cancelled = w.job_plan_ms[slot] < 0
    w.job_saved_ms[slot] = max(w.job_saved_ms[slot], w.event[4])
    release(w, slot, now_ms)
    if cancelled:
        finish(w, slot, S_CANCELLED, now_ms)
    else:
        w.job_reason[slot] = R_UNCONSIDERED
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
    elif w.job_state[slot] == RUNNING and w.job_gpu_mask[slot] == 0 and swap_node(w, slot, now_ms):
        w.decided[N_SWAP] += 1
    else:
        release(w, slot, now_ms)
        if w.job_plan_ms[slot] < 0:
            finish(w, slot, S_CANCELLED, now_ms)
            return
        if w.job_stuck[slot] > 1:
            w.job_not_before_ms[slot] = now_ms + (w.policy[P_BACKOFF_MS] << min(6, w.job_stuck[slot]))
        w.job_reason[slot] = R_UNCONSIDERED
        queue_put(w, slot)


@kernel
def spare_rack(w: ControllerState, rack: int, cell: int, node_w: int) -> int:
    """The nearest rack with an open node: `rack` itself, its pod, its hall, then the cell; -1 = none."""
    if w.rack_open[rack] != 0 and watts_left(w, rack) >= node_w:
        return rack
    for near in range(w.pod_rack0[w.rack_pod[rack]], w.pod_rack0[w.rack_pod[rack] + 1]):
        if w.rack_open[near] != 0 and watts_left(w, near) >= node_w:
            return near
    counts = w.cell_open_counts[cell]
    if counts == 0:
        return -1
    hall_rack = open_racks(w, cell, trailing_zeros(counts), w.hall_rack0[w.rack_hall[rack]])
    if hall_rack < 0:
        hall_rack = open_racks(w, cell, trailing_zeros(counts), w.cell_rack0[cell])
    return hall_rack if watts_left(w, hall_rack) >= node_w else -1


@kernel
def swap_node(w: ControllerState, slot: int, now_ms: int) -> bool:
    """Replace a gang's one lost node by an open one and start it again in place; False when that cannot be done."""
    lost = 0
    broken = 0
    at = w.job_chunk[slot]
    while at != 0:
        down = down_in(w, w.chunk_rack[at - 1], w.chunk_mask[at - 1])
        lost += count_ones(down)
        if down != 0:
            broken = at
        at = w.chunk_next[at - 1]
    if lost != 1:
        return False
    cell = w.job_cell[slot]
    node_w = w.job_node_w[slot]
    rack = w.chunk_rack[broken - 1]
    spare = spare_rack(w, rack, cell, node_w)
    if spare < 0:
        return False
    old = down_in(w, rack, w.chunk_mask[broken - 1])
    new = lowest_bits(w.rack_open[spare], 1)
    w.job_attempt[slot] += 1
    w.job_start_ms[slot] = now_ms
    give_nodes(w, rack, old)
    commit_watts(w, rack, -node_w)
    commit_watts(w, spare, node_w)
    take_nodes(w, spare, new, slot, predicted_end_ms(w, slot, now_ms))
    replace_chunk(w, slot, broken, old, spare, new)
    refresh_ends(w, w.job_chunk[slot])
    rack_picks(w, slot)
    say_start(w, slot, level_of_picks(w), SWAPPED, now_ms)
    w.picks[0] = 0
    return True


@kernel
def replace_chunk(w: ControllerState, slot: int, broken: int, old: int, spare: int, new: int) -> None:
    """Write the new node into the gang's list of chunks: one chunk a rack, none empty."""
    w.chunk_mask[broken - 1] &= ~old
    same = w.job_chunk[slot]
    while same != 0 and w.chunk_rack[same - 1] != spare:
        same = w.chunk_next[same - 1]
    if same != 0:
        w.chunk_mask[same - 1] |= new
        if w.chunk_mask[broken - 1] == 0:
            drop_one_chunk(w, slot, broken)
    elif w.chunk_mask[broken - 1] == 0:
        w.chunk_rack[broken - 1] = spare
        w.chunk_mask[broken - 1] = new
    else:
        w.job_chunk[slot] = new_chunk(w, spare, new, w.job_chunk[slot])


@kernel
def drop_one_chunk(w: ControllerState, slot: int, chunk: int) -> None:
    """Take one chunk out of a gang's list and give it back."""
    if w.job_chunk[slot] == chunk:
        w.job_chunk[slot] = w.chunk_next[chunk - 1]
    else:
        before = w.job_chunk[slot]
        while w.chunk_next[before - 1] != chunk:
            before = w.chunk_next[before - 1]
        w.chunk_next[before - 1] = w.chunk_next[chunk - 1]
    w.chunk_next[chunk - 1] = 0
    drop_chunks(w, chunk)


@kernel
def down_in(w: ControllerState, rack: int, mask: int) -> int:
    """Those of some nodes of a rack that are down."""
    down = 0
    rest = mask
    while rest != 0:
        bit = rest & -rest
        if w.node_up[w.rack_node0[rack] + trailing_zeros(bit)] == 0:
            down |= bit
        rest &= rest - 1
    return down


@kernel
def rack_picks(w: ControllerState, slot: int) -> None:
    """Write a gang's racks to the picks, for `level_of_picks`."""
    w.picks[0] = 0
    at = w.job_chunk[slot]
    while at != 0:
        w.pick_rack[w.picks[0]] = w.chunk_rack[at - 1]
        w.picks[0] += 1
        at = w.chunk_next[at - 1]


# --- nodes and time -------------------------------------------------------------------------------------------------


@kernel
def on_node(w: ControllerState, kind: int, node: int, now_ms: int) -> None:
    """A node joins, is lost, or is retired. Gangs on a lost node are told by their own LOST events."""
    if w.node_shared[node] == 1:
        pool_set_up(w, w.pool_of_node[node], 1 if kind == NODE_UP else 0)
        w.shared_refused_milli[0] = NOTHING_REFUSED
    if kind == NODE_UP:
        w.node_out[node] = 0
        set_node_up(w, node, 1)
        refresh_node(w, node)
        schedule(w, 1 << w.rack_cell[w.node_rack[node]], now_ms)
        return
    if kind == NODE_DOWN:
        set_node_up(w, node, 0)
    else:
        w.node_out[node] = 1
        refresh_node(w, node)
    hold = w.node_hold[node] - 1
    if hold >= 0 and w.hold_kind[hold] != FOR_PROJECT:
        plan_again(w, hold, now_ms)


@kernel
def on_tick(w: ControllerState, now_ms: int) -> None:
    """What time alone changes: fair share, late predictions, holds that slipped, reservations that begin."""
    if w.wake_ms[0] > now_ms:
        return
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
    schedule(w, w.all_cells[0], now_ms)


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
