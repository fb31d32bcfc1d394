"""A gang lost one node: an open one near by takes its place, and the gang starts again where it stood."""

from gridhall.controller.state import ControllerState
from gridhall.fleet.capacity import commit_watts, give_nodes, take_nodes
from gridhall.kernel import count_ones, kernel, trailing_zeros
from gridhall.scheduling.constraints import level_of_picks, picks_meet
from gridhall.scheduling.jobs import put_in_chunks, take_from_chunks
from gridhall.scheduling.placement import lowest_bits, spare_rack
from gridhall.scheduling.starts import SWAPPED, predicted_end_ms, refresh_ends, say_start


@kernel
def swap_node(w: ControllerState, slot: int, now_ms: int) -> bool:
    """Replace a gang's one lost node by an open one and start it again in place; False when that cannot be done."""
    lost = 0
    broken = 0
    at = w.job_chunk[slot]
    while at != 0:
        down = down_in(w, w.chunk_rack[at - 1], w.chunk_mask[at - 1])
        lost += count_ones(down)
        if any_cordoned(w, w.chunk_rack[at - 1], w.chunk_mask[at - 1] & ~down):
            return False
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
    if not meets_after(w, slot, old, broken, spare, new):
        return False
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
def meets_after(w: ControllerState, slot: int, old: int, broken: int, spare: int, new: int) -> bool:
    """Whether the gang would be as it must be with the new node in place of the old."""
    w.picks[0] = 0
    added = new
    at = w.job_chunk[slot]
    while at != 0:
        mask = w.chunk_mask[at - 1] & ~(old if at == broken else 0)
        if w.chunk_rack[at - 1] == spare:
            mask |= added
            added = 0
        if mask != 0:
            add_rack(w, w.chunk_rack[at - 1], mask)
        at = w.chunk_next[at - 1]
    if added != 0:
        add_rack(w, spare, added)
    met = picks_meet(w, slot)
    w.picks[0] = 0
    return met


@kernel
def add_rack(w: ControllerState, rack: int, mask: int) -> None:
    """Note some nodes of a rack in the list of picks."""
    w.pick_rack[w.picks[0]] = rack
    w.pick_mask[w.picks[0]] = mask
    w.picks[0] += 1


@kernel
def replace_chunk(w: ControllerState, slot: int, broken: int, old: int, spare: int, new: int) -> None:
    """Write the new node into the gang's list of chunks: one chunk a rack, none empty."""
    first = w.job_chunk[slot]
    same = first
    while same != 0 and w.chunk_rack[same - 1] != spare:
        same = w.chunk_next[same - 1]
    if same == 0 and w.chunk_mask[broken - 1] == old:
        w.chunk_rack[broken - 1] = spare
        w.chunk_mask[broken - 1] = new
        return
    rack = w.chunk_rack[broken - 1]
    w.job_chunk[slot] = take_from_chunks(w, put_in_chunks(w, first, spare, new), rack, old)


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
def any_cordoned(w: ControllerState, rack: int, mask: int) -> bool:
    """Whether any of some nodes of a rack is cordoned: the gang may not begin again there."""
    rest = mask
    while rest != 0:
        if w.node_cordoned[w.rack_node0[rack] + trailing_zeros(rest)] != 0:
            return True
        rest &= rest - 1
    return False


@kernel
def rack_picks(w: ControllerState, slot: int) -> None:
    """Write a gang's racks to the picks, for `level_of_picks`."""
    w.picks[0] = 0
    at = w.job_chunk[slot]
    while at != 0:
        add_rack(w, w.chunk_rack[at - 1], w.chunk_mask[at - 1])
        at = w.chunk_next[at - 1]
