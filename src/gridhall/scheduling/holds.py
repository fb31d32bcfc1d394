"""Time reservations: nodes kept for a gang until the last of them falls free, or for a project from a set time.

A hold names its nodes. They leave the open capacity at once, so that nothing new delays the gang, but work that is
expected to end before the hold's time may still run on them (back-fill). Which nodes is decided in `planning`, who gets
a hold in `granting`.
"""

from gridhall.fleet.capacity import note_node, refresh_rack
from gridhall.kernel import column, kernel, trailing_zeros
from gridhall.scheduling.constraints import ConstraintColumns
from gridhall.scheduling.decisions import N_HOLDS, DecisionColumns
from gridhall.scheduling.jobs import R_UNCONSIDERED, drop_chunks, new_chunk
from gridhall.scheduling.queue import QueueColumns

HOLDS = 96
FOR_GANG = 1
FOR_URGENT = 2
FOR_PROJECT = 3


class HoldColumns(ConstraintColumns, QueueColumns, DecisionColumns):
    """HOLDS time reservations; kind 0 = unused."""

    hold_kind = column(HOLDS)
    hold_slot = column(HOLDS)  # slot + 1 of the gang it is for
    hold_project = column(HOLDS)
    hold_cell = column(HOLDS)
    hold_nodes = column(HOLDS)
    hold_at_ms = column(HOLDS)  # when its nodes are expected to be free, or the reservation begins
    hold_until_ms = column(HOLDS)  # end of an advance reservation
    hold_lacks = column(HOLDS)  # nodes that an advance reservation lost and has found no others for
    nodes_lacking = column(1)  # the same over all reservations
    hold_chunk = column(HOLDS)
    cell_holds = column("cells")
    cell_held_nodes = column("cells")
    plan_ms = column("nodes", derived=True)  # scratch: when each node of the cell at hand could be had
    plan_count = column("racks", derived=True)
    plan_rack0 = column(1, derived=True)
    plan_rack1 = column(1, derived=True)


@kernel
def gives_way(w: HoldColumns, hold: int, nodes: int) -> bool:
    """Whether a hold gives way to a gang of `nodes` nodes: it is for a gang of at most half the size.

    Small gangs find gaps every hour, very large ones never do unless holds for them come first.
    """
    return w.hold_kind[hold] == FOR_GANG and 2 * w.hold_nodes[hold] <= nodes


@kernel
def free_hold(w: HoldColumns) -> int:
    """The lowest unused hold, or -1."""
    for hold in range(HOLDS):
        if w.hold_kind[hold] == 0:
            return hold
    return -1


@kernel
def keep_picks(w: HoldColumns, hold: int, kind: int, cell: int, nodes: int, at_ms: int) -> None:
    """Turn the picks into a hold: its nodes leave the open capacity."""
    w.hold_kind[hold] = kind
    w.hold_cell[hold] = cell
    w.hold_nodes[hold] = nodes
    w.hold_at_ms[hold] = at_ms
    w.cell_holds[cell] += 1
    w.cell_held_nodes[cell] += nodes
    w.decided[N_HOLDS] += 1
    chunks = 0
    for place in range(w.picks[0] - 1, -1, -1):
        chunks = new_chunk(w, w.pick_rack[place], w.pick_mask[place], chunks)
    w.hold_chunk[hold] = chunks
    w.picks[0] = 0
    mark_nodes(w, hold, hold + 1)


@kernel
def mark_nodes(w: HoldColumns, hold: int, mark: int) -> None:
    """Write who holds the nodes of a hold."""
    at = w.hold_chunk[hold]
    while at != 0:
        rest = w.chunk_mask[at - 1]
        while rest != 0:
            node = w.rack_node0[w.chunk_rack[at - 1]] + trailing_zeros(rest)
            rest &= rest - 1
            w.node_hold[node] = mark
            note_node(w, node)
        refresh_rack(w, w.chunk_rack[at - 1])
        at = w.chunk_next[at - 1]


@kernel
def drop_hold(w: HoldColumns, hold: int) -> None:
    """Give a hold's nodes back to the open capacity."""
    mark_nodes(w, hold, 0)
    drop_chunks(w, w.hold_chunk[hold])
    w.cell_holds[w.hold_cell[hold]] -= 1
    w.cell_held_nodes[w.hold_cell[hold]] -= w.hold_nodes[hold]
    w.nodes_lacking[0] -= w.hold_lacks[hold]
    w.hold_lacks[hold] = 0
    w.hold_kind[hold] = 0
    w.hold_chunk[hold] = 0
    if w.hold_slot[hold] != 0:
        w.job_hold[w.hold_slot[hold] - 1] = 0
        w.job_reason[w.hold_slot[hold] - 1] = R_UNCONSIDERED
        w.hold_slot[hold] = 0


@kernel
def set_aside(w: HoldColumns, cell: int, nodes: int) -> None:
    """Drop the holds of a cell that give way to a gang of `nodes` nodes; their gangs are planned again later."""
    for hold in range(HOLDS):
        if w.hold_kind[hold] != 0 and w.hold_cell[hold] == cell and gives_way(w, hold, nodes):
            w.job_plan_ms[w.hold_slot[hold] - 1] = 0
            drop_hold(w, hold)


@kernel
def hold_ready(w: HoldColumns, hold: int) -> bool:
    """Whether every node of a hold is free."""
    at = w.hold_chunk[hold]
    while at != 0:
        if w.chunk_mask[at - 1] & ~w.rack_free[w.chunk_rack[at - 1]] != 0:
            return False
        at = w.chunk_next[at - 1]
    return True


@kernel
def nodes_in(w: HoldColumns, cell: int, gpus: int) -> int:
    """Whole nodes that a gang needs in a cell."""
    per_node = w.cell_gpus_per_node[cell]
    return (gpus + per_node - 1) // per_node
