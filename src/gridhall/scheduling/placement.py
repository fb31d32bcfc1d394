"""Where a gang goes: the smallest level of a cell that holds it, the fullest racks first, a tight tail.

Levels are the rack (an NVLink domain where the hardware has one), the pod, the hall and the cell. Nothing is changed
here
but the list of picks and, while picking, the watts committed above them: a caller either commits the picks or drops
them.
"""

from gridhall.fleet.capacity import RACK_SETS, CapacityColumns, commit_watts, open_racks, part_nodes, watts_left
from gridhall.kernel import column, kernel, trailing_zeros
from gridhall.scheduling.jobs import R_CAPACITY, R_POWER, R_SPARES, R_TOPOLOGY

LEVEL_RACK = 0
LEVEL_POD = 1
LEVEL_HALL = 2
LEVEL_CELL = 3
RACK_TRIES = 8
"""Racks that are looked at for head-room in watts before the search widens."""


class PlacementColumns(CapacityColumns):
    """Sizes: picks (racks in one gang at most)."""

    pick_rack = column("picks", derived=True)
    pick_mask = column("picks", derived=True)
    picks = column(1, derived=True)
    racks_with = column(RACK_SETS, derived=True)  # scratch: racks by their number of open nodes
    pick_level = column(1, derived=True)
    cell_spares = column("cells")  # open nodes kept for swaps after a failure
    power_asked = column(1)  # how often watts limited a pick


@kernel
def lowest_bits(mask: int, count: int) -> int:
    """The lowest `count` set bits of the mask."""
    rest = mask
    for _ in range(count):
        rest &= rest - 1
    return mask & ~rest


@kernel
def add_pick(w: PlacementColumns, rack: int, wanted: int, node_w: int) -> int:
    """Pick up to `wanted` open nodes of a rack, as many as its power ancestors bear; returns how many."""
    count = min(wanted, w.rack_open_count[rack])
    if node_w > 0:
        left = watts_left(w, rack)
        if left < count * node_w:
            w.power_asked[0] += 1
            count = max(0, left // node_w)
    if count > 0:
        place = w.picks[0]
        w.pick_rack[place] = rack
        w.pick_mask[place] = lowest_bits(w.rack_open[rack], count)
        w.picks[0] = place + 1
        commit_watts(w, rack, count * node_w)
    return count


@kernel
def drop_picks(w: PlacementColumns, node_w: int) -> None:
    """Forget the picks and give their watts back."""
    for place in range(w.picks[0]):
        rest = w.pick_mask[place]
        count = 0
        while rest != 0:
            rest &= rest - 1
            count += 1
        commit_watts(w, w.pick_rack[place], -count * node_w)
    w.picks[0] = 0


@kernel
def pick_range(w: PlacementColumns, cell: int, rack0: int, rack1: int, nodes: int, node_w: int) -> int:
    """Pick from racks rack0..rack1-1: fullest first, then a tight tail. Returns the nodes still missing."""
    left = nodes
    count = w.cell_rack_size[cell]
    cursor = rack0
    while left > 0 and count > 0:
        if left <= count:
            tail = left
            while tail <= count:
                rack = open_racks(w, cell, tail, cursor if tail == count else rack0)
                if rack >= 0 and rack < rack1 and watts_left(w, rack) >= left * node_w:
                    return left - add_pick(w, rack, left, node_w)
                tail += 1
        rack = open_racks(w, cell, count, cursor)
        if rack < 0 or rack >= rack1:
            count -= 1
            cursor = rack0
        else:
            left -= add_pick(w, rack, left, node_w)
            cursor = rack + 1
    return left


@kernel
def tightest_pod(w: PlacementColumns, cell: int, nodes: int) -> int:
    """The pod of the cell with the fewest open nodes that still has `nodes`, or -1."""
    best = -1
    first = w.hall_pod0[w.cell_hall0[cell]]
    for pod in range(first, w.hall_pod0[w.cell_hall0[cell + 1]]):
        if w.pod_open[pod] >= nodes and (best < 0 or w.pod_open[pod] < w.pod_open[best]):
            best = pod
    return best


@kernel
def tightest_hall(w: PlacementColumns, cell: int, nodes: int) -> int:
    """The hall of the cell with the fewest open nodes that still has `nodes`, or -1."""
    best = -1
    for hall in range(w.cell_hall0[cell], w.cell_hall0[cell + 1]):
        if w.hall_open[hall] >= nodes and (best < 0 or w.hall_open[hall] < w.hall_open[best]):
            best = hall
    return best


@kernel
def racks_needed(w: PlacementColumns, cell: int, rack0: int, rack1: int, nodes: int) -> int:
    """The fewest racks of a range whose open nodes hold a gang; all of them where the range is too small."""
    size = w.cell_rack_size[cell]
    for count in range(size + 1):
        w.racks_with[count] = 0
    for rack in range(rack0, rack1):
        w.racks_with[w.rack_open_count[rack]] += 1
    racks = 0
    left = nodes
    for less in range(size):
        count = size - less
        whole = min(w.racks_with[count], left // count)
        racks += whole
        left -= whole * count
        if left > 0 and whole < w.racks_with[count]:
            return racks + 1
    return racks


@kernel
def within_racks(w: PlacementColumns, cell: int, nodes: int, max_racks: int) -> bool:
    """Whether the fullest `max_racks` racks of a cell hold a gang: if not, no part of the cell does."""
    racks = max_racks
    left = nodes
    count = w.cell_rack_size[cell]
    while racks > 0 and left > 0 and count > 0:
        some = min(racks, w.cell_racks_with[cell * RACK_SETS + count])
        racks -= some
        left -= some * count
        count -= 1
    return left <= 0


@kernel
def pick_rack_level(w: PlacementColumns, cell: int, nodes: int, node_w: int) -> int:
    """Pick one rack, the tightest that holds the gang; 0, or the reason why not."""
    counts = w.cell_open_counts[cell] >> nodes
    if counts == 0:
        return R_TOPOLOGY
    tries = 0
    while counts != 0 and tries < RACK_TRIES:
        count = nodes + trailing_zeros(counts)
        rack = open_racks(w, cell, count, w.cell_rack0[cell])
        while rack >= 0 and tries < RACK_TRIES:
            tries += 1
            if add_pick(w, rack, nodes, node_w) == nodes:
                return 0
            drop_picks(w, node_w)
            rack = open_racks(w, cell, count, rack + 1)
        counts = counts >> (count - nodes + 1) << (count - nodes + 1)
    return R_POWER


@kernel
def pick_gang(w: PlacementColumns, cell: int, nodes: int, node_w: int, max_racks: int, spares: int) -> int:
    """Pick open whole nodes of one cell for a gang; 0, or the reason why not. At most `max_racks` racks are used."""
    w.picks[0] = 0
    if w.cell_open[cell] - spares < nodes:
        return R_CAPACITY if w.cell_open[cell] < nodes else R_SPARES
    reason = R_TOPOLOGY
    if nodes <= w.cell_rack_size[cell]:
        reason = pick_rack_level(w, cell, nodes, node_w)
        if reason == 0:
            w.pick_level[0] = LEVEL_RACK
            return 0
    if max_racks * w.cell_rack_size[cell] < nodes or max_racks < 2:
        return reason
    if not within_racks(w, cell, nodes, max_racks):
        return R_TOPOLOGY
    pod = tightest_pod(w, cell, nodes)
    if pod >= 0:
        w.pick_level[0] = LEVEL_POD
        missing = pick_range(w, cell, w.pod_rack0[pod], w.pod_rack0[pod + 1], nodes, node_w)
        if missing == 0 and w.picks[0] <= max_racks:
            return 0
        drop_picks(w, node_w)
    hall = tightest_hall(w, cell, nodes)
    if hall >= 0 and racks_needed(w, cell, w.hall_rack0[hall], w.hall_rack0[hall + 1], nodes) <= max_racks:
        w.pick_level[0] = LEVEL_HALL
        missing = pick_range(w, cell, w.hall_rack0[hall], w.hall_rack0[hall + 1], nodes, node_w)
        if missing == 0 and w.picks[0] <= max_racks:
            return 0
        drop_picks(w, node_w)
    w.pick_level[0] = LEVEL_CELL
    missing = pick_range(w, cell, w.cell_rack0[cell], w.cell_rack0[cell + 1], nodes, node_w)
    if missing == 0 and w.picks[0] <= max_racks:
        return 0
    drop_picks(w, node_w)
    return R_TOPOLOGY if missing == 0 else R_POWER


@kernel
def find_part(w: PlacementColumns, cell: int, gpus: int, watts: int, spares: int) -> int:
    """The node for a job that needs part of one: the fullest that still fits, else open one in the fullest rack.

    Returns the node, or minus the reason why not.
    """
    counts = w.cell_part_counts[cell] >> gpus
    tries = 0
    while counts != 0 and tries < RACK_TRIES:
        free = gpus + trailing_zeros(counts)
        node = part_nodes(w, cell, free, w.rack_node0[w.cell_rack0[cell]])
        while node >= 0 and tries < RACK_TRIES:
            tries += 1
            if watts_left(w, w.node_rack[node]) >= watts:
                return node
            w.power_asked[0] += 1
            node = part_nodes(w, cell, free, node + 1)
        counts = counts >> (free - gpus + 1) << (free - gpus + 1)
    if tries > 0 and w.cell_open[cell] == 0:
        return -R_POWER
    if w.cell_open[cell] - spares < 1:
        return -R_CAPACITY if w.cell_open[cell] < 1 else -R_SPARES
    w.picks[0] = 0
    if pick_rack_level(w, cell, 1, watts) != 0:
        return -R_POWER
    node = w.rack_node0[w.pick_rack[0]] + trailing_zeros(w.pick_mask[0])
    drop_picks(w, watts)
    return node


@kernel
def spare_rack(w: PlacementColumns, rack: int, cell: int, node_w: int) -> int:
    """The nearest rack with an open node and its watts: `rack` itself, its pod, its hall, then the cell; -1 = none."""
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
