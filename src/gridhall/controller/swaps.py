"""A gang lost one node: an open one near by takes its place, and the gang starts again where it stood."""

from gridhall.controller.state import ControllerState
from gridhall.fleet.capacity import commit_watts, give_nodes, open_racks, take_nodes, watts_left
from gridhall.kernel import count_ones, kernel, trailing_zeros
from gridhall.scheduling.jobs import drop_chunks, new_chunk
from gridhall.scheduling.placement import lowest_bits
from gridhall.scheduling.starts import SWAPPED, level_of_picks, predicted_end_ms, refresh_ends, say_start


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
