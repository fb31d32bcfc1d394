"""The pass over the queue: what waits is looked at in order, and what fits starts.

A pass follows every release of capacity and looks at the work that may run where something fell free. Work that fits
starts, also out of order: nodes that are held for work ahead of it are out of its reach (unless it will be gone in
time), so it delays nobody who has a promise. The first blocked gangs get a hold; urgent ones may stop pre-emptible
work.
"""

from gridhall.kernel import kernel, trailing_zeros
from gridhall.scheduling.advance import refill_reservations
from gridhall.scheduling.decisions import N_PASSES
from gridhall.scheduling.granting import consider_hold, start_ready_holds
from gridhall.scheduling.jobs import R_CAPACITY, R_HELD
from gridhall.scheduling.owners import StartColumns, shut_reason
from gridhall.scheduling.queue import P_DEPTH, P_HOLD_DEPTH, queue_drop
from gridhall.scheduling.tries import barred, try_start


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
    if w.nodes_lacking[0] > 0:
        refill_reservations(w, cells, now_ms)
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
        if w.queue_cells[place] & cells == 0 or shut_reason(w, w.job_project[slot]) != 0:
            place += 1
            continue
        seen += 1
        own = w.project_hold[w.job_project[slot]]
        if (w.queue_gpus[place] <= most and w.queue_cells[place] & room != 0) or own != 0:
            reason = try_start(w, slot, w.queue_cells[place] & cells, now_ms)
            if reason == 0:
                queue_drop(w, place)
                room = cells_with_room(w, cells)
                most = most_open_gpus(w, room)
                continue
        else:
            reason = barred(w, slot, now_ms)
            if reason == 0:
                reason = R_CAPACITY
        w.job_reason[slot] = R_HELD if w.job_hold[slot] != 0 else reason
        if place < w.policy[P_HOLD_DEPTH]:
            consider_hold(w, slot, reason, now_ms)
        elif room == 0:
            return
        place += 1
