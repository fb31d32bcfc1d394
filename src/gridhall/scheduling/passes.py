"""The pass over the queue: which waiting work starts now, who gets a time reservation, who must stop for it.

A pass follows every release of capacity and looks, in order, at the work that may run where something fell free. Work
that
fits starts, also out of order: nodes that are held for work ahead of it are out of its reach (unless it will be gone in
time), so it delays nobody who has a promise. The first blocked gangs get a hold; urgent ones may stop pre-emptible
work.
"""

from gridhall.fleet.arrays import MAX_GPUS_PER_NODE
from gridhall.fleet.capacity import NEVER_MS, commit_watts, watts_left
from gridhall.kernel import count_ones, kernel, trailing_zeros
from gridhall.scheduling.decisions import (
    N_BACKFILL_HELD,
    N_PASSES,
    N_PLACES,
    N_POWER,
    N_PREEMPT,
    N_QUOTA,
    N_RESERVATION,
    N_SPARES,
    N_TOPOLOGY,
    N_TRIES,
    STOP,
    WHY_PREEMPTED,
    emit,
)
from gridhall.scheduling.holds import (
    FOR_GANG,
    FOR_PROJECT,
    FOR_URGENT,
    HOLDS,
    choose_nodes,
    drop_hold,
    gives_way,
    hold_gang,
    hold_ready,
    keep_picks,
    nodes_in,
    stop_cost_ms,
    window_ms,
)
from gridhall.scheduling.jobs import (
    R_BACKOFF,
    R_CAPACITY,
    R_HELD,
    R_NOT_READY,
    R_PLACES,
    R_POWER,
    R_QUOTA,
    R_SPARES,
    R_TOPOLOGY,
    STOPPING,
)
from gridhall.scheduling.placement import drop_picks, find_part, lowest_bits, pick_gang
from gridhall.scheduling.queue import (
    P_CELL_HOLDS,
    P_DEPTH,
    P_HOLD_AFTER_MS,
    P_HOLD_DEPTH,
    P_HOLD_SHARE_MILLI,
    P_IDLE_SHARE_MILLI,
    P_LARGE_AFTER_MS,
    P_LARGE_NODES,
    P_PREEMPT_WAIT_MS,
    P_PREEMPT_WITHIN_MS,
    P_REPLAN_MS,
    P_SPREAD_MILLI,
    P_SPREAD_WAIT_MS,
    queue_drop,
    queue_find,
)
from gridhall.scheduling.starts import (
    StartColumns,
    charged_gpus,
    level_of_picks,
    needs_share,
    predicted_end_ms,
    quota_allows,
    start_hold,
    start_part,
    start_picks,
    start_shared,
    watts_per_node,
)


@kernel
def racks_allowed(w: StartColumns, slot: int, cell: int, nodes: int, now_ms: int) -> int:
    """Racks over which a gang may spread: close to the fewest possible, more the longer it has waited."""
    size = w.cell_rack_size[cell]
    fewest = (nodes + size - 1) // size
    waited = max(0, now_ms - w.job_submit_ms[slot])
    milli = w.policy[P_SPREAD_MILLI] + waited * 1000 // max(1, w.policy[P_SPREAD_WAIT_MS])
    return fewest * milli // 1000


@kernel
def start_in_cell(w: StartColumns, slot: int, cell: int, now_ms: int) -> int:
    """Try to start a job on the open nodes of one cell; 0, or the reason why not."""
    gpus = charged_gpus(w, slot, cell)
    node_w = watts_per_node(w, slot, cell)
    spares = w.cell_spares[cell]
    if gpus < w.cell_gpus_per_node[cell]:
        node = find_part(w, cell, gpus, node_w, spares)
        if node < 0:
            return -node
        start_part(w, slot, cell, node, now_ms)
        return 0
    nodes = nodes_in(w, cell, gpus)
    reason = pick_gang(w, cell, nodes, node_w, racks_allowed(w, slot, cell, nodes, now_ms), spares)
    if reason == 0:
        start_picks(w, slot, cell, w.pick_level[0], now_ms)
    return reason


@kernel
def pick_held(w: StartColumns, hold: int, nodes: int, node_w: int, one_rack: bool) -> bool:
    """Pick free nodes of a hold, all in one rack if asked; False, and no picks, when nodes or watts are short."""
    w.picks[0] = 0
    left = nodes
    at = w.hold_chunk[hold]
    while at != 0 and left > 0:
        rack = w.chunk_rack[at - 1]
        free = w.chunk_mask[at - 1] & w.rack_free[rack]
        count = min(left, count_ones(free))
        if count > 0 and (count == nodes or not one_rack) and watts_left(w, rack) >= count * node_w:
            commit_watts(w, rack, count * node_w)
            w.pick_rack[w.picks[0]] = rack
            w.pick_mask[w.picks[0]] = lowest_bits(free, count)
            w.picks[0] += 1
            left -= count
        at = w.chunk_next[at - 1]
    if left > 0:
        drop_picks(w, node_w)
    return left == 0


@kernel
def start_in_hold(w: StartColumns, slot: int, cells: int, now_ms: int) -> bool:
    """Run a gang on held nodes: its project's own reservation, or back-fill in one rack that it will leave in time."""
    end_ms = predicted_end_ms(w, slot, now_ms)
    own = w.project_hold[w.job_project[slot]] - 1
    for hold in range(HOLDS):
        cell = w.hold_cell[hold]
        if w.hold_kind[hold] == 0 or (cells >> cell) & 1 == 0 or (w.hold_at_ms[hold] < end_ms and hold != own):
            continue
        nodes = charged_gpus(w, slot, cell) // w.cell_gpus_per_node[cell]
        if nodes < 1 or (nodes > w.cell_rack_size[cell] and hold != own):
            continue
        if not quota_allows(w, slot, charged_gpus(w, slot, cell)):
            continue
        if pick_held(w, hold, nodes, watts_per_node(w, slot, cell), hold != own):
            start_picks(w, slot, cell, level_of_picks(w), now_ms)
            w.decided[N_RESERVATION if hold == own else N_BACKFILL_HELD] += 1
            return True
    return False


@kernel
def try_start(w: StartColumns, slot: int, cells: int, now_ms: int) -> int:
    """Try to start a waiting job in any of the given cells, the fullest first; 0, or why it goes on waiting."""
    w.decided[N_TRIES] += 1
    if w.job_not_before_ms[slot] > now_ms:
        return R_BACKOFF
    allowed = w.job_cells[slot] & cells
    if not quota_allows(w, slot, w.job_gpus[slot]):
        w.decided[N_QUOTA] += 1
        return R_QUOTA
    shares = w.pool_count[0] > 0 and w.job_gpus[slot] <= MAX_GPUS_PER_NODE
    if needs_share(w, slot):
        reason = start_shared(w, slot, allowed, now_ms)
        count_reason(w, reason)
        return reason
    reason = R_NOT_READY
    rest = allowed
    while rest != 0:
        cell = fullest_cell(w, rest)
        rest &= ~(1 << cell)
        if w.cell_nodes_up[cell] == 0:
            continue
        if charged_gpus(w, slot, cell) > w.job_gpus[slot] and not quota_allows(w, slot, charged_gpus(w, slot, cell)):
            w.decided[N_QUOTA] += 1
            reason = R_QUOTA
            continue
        reason = start_in_cell(w, slot, cell, now_ms)
        if reason == 0:
            if allowed != w.all_cells[0]:
                w.decided[N_PLACES] += 1
            return 0
    if shares and start_shared(w, slot, allowed, now_ms) == 0:
        return 0
    if reason != R_NOT_READY and reason != R_QUOTA and start_in_hold(w, slot, allowed, now_ms):
        return 0
    count_reason(w, reason)
    return reason


@kernel
def fullest_cell(w: StartColumns, cells: int) -> int:
    """The cell with the fewest open nodes that has any, else the lowest: large gaps stay whole for large gangs."""
    best = trailing_zeros(cells)
    rest = cells
    while rest != 0:
        cell = trailing_zeros(rest)
        rest &= rest - 1
        if w.cell_open[cell] > 0 and (w.cell_open[best] == 0 or w.cell_open[cell] < w.cell_open[best]):
            best = cell
    return best


@kernel
def count_reason(w: StartColumns, reason: int) -> None:
    """Count what kept a job waiting."""
    if reason == R_POWER:
        w.decided[N_POWER] += 1
    elif reason == R_SPARES:
        w.decided[N_SPARES] += 1
    elif reason == R_TOPOLOGY:
        w.decided[N_TOPOLOGY] += 1
    elif reason == R_PLACES:
        w.decided[N_PLACES] += 1


# --- the pass -------------------------------------------------------------------------------------------------------


@kernel
def cells_with_room(w: StartColumns, cells: int) -> int:
    """The cells of a mask in which something may be free for someone."""
    room = 0
    rest = cells
    while rest != 0:
        cell = trailing_zeros(rest)
        rest &= rest - 1
        held = w.cell_held_nodes[cell] + w.cell_shared_nodes[cell]
        if w.cell_open[cell] > 0 or w.cell_part_gpus[cell] > 0 or held > 0:
            room |= 1 << cell
    return room


@kernel
def most_open_gpus(w: StartColumns, cells: int) -> int:
    """The most GPUs that any cell of the mask has on open nodes; at least a rack's worth where nodes are held."""
    most = 0
    rest = cells
    while rest != 0:
        cell = trailing_zeros(rest)
        rest &= rest - 1
        nodes = w.cell_open[cell]
        if w.cell_held_nodes[cell] > 0:
            nodes = max(nodes, w.cell_rack_size[cell])
        if w.cell_shared_nodes[cell] > 0:
            nodes = max(nodes, 1)
        gpus = nodes * w.cell_gpus_per_node[cell]
        most = max(most, max(gpus, min(w.cell_part_gpus[cell], w.cell_gpus_per_node[cell] - 1)))
    return most


@kernel
def schedule(w: StartColumns, cells: int, now_ms: int) -> None:
    """Start holds that are complete, then look through the queue for work that fits in the given cells."""
    start_ready_holds(w, cells, now_ms)
    if w.queue_length[0] == 0:
        return
    w.decided[N_PASSES] += 1
    room = cells_with_room(w, cells)
    most = most_open_gpus(w, room)
    place = 0
    seen = 0
    while place < w.queue_length[0] and seen < w.policy[P_DEPTH]:
        slot = w.queue_slot[place]
        if w.queue_cells[place] & cells == 0:
            place += 1
            continue
        seen += 1
        reason = R_CAPACITY
        own = w.project_hold[w.job_project[slot]]
        if (w.queue_gpus[place] <= most and w.queue_cells[place] & room != 0) or own != 0:
            reason = try_start(w, slot, w.queue_cells[place] & cells, now_ms)
            if reason == 0:
                queue_drop(w, place)
                room = cells_with_room(w, cells)
                most = most_open_gpus(w, room)
                continue
        w.job_reason[slot] = R_HELD if w.job_hold[slot] != 0 else reason
        if place < w.policy[P_HOLD_DEPTH]:
            consider_hold(w, slot, reason, now_ms)
        elif room == 0:
            return
        place += 1


@kernel
def start_ready_holds(w: StartColumns, cells: int, now_ms: int) -> None:
    """Start every gang whose held nodes have all fallen free."""
    for hold in range(HOLDS):
        kind = w.hold_kind[hold]
        if kind == 0 or kind == FOR_PROJECT or (cells >> w.hold_cell[hold]) & 1 == 0 or not hold_ready(w, hold):
            continue
        slot = w.hold_slot[hold] - 1
        place = queue_find(w, slot, w.job_key[slot])
        if charged_gpus(w, slot, w.hold_cell[hold]) < w.cell_gpus_per_node[w.hold_cell[hold]]:
            drop_hold(w, hold)
            if try_start(w, slot, 1 << w.hold_cell[hold], now_ms) == 0:
                queue_drop(w, place)
        elif start_hold(w, hold, now_ms) == 0:
            queue_drop(w, place)
        else:
            drop_hold(w, hold)
            w.job_plan_ms[slot] = now_ms + w.policy[P_REPLAN_MS]


@kernel
def missing_nodes(w: StartColumns, hold: int) -> int:
    """Nodes of a hold that are still busy."""
    missing = 0
    at = w.hold_chunk[hold]
    while at != 0:
        missing += count_ones(w.chunk_mask[at - 1] & ~w.rack_free[w.chunk_rack[at - 1]])
        at = w.chunk_next[at - 1]
    return missing


@kernel
def complete_hold(w: StartColumns, hold: int, now_ms: int) -> bool:
    """Start a gang on its held nodes that are free, and open ones for the busy rest, if that is compact enough."""
    cell = w.hold_cell[hold]
    slot = w.hold_slot[hold] - 1
    nodes = w.hold_nodes[hold]
    if missing_nodes(w, hold) > w.cell_open[cell] or nodes <= w.cell_rack_size[cell]:
        return False
    if not quota_allows(w, slot, nodes * w.cell_gpus_per_node[cell]):
        return False
    for node in range(w.rack_node0[w.cell_rack0[cell]], w.rack_node0[w.cell_rack0[cell + 1]]):
        bit = 1 << (node - w.rack_node0[w.node_rack[node]])
        free = w.rack_free[w.node_rack[node]] & bit != 0
        w.plan_ms[node] = 0 if free and (w.node_hold[node] == 0 or w.node_hold[node] == hold + 1) else NEVER_MS
    w.plan_rack0[0] = w.cell_rack0[cell]
    w.plan_rack1[0] = w.cell_rack0[cell + 1]
    choose_nodes(w, cell, nodes, now_ms)
    if w.picks[0] > racks_allowed(w, slot, cell, nodes, now_ms):
        w.picks[0] = 0
        return False
    place = queue_find(w, slot, w.job_key[slot])
    kind = w.hold_kind[hold]
    drop_hold(w, hold)
    keep_picks(w, hold, kind, cell, nodes, now_ms)
    w.hold_slot[hold] = slot + 1
    w.job_hold[slot] = hold + 1
    w.job_reason[slot] = R_HELD
    if start_hold(w, hold, now_ms) != 0:
        return False
    queue_drop(w, place)
    return True


@kernel
def consider_hold(w: StartColumns, slot: int, reason: int, now_ms: int) -> None:
    """Give a blocked job a time reservation if it is entitled to one; urgent work may stop others for it."""
    if w.job_hold[slot] != 0 or max(w.job_plan_ms[slot], w.job_not_before_ms[slot]) > now_ms:
        return
    if reason != R_CAPACITY and reason != R_TOPOLOGY and reason != R_SPARES:
        return
    priority = w.job_priority[slot]
    waited = now_ms - w.job_submit_ms[slot]
    urgent = priority >= 3 or (priority == 2 and waited >= w.policy[P_PREEMPT_WAIT_MS])
    patient = waited >= hold_after_ms(w, slot) and idle_is_bearable(w)
    if not (urgent or patient) or not quota_allows(w, slot, w.job_gpus[slot]):
        return
    cells = cells_for_hold(w, slot)
    if cells == 0:
        return
    w.job_plan_ms[slot] = now_ms + w.policy[P_REPLAN_MS]
    hold = -1
    if urgent:
        hold = hold_gang(w, slot, cells, FOR_URGENT, now_ms + w.policy[P_PREEMPT_WITHIN_MS], now_ms)
        if hold >= 0:
            stop_for_hold(w, hold, priority, now_ms, WHY_PREEMPTED)
    if patient and hold < 0:
        nodes = nodes_in(w, trailing_zeros(cells), w.job_gpus[slot])
        hold = hold_gang(w, slot, cells, FOR_GANG, now_ms + window_ms(w, nodes), now_ms)
    if hold >= 0:
        w.job_reason[slot] = R_HELD


@kernel
def idle_is_bearable(w: StartColumns) -> bool:
    """Whether few enough nodes stand free in holds that the fleet can afford one more."""
    idle = 0
    for hold in range(HOLDS):
        if w.hold_kind[hold] != 0:
            idle += w.hold_nodes[hold] - missing_nodes(w, hold)
    up = 0
    for cell in range(count_ones(w.all_cells[0])):
        up += w.cell_nodes_up[cell]
    return idle * 1000 <= w.policy[P_IDLE_SHARE_MILLI] * up


@kernel
def hold_after_ms(w: StartColumns, slot: int) -> int:
    """How long a blocked gang waits before it is given a hold."""
    nodes = nodes_in(w, trailing_zeros(w.job_cells[slot]), w.job_gpus[slot])
    return w.policy[P_LARGE_AFTER_MS if nodes >= w.policy[P_LARGE_NODES] else P_HOLD_AFTER_MS]


@kernel
def cells_for_hold(w: StartColumns, slot: int) -> int:
    """The cells of a job in which one more hold for it is within the policy's bounds.

    A gang that is too large a share of every cell it may use is let off that bound where nothing else is held.
    """
    within = 0
    alone = 0
    rest = w.job_cells[slot]
    while rest != 0:
        cell = trailing_zeros(rest)
        rest &= rest - 1
        nodes = nodes_in(w, cell, w.job_gpus[slot])
        if nodes > w.cell_nodes_up[cell]:
            continue
        most = w.policy[P_HOLD_SHARE_MILLI] * w.cell_nodes_up[cell] // 1000
        holds = 0
        held = 0
        for hold in range(HOLDS):
            if w.hold_kind[hold] != 0 and w.hold_cell[hold] == cell and not gives_way(w, hold, nodes):
                holds += 1
                held += w.hold_nodes[hold]
        if nodes <= most:
            alone = -1
            if holds < w.policy[P_CELL_HOLDS] and held + nodes <= most:
                within |= 1 << cell
        elif alone >= 0 and holds == 0:
            alone |= 1 << cell
    return within if alone < 0 else alone


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
                for gpu in range(MAX_GPUS_PER_NODE):
                    holder = w.gpu_job[node * MAX_GPUS_PER_NODE + gpu]
                    if holder != 0:
                        stop_job(w, holder - 1, priority, now_ms, why)
        at = w.chunk_next[at - 1]


@kernel
def hold_is_stoppable(w: StartColumns, hold: int, priority: int, now_ms: int) -> bool:
    """Whether only work that may be stopped for it is left on a hold's nodes."""
    at = w.hold_chunk[hold]
    while at != 0:
        rack = w.chunk_rack[at - 1]
        rest = w.chunk_mask[at - 1] & ~w.rack_free[rack]
        while rest != 0:
            node = w.rack_node0[rack] + trailing_zeros(rest)
            rest &= rest - 1
            if w.node_job[node] == 0 or stop_cost_ms(w, w.node_job[node] - 1, priority, now_ms) >= NEVER_MS:
                return False
        at = w.chunk_next[at - 1]
    return True


@kernel
def stop_job(w: StartColumns, slot: int, priority: int, now_ms: int, why: int) -> None:
    """Tell one running job to write its checkpoint and stop, if it may be stopped."""
    cost = stop_cost_ms(w, slot, priority, now_ms)
    if cost >= NEVER_MS:
        return
    w.job_state[slot] = STOPPING
    w.decided[N_PREEMPT] += 1
    emit(w, STOP, now_ms, w.job_id[slot], slot, w.job_attempt[slot], why, 0, 0)
