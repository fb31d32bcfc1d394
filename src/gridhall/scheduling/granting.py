"""Who gets a time reservation, and when one is done: held gangs start, or are completed from open nodes.

A blocked gang is entitled to a hold once it has waited long enough and few enough nodes stand idle in holds; urgent
work gets one at once and may stop pre-emptible work for it.
"""

from gridhall.fleet.capacity import NEVER_MS
from gridhall.kernel import count_ones, kernel, trailing_zeros
from gridhall.scheduling.constraints import must_spread, picks_meet
from gridhall.scheduling.decisions import WHY_PREEMPTED
from gridhall.scheduling.holds import (
    FOR_GANG,
    FOR_PROJECT,
    FOR_URGENT,
    HOLDS,
    drop_hold,
    gives_way,
    hold_ready,
    keep_picks,
    nodes_in,
)
from gridhall.scheduling.jobs import R_CAPACITY, R_CONSTRAINT, R_HELD, R_SPARES, R_TOPOLOGY
from gridhall.scheduling.owners import (
    StartColumns,
    cell_bears,
    charged_gpus,
    quota_allows,
)
from gridhall.scheduling.planning import choose_nodes, hold_gang, window_ms
from gridhall.scheduling.queue import (
    P_CELL_HOLDS,
    P_HOLD_SHARE_MILLI,
    P_IDLE_SHARE_MILLI,
    P_PREEMPT_WAIT_MS,
    P_PREEMPT_WITHIN_MS,
    P_REPLAN_MS,
    queue_drop,
    queue_find,
)
from gridhall.scheduling.starts import start_hold
from gridhall.scheduling.stopping import stop_for_hold
from gridhall.scheduling.tries import hold_after_ms, racks_allowed, try_start


@kernel
def consider_hold(w: StartColumns, slot: int, reason: int, now_ms: int) -> None:
    """Give a blocked job a time reservation if it is entitled to one; urgent work may stop others for it."""
    if w.job_hold[slot] != 0 or max(w.job_plan_ms[slot], w.job_not_before_ms[slot]) > now_ms:
        return
    if reason != R_CAPACITY and reason != R_TOPOLOGY and reason != R_SPARES and reason != R_CONSTRAINT:
        return
    if must_spread(w, slot):
        return
    priority = w.job_priority[slot]
    waited = now_ms - w.job_submit_ms[slot]
    urgent = priority >= 3 or (priority == 2 and waited >= w.policy[P_PREEMPT_WAIT_MS])
    patient = waited >= hold_after_ms(w, slot) and idle_is_bearable(w)
    if not (urgent or patient):
        return
    w.job_plan_ms[slot] = now_ms + w.policy[P_REPLAN_MS]
    cells = cells_for_hold(w, slot)
    if cells == 0:
        return
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
    up = 0
    for cell in range(count_ones(w.all_cells[0])):
        up += w.cell_nodes_up[cell]
    return w.idle_held[0] * 1000 <= w.policy[P_IDLE_SHARE_MILLI] * up


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
        if nodes > w.cell_nodes_up[cell] or not quota_allows(w, slot, charged_gpus(w, slot, cell)):
            continue
        if not cell_bears(w, slot, cell):
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
def complete_hold(w: StartColumns, hold: int, now_ms: int) -> bool:
    """Start a gang on its held nodes that are free, and open ones for the busy rest, if that is compact enough."""
    cell = w.hold_cell[hold]
    slot = w.hold_slot[hold] - 1
    nodes = w.hold_nodes[hold]
    if missing_nodes(w, hold) > w.cell_open[cell] or nodes <= w.cell_rack_size[cell]:
        return False
    if not quota_allows(w, slot, nodes * w.cell_gpus_per_node[cell]) or not cell_bears(w, slot, cell):
        return False
    for node in range(w.rack_node0[w.cell_rack0[cell]], w.rack_node0[w.cell_rack0[cell + 1]]):
        bit = 1 << (node - w.rack_node0[w.node_rack[node]])
        free = w.rack_free[w.node_rack[node]] & bit != 0
        w.plan_ms[node] = 0 if free and (w.node_hold[node] == 0 or w.node_hold[node] == hold + 1) else NEVER_MS
    w.plan_rack0[0] = w.cell_rack0[cell]
    w.plan_rack1[0] = w.cell_rack0[cell + 1]
    choose_nodes(w, cell, nodes, now_ms)
    if w.picks[0] > racks_allowed(w, slot, cell, nodes, now_ms) or not picks_meet(w, slot):
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
