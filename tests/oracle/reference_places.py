"""Where a job goes, by looking at every rack: the smallest level that holds it, fullest racks first, a tight tail."""

from gridhall.scheduling import queue as q
from gridhall.scheduling.jobs import R_CAPACITY, R_POWER, R_SPARES, R_TOPOLOGY
from tests.oracle.reference_state import Cell, Job, Node, Piece, Rack, State

RACK, POD, HALL, CELL = range(4)
TRIES = 8
"""Racks (or partly used nodes) that are looked at for watts before the search widens."""


def charged_gpus(job: Job, cell: Cell) -> int:
    """GPUs that a job takes in a cell: its own on part of one node, else whole nodes."""
    if job.gpus < cell.gpus_per_node and job.gpus_per_node <= job.gpus:
        return job.gpus
    return cell.nodes_for(job.gpus) * cell.gpus_per_node


def is_part(job: Job, cell: Cell) -> bool:
    return charged_gpus(job, cell) < cell.gpus_per_node


def node_watts(job: Job, cell: Cell) -> int:
    """Watts above idle charged on each of its nodes."""
    return min(job.gpus, cell.gpus_per_node) * cell.gpu_span_w * job.power_milli // 1000


def bears(s: State, job: Job, cell: Cell, alone: bool = False) -> bool:
    """Whether its owners' ceilings allow a job in a cell, as things are or if it were alone."""
    gpus = charged_gpus(job, cell)
    watts = node_watts(job, cell) * max(1, gpus // cell.gpus_per_node)
    for owner in s.owners(job.project):
        for kind, more in ((-1, watts), (cell.hw, gpus)):
            ceiling = s.ceilings.get((owner, kind))
            used = 0 if alone else s.under_ceiling(owner, kind)
            if ceiling is not None and ceiling.most is not None and used + more > ceiling.most:
                return False
    return True


def racks_allowed(s: State, job: Job, cell: Cell, nodes: int) -> int:
    """The fewest racks possible times the spread, which grows with the time waited."""
    fewest = -(-nodes // cell.rack_size)
    waited = max(0, s.now_ms - job.submit_ms)
    spread_milli = s.policy[q.P_SPREAD_MILLI] + waited * 1000 // max(1, s.policy[q.P_SPREAD_WAIT_MS])
    return fewest * spread_milli // 1000


def level_of(pieces: list[Piece]) -> int:
    """The smallest level that contains all pieces."""
    if len({piece.rack.hall for piece in pieces}) > 1:
        return CELL
    if len({piece.rack.pod for piece in pieces}) > 1:
        return HALL
    return POD if len({piece.rack.number for piece in pieces}) > 1 else RACK


def by_open_count(racks: list[Rack], count: int) -> list[Rack]:
    return [rack for rack in racks if len(rack.open_nodes()) == count]


def bearable(s: State, rack: Rack, wanted: int, node_w: int, picked: list[Piece]) -> int:
    """How many of the wanted open nodes of a rack its power ancestors bear."""
    count = min(wanted, len(rack.open_nodes()))
    left = s.watts_left(rack, picked, node_w)
    if node_w > 0 and left < count * node_w:
        return max(0, left // node_w)
    return count


def one_rack(s: State, cell: Cell, nodes: int, node_w: int) -> list[Piece] | int:
    """Nodes of the tightest rack that holds the gang and bears its watts, or the reason why not."""
    fitting = [rack for rack in cell.racks if len(rack.open_nodes()) >= nodes]
    fitting.sort(key=lambda rack: (len(rack.open_nodes()), rack.number))
    for rack in fitting[:TRIES]:
        if bearable(s, rack, nodes, node_w, []) == nodes:
            return [Piece(rack, rack.open_nodes()[:nodes])]
    return R_POWER if fitting else R_TOPOLOGY


def many_racks(s: State, racks: list[Rack], size: int, nodes: int, node_w: int) -> list[Piece] | None:
    """Nodes of several racks, fullest first, the tail in the tightest that takes it whole; None when watts run out."""
    picked: list[Piece] = []
    left = nodes
    for count in range(size, 0, -1):
        same = by_open_count(racks, count)
        for place, rack in enumerate(same):
            tail = tail_rack(s, racks, same[place:], left, count, node_w, picked)
            if tail is not None:
                return [*picked, Piece(tail, tail.open_nodes()[:left])]
            taken = bearable(s, rack, left, node_w, picked)
            if taken > 0:
                picked.append(Piece(rack, rack.open_nodes()[:taken]))
                left -= taken
            if left == 0:
                return picked
    return None


def tail_rack(
    s: State, racks: list[Rack], untried: list[Rack], left: int, count: int, node_w: int, picked: list[Piece]
) -> Rack | None:
    """The tightest rack that takes all the rest; of each number of open nodes only the first rack is looked at."""
    for tail in range(left, count + 1):
        same = untried if tail == count else by_open_count(racks, tail)
        if same and s.watts_left(same[0], picked, node_w) >= left * node_w:
            return same[0]
    return None


def tightest(domains: list[list[Rack]], nodes: int) -> list[Rack] | None:
    """The domain with the fewest open nodes that still has so many."""
    counted = [(sum(len(rack.open_nodes()) for rack in racks), racks) for racks in domains]
    return min((each for each in counted if each[0] >= nodes), key=lambda each: each[0], default=(0, None))[1]


def place_gang(s: State, cell: Cell, nodes: int, node_w: int, max_racks: int) -> tuple[list[Piece], int] | int:
    """Open nodes for a gang and their level, or the reason why not."""
    if cell.open_count() - cell.spares < nodes:
        return R_CAPACITY if cell.open_count() < nodes else R_SPARES
    reason = R_TOPOLOGY
    if nodes <= cell.rack_size:
        found = one_rack(s, cell, nodes, node_w)
        if not isinstance(found, int):
            return found, RACK
        reason = found
    if max_racks * cell.rack_size < nodes or max_racks < 2:
        return reason
    for level, domains in ((POD, cell.domains("pod")), (HALL, cell.domains("hall")), (CELL, [cell.racks])):
        racks = tightest(domains, nodes)
        pieces = many_racks(s, racks, cell.rack_size, nodes, node_w) if racks else None
        if pieces is not None and len(pieces) <= max_racks:
            return pieces, level
        short_of_watts = pieces is None and fewest_racks(cell.racks, nodes) <= max_racks
        reason = R_POWER if short_of_watts else R_TOPOLOGY
    return reason


def fewest_racks(racks: list[Rack], nodes: int) -> int:
    """How many racks the gang needs at least, watts or no watts: the fullest ones."""
    counts = sorted((len(rack.open_nodes()) for rack in racks), reverse=True)
    return next(number for number in range(1, len(counts) + 1) if sum(counts[:number]) >= nodes)


def place_part(s: State, cell: Cell, gpus: int, node_w: int) -> Node | int:
    """A node for a job that needs part of one: the fullest that still fits, else an open one in the fullest rack."""
    partly = [node for node in cell.nodes() if node.part_free() >= gpus]
    partly.sort(key=lambda node: (node.part_free(), node.number))
    for node in partly[:TRIES]:
        if s.watts_left(node.rack) >= node_w:
            return node
    opened = cell.open_count()
    if opened == 0:
        return R_POWER if partly else R_CAPACITY
    if opened - cell.spares < 1:
        return R_SPARES
    found = one_rack(s, cell, 1, node_w)
    return R_POWER if isinstance(found, int) else found[0].nodes[0]


def spare_near(s: State, rack: Rack, cell: int, node_w: int) -> Node | None:
    """An open node with the watts: in the same rack, else its pod, else one of the racks with the fewest open nodes.

    Of those the first from the rack's hall on is taken, else the first of the cell.
    """
    hall = [each.number for each in s.racks if each.hall == rack.hall]
    for near in [rack, *(each for each in s.racks if each.pod == rack.pod)]:
        if near.open_nodes() and s.watts_left(near) >= node_w:
            return near.open_nodes()[0]
    with_open = [each for each in s.cells[cell].racks if each.open_nodes()]
    with_open.sort(key=lambda each: (len(each.open_nodes()), each.number < hall[0], each.number))
    if with_open and s.watts_left(with_open[0]) >= node_w:
        return with_open[0].open_nodes()[0]
    return None
