"""Which nodes for a hold, and from when? They are chosen where enough of them fall free soonest.

Whole racks come first, so that a hold is also a drain window and the gang ends up compact. A hold for urgent work
counts a node under pre-emptible work as free after the cost of stopping it: a checkpoint to write, or the work lost
without one.
"""

from gridhall.fleet.arrays import MAX_GPUS_PER_NODE
from gridhall.fleet.capacity import NEVER_MS, takes_work
from gridhall.kernel import count_ones, kernel, trailing_zeros
from gridhall.scheduling.constraints import level_for_hold
from gridhall.scheduling.decisions import HOLD, N_PLANS, emit
from gridhall.scheduling.holds import (
    FOR_GANG,
    HoldColumns,
    drop_hold,
    free_hold,
    gives_way,
    keep_picks,
    nodes_in,
    set_aside,
)
from gridhall.scheduling.jobs import R_HELD, RUNNING
from gridhall.scheduling.placement import LEVEL_CELL, LEVEL_HALL, LEVEL_POD, lowest_bits
from gridhall.scheduling.queue import (
    P_CELL_PENALTY_MS,
    P_HALL_PENALTY_MS,
    P_HOLD_WINDOW_MS,
    P_HOLD_WINDOW_NODE_MS,
    P_PATIENCE_MS,
)

MINUTE_MS = 60000
HORIZON_MS = 60 * 24 * 60 * MINUTE_MS
"""No hold is planned further ahead."""


@kernel
def hold_gang(w: HoldColumns, slot: int, cells: int, kind: int, bound_ms: int, now_ms: int) -> int:
    """Make a time reservation for a gang in the best of the given cells before a time; returns the hold, or -1.

    Work that this gang may stop counts as gone after the cost of stopping it.
    """
    hold = free_hold(w)
    if hold < 0:
        return -1
    cell = plan_gang(w, slot, cells, w.job_priority[slot], now_ms, bound_ms)
    if cell < 0:
        return -1
    nodes = nodes_in(w, cell, w.job_gpus[slot])
    soonest = time_for(w, w.plan_rack0[0], w.plan_rack1[0], nodes, now_ms, bound_ms)
    patience = w.policy[P_PATIENCE_MS] if nodes > w.cell_rack_size[cell] and kind == FOR_GANG else 0
    choose_nodes(w, cell, nodes, soonest + patience)
    at_ms = latest_ms(w, now_ms)
    set_aside(w, cell, nodes)
    keep_picks(w, hold, kind, cell, nodes, at_ms)
    w.hold_slot[hold] = slot + 1
    w.job_hold[slot] = hold + 1
    w.job_reason[slot] = R_HELD
    emit(w, HOLD, now_ms, w.job_id[slot], slot, w.job_attempt[slot], cell, at_ms, nodes)
    return hold


@kernel
def plan_again(w: HoldColumns, hold: int, now_ms: int) -> None:
    """Choose a hold's nodes anew in the same cell, at once, so that nobody slips in between."""
    slot = w.hold_slot[hold] - 1
    kind = w.hold_kind[hold]
    cell = w.hold_cell[hold]
    drop_hold(w, hold)
    if hold_gang(w, slot, 1 << cell, kind, now_ms + HORIZON_MS, now_ms) < 0:
        w.job_plan_ms[slot] = 0


@kernel
def plan_gang(w: HoldColumns, slot: int, cells: int, priority: int, now_ms: int, bound_ms: int) -> int:
    """The cell in which a gang could start soonest; its domain is left in plan_rack0/1, its nodes' times in plan_ms.

    Returns the cell, or -1.
    """
    w.decided[N_PLANS] += 1
    best_cell = -1
    best = bound_ms
    rack0 = 0
    rack1 = 0
    rest = cells
    while rest != 0:
        cell = trailing_zeros(rest)
        rest &= rest - 1
        nodes = nodes_in(w, cell, w.job_gpus[slot])
        fill_plan(w, cell, nodes, priority, now_ms)
        at = plan_in_cell(w, cell, nodes, level_for_hold(w, slot), now_ms, best)
        if at < best:
            best = at
            best_cell = cell
            rack0 = w.plan_rack0[0]
            rack1 = w.plan_rack1[0]
    w.plan_rack0[0] = rack0
    w.plan_rack1[0] = rack1
    return best_cell


@kernel
def window_ms(w: HoldColumns, nodes: int) -> int:
    """How far ahead the nodes of a hold may fall free: further for larger gangs."""
    return w.policy[P_HOLD_WINDOW_MS] + nodes * w.policy[P_HOLD_WINDOW_NODE_MS]


@kernel
def stop_cost_ms(w: HoldColumns, slot: int, priority: int, now_ms: int) -> int:
    """Time that stopping a job costs: a checkpoint, or its work so far; NEVER_MS when it may not be stopped."""
    if w.job_state[slot] != RUNNING or w.job_preemptible[slot] == 0 or w.job_priority[slot] >= priority:
        return NEVER_MS
    if w.job_checkpoint_ms[slot] > 0:
        return w.job_checkpoint_cost_ms[slot] + 1
    return max(1, now_ms - w.job_start_ms[slot])


@kernel
def free_from_ms(w: HoldColumns, node: int, nodes: int) -> int:
    """When a node is expected to be free for a gang of `nodes` nodes, holds that give way to it set aside."""
    hold = w.node_hold[node] - 1
    if hold >= 0 and takes_work(w, node) and gives_way(w, hold, nodes):
        return w.node_end_ms[node]
    return w.node_free_ms[node]


@kernel
def stopped_from_ms(w: HoldColumns, node: int, free_ms: int, priority: int, now_ms: int) -> int:
    """When a partly used node could be had if the work on it that a gang of this priority may stop were stopped."""
    cost = 0
    last = 0
    for gpu in range(w.cell_gpus_per_node[w.rack_cell[w.node_rack[node]]]):
        holder = w.gpu_job[node * MAX_GPUS_PER_NODE + gpu]
        if holder != 0 and holder != last:
            last = holder
            cost = max(cost, stop_cost_ms(w, holder - 1, priority, now_ms))
            if now_ms + cost >= free_ms:
                return free_ms
    return now_ms + cost


@kernel
def fill_plan(w: HoldColumns, cell: int, nodes: int, priority: int, now_ms: int) -> None:
    """Write when each node of a cell could be had by a gang of so many nodes and this priority."""
    last = 0
    stopped_ms = 0
    for node in range(w.rack_node0[w.cell_rack0[cell]], w.rack_node0[w.cell_rack0[cell + 1]]):
        free_ms = free_from_ms(w, node, nodes)
        if now_ms < free_ms < NEVER_MS:
            job = w.node_job[node]
            if job == 0:
                free_ms = stopped_from_ms(w, node, free_ms, priority, now_ms)
            elif job != last:  # a gang's nodes stand side by side
                last = job
                stopped_ms = now_ms + stop_cost_ms(w, job - 1, priority, now_ms)
            if job != 0:
                free_ms = min(free_ms, stopped_ms)
        w.plan_ms[node] = free_ms


@kernel
def had_by(w: HoldColumns, node0: int, node1: int, time_ms: int) -> int:
    """Nodes of a range that could be had at a time."""
    total = 0
    for node in range(node0, node1):
        if w.plan_ms[node] <= time_ms:
            total += 1
    return total


@kernel
def time_for(w: HoldColumns, rack0: int, rack1: int, nodes: int, now_ms: int, bound_ms: int) -> int:
    """The earliest time, to the minute, at which a range of racks has `nodes` nodes; NEVER_MS if not in bounds."""
    node0 = w.rack_node0[rack0]
    node1 = w.rack_node0[rack1]
    if bound_ms <= now_ms or node1 - node0 < nodes or had_by(w, node0, node1, bound_ms - 1) < nodes:
        return NEVER_MS
    low = now_ms - MINUTE_MS
    high = bound_ms - 1
    while high - low > MINUTE_MS:
        middle = (low + high) >> 1
        if had_by(w, node0, node1, middle) >= nodes:
            high = middle
        else:
            low = middle
    return max(high, now_ms)


@kernel
def plan_in_cell(w: HoldColumns, cell: int, nodes: int, within: int, now_ms: int, bound_ms: int) -> int:
    """The best domain of one cell, no wider than a level, for a gang: its time with penalties, or NEVER_MS.

    The domain is left in plan_rack0/1.
    """
    best = bound_ms
    if nodes <= w.cell_rack_size[cell]:
        for rack in range(w.cell_rack0[cell], w.cell_rack0[cell + 1]):
            at = time_for(w, rack, rack + 1, nodes, now_ms, best)
            if at < best:
                best = at
                w.plan_rack0[0] = rack
                w.plan_rack1[0] = rack + 1
        return best if best < bound_ms else NEVER_MS
    if within < LEVEL_POD:
        return NEVER_MS
    for pod in range(w.hall_pod0[w.cell_hall0[cell]], w.hall_pod0[w.cell_hall0[cell + 1]]):
        at = time_for(w, w.pod_rack0[pod], w.pod_rack0[pod + 1], nodes, now_ms, best)
        if at < best:
            best = at
            w.plan_rack0[0] = w.pod_rack0[pod]
            w.plan_rack1[0] = w.pod_rack0[pod + 1]
    if within < LEVEL_HALL:
        return best if best < bound_ms else NEVER_MS
    penalty = w.policy[P_HALL_PENALTY_MS]
    for hall in range(w.cell_hall0[cell], w.cell_hall0[cell + 1]):
        at = time_for(w, w.hall_rack0[hall], w.hall_rack0[hall + 1], nodes, now_ms, best - penalty)
        if at + penalty < best:
            best = at + penalty
            w.plan_rack0[0] = w.hall_rack0[hall]
            w.plan_rack1[0] = w.hall_rack0[hall + 1]
    if within < LEVEL_CELL:
        return best if best < bound_ms else NEVER_MS
    penalty = w.policy[P_CELL_PENALTY_MS]
    at = time_for(w, w.cell_rack0[cell], w.cell_rack0[cell + 1], nodes, now_ms, best - penalty)
    if at + penalty < best:
        best = at + penalty
        w.plan_rack0[0] = w.cell_rack0[cell]
        w.plan_rack1[0] = w.cell_rack0[cell + 1]
    return best if best < bound_ms else NEVER_MS


@kernel
def rack_had(w: HoldColumns, rack: int, by_ms: int) -> int:
    """Mask of the nodes of a rack that could be had at a time."""
    mask = 0
    node0 = w.rack_node0[rack]
    for node in range(node0, w.rack_node0[rack + 1]):
        if w.plan_ms[node] <= by_ms:
            mask |= 1 << (node - node0)
    return mask


@kernel
def rack_with(w: HoldColumns, count: int, rack: int) -> int:
    """The first rack >= rack of the planned range with exactly `count` nodes to be had, or -1."""
    while rack < w.plan_rack1[0]:
        if w.plan_count[rack] == count:
            return rack
        rack += 1
    return -1


@kernel
def choose_nodes(w: HoldColumns, cell: int, nodes: int, by_ms: int) -> None:
    """Pick nodes of the planned range that can be had by a time: fullest racks first, then a tight tail."""
    for rack in range(w.plan_rack0[0], w.plan_rack1[0]):
        w.plan_count[rack] = count_ones(rack_had(w, rack, by_ms))
    w.picks[0] = 0
    left = nodes
    count = w.cell_rack_size[cell]
    cursor = w.plan_rack0[0]
    while left > 0 and count > 0:
        rack = rack_with(w, count, cursor)
        if left <= count:
            tail = left
            while tail < count:
                tighter = rack_with(w, tail, w.plan_rack0[0])
                if tighter >= 0:
                    rack = tighter
                    tail = count
                tail += 1
        if rack < 0:
            count -= 1
            cursor = w.plan_rack0[0]
        else:
            taken = min(left, w.plan_count[rack])
            w.pick_rack[w.picks[0]] = rack
            w.pick_mask[w.picks[0]] = lowest_bits(rack_had(w, rack, by_ms), taken)
            w.picks[0] += 1
            left -= taken
            cursor = rack + 1


@kernel
def latest_ms(w: HoldColumns, now_ms: int) -> int:
    """When the last picked node is expected to be free."""
    latest = now_ms
    for place in range(w.picks[0]):
        rest = w.pick_mask[place]
        while rest != 0:
            node = w.rack_node0[w.pick_rack[place]] + trailing_zeros(rest)
            rest &= rest - 1
            latest = max(latest, w.plan_ms[node])
    return latest
