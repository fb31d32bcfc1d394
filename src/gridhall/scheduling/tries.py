"""May this job start now, and where? Tried in its cells, the fullest first, in the shared pool, and on held nodes."""

from gridhall.fleet.arrays import MAX_GPUS_PER_NODE
from gridhall.fleet.capacity import commit_watts, watts_left
from gridhall.kernel import count_ones, kernel, trailing_zeros
from gridhall.scheduling.constraints import is_constrained, level_of_picks, must_spread, pick_as_asked, picks_meet
from gridhall.scheduling.decisions import (
    N_BACKFILL_HELD,
    N_PLACES,
    N_POWER,
    N_QUOTA,
    N_RESERVATION,
    N_SPARES,
    N_TOPOLOGY,
    N_TRIES,
)
from gridhall.scheduling.holds import HOLDS, nodes_in
from gridhall.scheduling.jobs import (
    R_BACKOFF,
    R_CONSTRAINT,
    R_NOT_READY,
    R_PLACES,
    R_POWER,
    R_QUOTA,
    R_SPARES,
    R_TOPOLOGY,
)
from gridhall.scheduling.owners import (
    StartColumns,
    cell_bears,
    charged_gpus,
    quota_allows,
    shut_reason,
    watts_per_node,
)
from gridhall.scheduling.placement import drop_picks, find_part, lowest_bits, pick_gang
from gridhall.scheduling.queue import (
    P_HOLD_AFTER_MS,
    P_LARGE_AFTER_MS,
    P_LARGE_NODES,
    P_SPREAD_MILLI,
    P_SPREAD_WAIT_MS,
)
from gridhall.scheduling.starts import needs_share, predicted_end_ms, start_part, start_picks, start_shared


@kernel
def try_start(w: StartColumns, slot: int, cells: int, now_ms: int) -> int:
    """Try to start a waiting job in any of the given cells, the fullest first; 0, or why it goes on waiting."""
    w.decided[N_TRIES] += 1
    reason = barred(w, slot, now_ms)
    if reason != 0:
        count_reason(w, reason)
        return reason
    allowed = w.job_cells[slot] & cells
    shares = w.pool_count[0] > 0 and w.job_gpus[slot] <= MAX_GPUS_PER_NODE
    if needs_share(w, slot):
        reason = start_shared(w, slot, allowed, now_ms)
        count_reason(w, reason)
        return reason
    asked = is_constrained(w, slot)
    reason = try_cells(w, slot, allowed, asked, now_ms)
    while reason != 0 and asked and w.job_best_effort[slot] != 0:
        asked = False
        reason = try_cells(w, slot, allowed, asked, now_ms)
    if reason == 0:
        return 0
    if shares and (not asked or w.job_min_domains[slot] <= 1) and start_shared(w, slot, allowed, now_ms) == 0:
        return 0
    if reason != R_NOT_READY and reason != R_QUOTA and start_in_hold(w, slot, allowed, now_ms):
        return 0
    count_reason(w, reason)
    return reason


@kernel
def try_cells(w: StartColumns, slot: int, allowed: int, as_asked: bool, now_ms: int) -> int:
    """Try the open nodes of some cells, the fullest first, if asked only as the gang's constraint says."""
    reason = R_NOT_READY
    rest = allowed
    while rest != 0:
        cell = fullest_cell(w, rest)
        rest &= ~(1 << cell)
        if w.cell_nodes_up[cell] == 0:
            continue
        charged = charged_gpus(w, slot, cell)
        in_quota = charged == w.job_least_gpus[slot] or quota_allows(w, slot, charged)
        if not in_quota or not cell_bears(w, slot, cell):
            reason = R_QUOTA
            continue
        reason = start_in_cell(w, slot, cell, as_asked, now_ms)
        if reason == 0:
            if allowed != w.all_cells[0]:
                w.decided[N_PLACES] += 1
            return 0
    return reason


@kernel
def barred(w: StartColumns, slot: int, now_ms: int) -> int:
    """Why a job may not start wherever there is room: back-off, its project shut, or no quota left; 0 = it may."""
    if w.job_not_before_ms[slot] > now_ms:
        return R_BACKOFF
    shut = shut_reason(w, w.job_project[slot])
    if shut != 0:
        return shut
    return 0 if quota_allows(w, slot, w.job_least_gpus[slot]) else R_QUOTA


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
def start_in_cell(w: StartColumns, slot: int, cell: int, as_asked: bool, now_ms: int) -> int:
    """Try to start a job on the open nodes of one cell; 0, or the reason why not."""
    gpus = charged_gpus(w, slot, cell)
    node_w = watts_per_node(w, slot, cell)
    spares = w.cell_spares[cell]
    if gpus < w.cell_gpus_per_node[cell]:
        if as_asked and w.job_min_domains[slot] > 1:
            return R_CONSTRAINT
        node = find_part(w, cell, gpus, node_w, spares)
        if node < 0:
            return -node
        start_part(w, slot, cell, node, now_ms)
        return 0
    nodes = nodes_in(w, cell, gpus)
    max_racks = racks_allowed(w, slot, cell, nodes, now_ms)
    if as_asked:
        if must_spread(w, slot) and now_ms - w.job_submit_ms[slot] >= hold_after_ms(w, slot):
            spares = 0
        reason = pick_as_asked(w, slot, cell, nodes, node_w, max_racks, spares)
    else:
        reason = pick_gang(w, cell, nodes, node_w, max_racks, spares)
    if reason == 0:
        start_picks(w, slot, cell, w.pick_level[0], now_ms)
    return reason


@kernel
def racks_allowed(w: StartColumns, slot: int, cell: int, nodes: int, now_ms: int) -> int:
    """Racks over which a gang may spread: close to the fewest possible, more the longer it has waited."""
    size = w.cell_rack_size[cell]
    fewest = (nodes + size - 1) // size
    waited = max(0, now_ms - w.job_submit_ms[slot])
    milli = w.policy[P_SPREAD_MILLI] + waited * 1000 // max(1, w.policy[P_SPREAD_WAIT_MS])
    return fewest * milli // 1000


@kernel
def hold_after_ms(w: StartColumns, slot: int) -> int:
    """How long a blocked gang waits before it is given a hold."""
    nodes = nodes_in(w, trailing_zeros(w.job_cells[slot]), w.job_gpus[slot])
    return w.policy[P_LARGE_AFTER_MS if nodes >= w.policy[P_LARGE_NODES] else P_HOLD_AFTER_MS]


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
        if not quota_allows(w, slot, charged_gpus(w, slot, cell)) or not cell_bears(w, slot, cell):
            continue
        node_w = watts_per_node(w, slot, cell)
        if pick_held(w, hold, nodes, node_w, hold != own):
            if not picks_meet(w, slot):
                drop_picks(w, node_w)
                continue
            start_picks(w, slot, cell, level_of_picks(w), now_ms)
            w.decided[N_RESERVATION if hold == own else N_BACKFILL_HELD] += 1
            return True
    return False


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
def count_reason(w: StartColumns, reason: int) -> None:
    """Count what kept a job waiting."""
    if reason == R_QUOTA:
        w.decided[N_QUOTA] += 1
    elif reason == R_POWER:
        w.decided[N_POWER] += 1
    elif reason == R_SPARES:
        w.decided[N_SPARES] += 1
    elif reason == R_TOPOLOGY:
        w.decided[N_TOPOLOGY] += 1
    elif reason == R_PLACES:
        w.decided[N_PLACES] += 1
