"""Together or apart: gangs that must lie inside one rack, pod or hall, or be spread over several racks.

Such a gang takes the smallest level that can hold it as it asks, there the tightest domain, and in that the fewest
racks; where it names a level, that takes the place of the policy's bound on how far gangs spread. How its nodes are cut
over racks is its **shape**: a number of racks, and a floor that each of them gets at least. A gang that must be spread
gets no time hold, because a hold's nodes are chosen to be compact: it waits its turn, and may use the spares once
others would have been given a hold.
"""

from gridhall.fleet.capacity import commit_watts, watts_left
from gridhall.kernel import column, count_ones, kernel
from gridhall.scheduling.jobs import R_CAPACITY, R_CONSTRAINT, R_POWER, R_SPARES, JobColumns
from gridhall.scheduling.placement import (
    LEVEL_CELL,
    LEVEL_HALL,
    LEVEL_POD,
    LEVEL_RACK,
    PlacementColumns,
    drop_picks,
    lowest_bits,
)

ANY_RACKS = 1 << 30
FLOOR_BITS = 8


class ConstraintColumns(PlacementColumns, JobColumns):
    """Scratch: how many nodes of each rack a gang could have."""

    rack_could = column("racks", derived=True)


@kernel
def is_constrained(w: ConstraintColumns, slot: int) -> bool:
    """Whether a gang asks for more than any nodes."""
    return level_within(w, slot) < LEVEL_CELL or w.job_min_domains[slot] > 1 or w.job_max_skew[slot] > 0


@kernel
def must_meet(w: ConstraintColumns, slot: int) -> bool:
    """Whether it would rather wait than run otherwise."""
    return w.job_best_effort[slot] == 0 and is_constrained(w, slot)


@kernel
def must_spread(w: ConstraintColumns, slot: int) -> bool:
    """Whether it has to be cut over racks in a way that a time hold cannot promise."""
    return w.job_best_effort[slot] == 0 and (w.job_min_domains[slot] > 1 or w.job_max_skew[slot] > 0)


@kernel
def level_within(w: ConstraintColumns, slot: int) -> int:
    """The widest level that the gang may be spread over."""
    return w.job_pack_level[slot] - 1 if w.job_pack_level[slot] > 0 else LEVEL_CELL


@kernel
def level_for_hold(w: ConstraintColumns, slot: int) -> int:
    """The widest level over which a time hold for the gang may reach."""
    return level_within(w, slot) if w.job_best_effort[slot] == 0 else LEVEL_CELL


@kernel
def level_of_picks(w: PlacementColumns) -> int:
    """The smallest level that contains all picks."""
    first = w.pick_rack[0]
    level = LEVEL_RACK
    for place in range(w.picks[0]):
        rack = w.pick_rack[place]
        if w.rack_hall[rack] != w.rack_hall[first]:
            return LEVEL_CELL
        if w.rack_pod[rack] != w.rack_pod[first]:
            level = LEVEL_HALL
        elif rack != first:
            level = max(level, LEVEL_POD)
    return level


@kernel
def picks_meet(w: ConstraintColumns, slot: int) -> bool:
    """Whether the picks, one a rack, are as the gang must have them."""
    if not must_meet(w, slot):
        return True
    least = 1 << 30
    most = 0
    for place in range(w.picks[0]):
        count = count_ones(w.pick_mask[place])
        least = min(least, count)
        most = max(most, count)
    if w.job_max_skew[slot] > 0 and most - least > w.job_max_skew[slot]:
        return False
    return w.picks[0] >= w.job_min_domains[slot] and level_of_picks(w) <= level_within(w, slot)


@kernel
def could_ever_meet(w: ConstraintColumns, slot: int, cell: int, nodes: int) -> bool:
    """Whether a cell that is empty and complete could hold the gang as it asks."""
    for rack in range(w.cell_rack0[cell], w.cell_rack0[cell + 1]):
        shared = w.node_shared[w.rack_node0[rack]] == 1
        w.rack_could[rack] = 0 if shared else w.rack_node0[rack + 1] - w.rack_node0[rack]
    for level in range(level_within(w, slot) + 1):
        if tightest_domain(w, slot, cell, level, nodes, ANY_RACKS) >= 0:
            return True
    return False


@kernel
def pick_as_asked(
    w: ConstraintColumns, slot: int, cell: int, nodes: int, node_w: int, max_racks: int, spares: int
) -> int:
    """Pick open whole nodes of one cell for a gang as it asks; 0, or the reason why not."""
    w.picks[0] = 0
    if w.cell_open[cell] - spares < nodes:
        return R_CAPACITY if w.cell_open[cell] < nodes else R_SPARES
    short = count_open(w, cell, node_w)
    most = ANY_RACKS if level_within(w, slot) < LEVEL_CELL else max(max_racks, w.job_min_domains[slot])
    for level in range(level_within(w, slot) + 1):
        domain = tightest_domain(w, slot, cell, level, nodes, most)
        if domain >= 0:
            w.pick_level[0] = level
            if pick_shape(w, slot, cell, level, domain, nodes, most, node_w):
                return 0
            short = True
    return R_POWER if short else R_CONSTRAINT


@kernel
def count_open(w: ConstraintColumns, cell: int, node_w: int) -> bool:
    """Count for each rack the open nodes that its power ancestors bear by itself; True if watts were short anywhere."""
    short = False
    for rack in range(w.cell_rack0[cell], w.cell_rack0[cell + 1]):
        count = w.rack_open_count[rack]
        if count > 0 and watts_left(w, rack) < count * node_w:
            w.power_asked[0] += 1
            short = True
            count = max(0, watts_left(w, rack) // node_w)
        w.rack_could[rack] = count
    return short


# --- domains: the racks, pods or halls of a cell, or all of it ------------------------------------------------------


@kernel
def first_domain(w: ConstraintColumns, cell: int, level: int) -> int:
    """The first domain of a cell at a level; the last one is before the first of the next cell."""
    if level == LEVEL_RACK:
        return w.cell_rack0[cell]
    if level == LEVEL_POD:
        return w.hall_pod0[w.cell_hall0[cell]]
    return w.cell_hall0[cell] if level == LEVEL_HALL else cell


@kernel
def first_rack(w: ConstraintColumns, level: int, domain: int) -> int:
    """The first rack of a domain; the last one is before the first of the next domain."""
    if level == LEVEL_RACK:
        return domain
    if level == LEVEL_POD:
        return w.pod_rack0[domain]
    return w.hall_rack0[domain] if level == LEVEL_HALL else w.cell_rack0[domain]


@kernel
def tightest_domain(w: ConstraintColumns, slot: int, cell: int, level: int, nodes: int, max_racks: int) -> int:
    """The domain of a level with the fewest nodes to be had that can hold the gang as it asks, or -1."""
    best = -1
    best_nodes = 0
    for domain in range(first_domain(w, cell, level), first_domain(w, cell + 1, level)):
        could = 0
        for rack in range(first_rack(w, level, domain), first_rack(w, level, domain + 1)):
            could += w.rack_could[rack]
        if could < nodes or (best >= 0 and could >= best_nodes):
            continue
        if shape_in(w, slot, cell, level, domain, nodes, max_racks) > 0:
            best = domain
            best_nodes = could
    return best


# --- shapes ---------------------------------------------------------------------------------------------------------


@kernel
def shape_in(w: ConstraintColumns, slot: int, cell: int, level: int, domain: int, nodes: int, max_racks: int) -> int:
    """The shape with the fewest racks for a gang in a domain, as racks << FLOOR_BITS | floor; 0 when there is none."""
    size = w.cell_rack_size[cell]
    for count in range(size + 1):
        w.racks_with[count] = 0
    for rack in range(first_rack(w, level, domain), first_rack(w, level, domain + 1)):
        w.racks_with[w.rack_could[rack]] += 1
    best = 0
    floors = size if w.job_max_skew[slot] > 0 else 1
    for floor in range(1, floors + 1):
        racks = racks_above(w, slot, size, floor, nodes)
        if 0 < racks <= max_racks and (best == 0 or racks < best >> FLOOR_BITS):
            best = racks << FLOOR_BITS | floor
    return best


@kernel
def racks_above(w: ConstraintColumns, slot: int, size: int, floor: int, nodes: int) -> int:
    """The fewest racks, of at least `floor` nodes each and no more skew than is asked, for a gang; 0 when too few."""
    least = w.job_min_domains[slot]
    top = most_in_rack(w, slot, size, floor)
    racks = 0
    had = 0
    count = size
    while count >= floor and (had < nodes or racks < least):
        each = min(count, top)
        needed = max((nodes - had + each - 1) // each, least - racks)
        some = min(w.racks_with[count], needed)
        racks += some
        had += some * each
        count -= 1
    return racks if had >= nodes and racks >= least and racks * floor <= nodes else 0


@kernel
def most_in_rack(w: ConstraintColumns, slot: int, size: int, floor: int) -> int:
    """Nodes that one rack may have where another has the floor."""
    return min(size, floor + w.job_max_skew[slot]) if w.job_max_skew[slot] > 0 else size


@kernel
def pick_shape(
    w: ConstraintColumns, slot: int, cell: int, level: int, domain: int, nodes: int, max_racks: int, node_w: int
) -> bool:
    """Pick a gang's nodes in a domain in its shape, fullest racks first; False, and no picks, when watts are short."""
    shape = shape_in(w, slot, cell, level, domain, nodes, max_racks)
    floor = shape & ((1 << FLOOR_BITS) - 1)
    racks = shape >> FLOOR_BITS
    extra = nodes - racks * floor
    top = most_in_rack(w, slot, w.cell_rack_size[cell], floor)
    for less in range(top - floor + 1):
        each = top - less
        for rack in range(first_rack(w, level, domain), first_rack(w, level, domain + 1)):
            if w.picks[0] == racks or min(w.rack_could[rack], top) != each:
                continue
            count = floor + min(extra, each - floor)
            extra -= count - floor
            if watts_left(w, rack) < count * node_w:
                w.power_asked[0] += 1
                drop_picks(w, node_w)
                return False
            commit_watts(w, rack, count * node_w)
            w.pick_rack[w.picks[0]] = rack
            w.pick_mask[w.picks[0]] = lowest_bits(w.rack_open[rack], count)
            w.picks[0] += 1
    return True
