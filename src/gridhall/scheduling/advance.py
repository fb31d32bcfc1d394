"""Advance reservations: nodes kept for a project from a stated time to a stated time.

A reserved node that fails or is retired is replaced by an open one, the nearest first. While there is none, the
reservation lacks it, says so, and is given the next one that falls open.
"""

from gridhall.fleet.capacity import refresh_node
from gridhall.kernel import kernel, trailing_zeros
from gridhall.scheduling.decisions import HOLD, N_RESERVATION, REFUSE, WHY_RESERVATION, emit
from gridhall.scheduling.holds import FOR_PROJECT, HOLDS, drop_hold, free_hold, keep_picks
from gridhall.scheduling.jobs import R_CAPACITY, put_in_chunks, take_from_chunks
from gridhall.scheduling.owners import StartColumns, shut_reason
from gridhall.scheduling.placement import LEVEL_CELL, lowest_bits, spare_rack
from gridhall.scheduling.planning import choose_nodes, fill_plan, plan_in_cell, time_for
from gridhall.scheduling.stopping import stop_for_hold

ABOVE_ALL = 4
"""A reservation that begins may stop pre-emptible work of every priority."""


@kernel
def reserve(w: StartColumns, project: int, cells: int, nodes: int, from_ms: int, until_ms: int, now_ms: int) -> None:
    """Keep `nodes` nodes of one of the cells for a project; refuse when no cell can have them by then."""
    hold = free_hold(w)
    shut = shut_reason(w, project)
    rest = cells & w.all_cells[0] if shut == 0 else 0
    while rest != 0 and hold >= 0:
        cell = trailing_zeros(rest)
        rest &= rest - 1
        fill_plan(w, cell, 0, ABOVE_ALL, now_ms)
        bound = max(from_ms, now_ms) + 1
        compact = plan_in_cell(w, cell, nodes, LEVEL_CELL, now_ms, bound) < bound
        if compact or whole_cell_by(w, cell, nodes, now_ms, bound):
            choose_nodes(w, cell, nodes, bound - 1)
            keep_picks(w, hold, FOR_PROJECT, cell, nodes, max(from_ms, now_ms))
            w.hold_project[hold] = project
            w.hold_until_ms[hold] = until_ms
            w.decided[N_RESERVATION] += 1
            say_reserved(w, hold, now_ms)
            return
    emit(w, REFUSE, now_ms, -1, 0, 0, shut if shut != 0 else R_CAPACITY, project, nodes)


@kernel
def whole_cell_by(w: StartColumns, cell: int, nodes: int, now_ms: int, bound_ms: int) -> bool:
    """Whether the cell as a whole has the nodes in time, compact or not; it is then the range to choose from."""
    w.plan_rack0[0] = w.cell_rack0[cell]
    w.plan_rack1[0] = w.cell_rack0[cell + 1]
    return time_for(w, w.plan_rack0[0], w.plan_rack1[0], nodes, now_ms, bound_ms) < bound_ms


@kernel
def begin_and_end_reservations(w: StartColumns, now_ms: int) -> None:
    """Open a reservation to its project in its time, stopping what may be stopped; drop it when it is over."""
    for hold in range(HOLDS):
        if w.hold_kind[hold] != FOR_PROJECT:
            continue
        project = w.hold_project[hold]
        if now_ms >= w.hold_until_ms[hold]:
            if w.project_hold[project] == hold + 1:
                w.project_hold[project] = 0
            drop_hold(w, hold)
        elif now_ms >= w.hold_at_ms[hold] and w.project_hold[project] == 0:
            w.project_hold[project] = hold + 1
            stop_for_hold(w, hold, ABOVE_ALL, now_ms, WHY_RESERVATION)


@kernel
def lose_reserved(w: StartColumns, hold: int, node: int, now_ms: int) -> None:
    """A reserved node is gone: it is replaced, or lacking."""
    rack = w.node_rack[node]
    w.node_hold[node] = 0
    refresh_node(w, node)
    w.hold_chunk[hold] = take_from_chunks(w, w.hold_chunk[hold], rack, 1 << (node - w.rack_node0[rack]))
    count_lacking(w, hold, 1)
    refill(w, hold)
    say_reserved(w, hold, now_ms)


@kernel
def refill_reservations(w: StartColumns, cells: int, now_ms: int) -> None:
    """Give reservations in some cells open nodes for those that they lack."""
    for hold in range(HOLDS):
        if w.hold_lacks[hold] > 0 and (cells >> w.hold_cell[hold]) & 1 == 1 and refill(w, hold):
            say_reserved(w, hold, now_ms)


@kernel
def refill(w: StartColumns, hold: int) -> bool:
    """Give a reservation open nodes for those that it lacks, the nearest first; whether it got any."""
    lacked = w.hold_lacks[hold]
    cell = w.hold_cell[hold]
    for _ in range(lacked):
        near = w.cell_rack0[cell] if w.hold_chunk[hold] == 0 else w.chunk_rack[w.hold_chunk[hold] - 1]
        rack = spare_rack(w, near, cell, 0)
        if rack < 0:
            break
        bit = lowest_bits(w.rack_open[rack], 1)
        node = w.rack_node0[rack] + trailing_zeros(bit)
        w.node_hold[node] = hold + 1
        refresh_node(w, node)
        w.hold_chunk[hold] = put_in_chunks(w, w.hold_chunk[hold], rack, bit)
        count_lacking(w, hold, -1)
    return w.hold_lacks[hold] < lacked


@kernel
def count_lacking(w: StartColumns, hold: int, nodes: int) -> None:
    """A reservation has so many nodes fewer."""
    w.hold_nodes[hold] -= nodes
    w.cell_held_nodes[w.hold_cell[hold]] -= nodes
    w.hold_lacks[hold] += nodes
    w.nodes_lacking[0] += nodes


@kernel
def say_reserved(w: StartColumns, hold: int, now_ms: int) -> None:
    """The HOLD effect of a reservation."""
    emit(w, HOLD, now_ms, -1, hold, w.hold_lacks[hold], w.hold_cell[hold], w.hold_at_ms[hold], w.hold_nodes[hold])
