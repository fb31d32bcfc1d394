"""Gangs that stand still in the simulated world: their GPUs idle, their work waits, and their end moves away.

A gang falls still some time after it was told to, all of it at once (assumed: every rank at the next step of the
work), and draws no more than idle nodes until it goes on.
"""

from gridhall.engines.twin.meters import add_watts
from gridhall.engines.twin.world import WorldColumns
from gridhall.kernel import count_ones, kernel


@kernel
def fall_still(v: WorldColumns, slot: int, time_ms: int) -> None:
    """An attempt stands still from now on."""
    v.true_still_ms[slot] = time_ms
    draw_again(v, slot, -1, time_ms)


@kernel
def go_on(v: WorldColumns, slot: int, time_ms: int) -> None:
    """An attempt that stands still goes on from where it stood."""
    stood_ms = time_ms - v.true_still_ms[slot]
    v.true_begin_ms[slot] += stood_ms
    v.true_stood_ms[slot] += stood_ms
    v.true_still_ms[slot] = 0
    draw_again(v, slot, 1, time_ms)


@kernel
def draw_again(v: WorldColumns, slot: int, sign: int, time_ms: int) -> None:
    """Add the attempt's draw above idle to its racks, or take it away."""
    at = v.true_chunk[slot]
    while at != 0:
        add_watts(v, v.piece_rack[at - 1], sign * count_ones(v.piece_mask[at - 1]) * v.true_node_w[slot], time_ms)
        at = v.piece_next[at - 1]
