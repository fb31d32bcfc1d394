"""Gangs that must lie together or apart: every domain, number of racks and floor is tried, the best first."""

from gridhall.scheduling.jobs import R_CAPACITY, R_CONSTRAINT, R_POWER, R_SPARES
from tests.oracle.reference_places import CELL, is_part, level_of
from tests.oracle.reference_state import Cell, Job, Piece, Rack, State

Could = dict[Rack, int]
"""How many nodes of each rack a gang could have."""


def level_within(job: Job) -> int:
    return job.pack_level - 1 if job.pack_level else CELL


def is_constrained(job: Job) -> bool:
    return level_within(job) < CELL or job.min_domains > 1 or job.max_skew > 0


def must_meet(job: Job) -> bool:
    return is_constrained(job) and not job.best_effort


def must_spread(job: Job) -> bool:
    return must_meet(job) and (job.min_domains > 1 or job.max_skew > 0)


def meets(job: Job, pieces: list[Piece]) -> bool:
    """Whether a gang may lie like this."""
    counts = [len(piece.nodes) for piece in pieces]
    even = job.max_skew == 0 or max(counts) - min(counts) <= job.max_skew
    return not must_meet(job) or (even and len(pieces) >= job.min_domains and level_of(pieces) <= level_within(job))


def could_ever_meet(job: Job, cell: Cell) -> bool:
    """Whether the cell could hold the job as it asks if it were empty and complete."""
    if is_part(job, cell):
        return job.min_domains <= 1
    could = {rack: len(rack.nodes) for rack in cell.racks}
    levels = domains_of(cell)[: level_within(job) + 1]
    nodes = cell.nodes_for(job.gpus)
    return any(shape(job, racks, could, nodes, len(cell.racks)) for domains in levels for racks in domains)


def domains_of(cell: Cell) -> list[list[list[Rack]]]:
    """The cell's racks, pods, halls, and all of it."""
    return [*(cell.domains(what) for what in ("number", "pod", "hall")), [cell.racks]]


def shape(job: Job, racks: list[Rack], could: Could, nodes: int, most: int) -> list[tuple[Rack, int]]:
    """The gang's nodes in each of the fewest racks, fullest first; empty when there is no way."""
    for count in range(max(1, job.min_domains), min(most, len(racks)) + 1):
        for floor in range(1, nodes // count + 1):
            top = floor + job.max_skew if job.max_skew else max(could.values())
            used = sorted(racks, key=lambda rack: (-min(could[rack], top), rack.number))[:count]
            caps = [min(could[rack], top) for rack in used]
            if min(caps) >= floor and sum(caps) >= nodes:
                return cut(used, caps, floor, nodes)
    return []


def cut(racks: list[Rack], caps: list[int], floor: int, nodes: int) -> list[tuple[Rack, int]]:
    """The floor for every rack, and the rest to the first ones."""
    extra = nodes - floor * len(racks)
    counts: list[tuple[Rack, int]] = []
    for rack, cap in zip(racks, caps, strict=True):
        more = min(extra, cap - floor)
        extra -= more
        counts.append((rack, floor + more))
    return counts


def place_as_asked(
    s: State, job: Job, cell: Cell, nodes: int, node_w: int, max_racks: int, spares: int
) -> tuple[list[Piece], int] | int:
    """Open nodes for a gang as it asks and their level, or the reason why not."""
    if cell.open_count() - spares < nodes:
        return R_CAPACITY if cell.open_count() < nodes else R_SPARES
    opened = {rack: len(rack.open_nodes()) for rack in cell.racks}
    could = {rack: min(count, bearable(s, rack, count, node_w)) for rack, count in opened.items()}
    short = could != opened
    most = max(max_racks, job.min_domains) if level_within(job) == CELL else len(cell.racks)
    for level, domains in enumerate(domains_of(cell)[: level_within(job) + 1]):
        ways = [shape(job, racks, could, nodes, most) for racks in domains]
        fitting = [(sum(could[rack] for rack in racks), way) for racks, way in zip(domains, ways, strict=True) if way]
        if fitting:
            way = min(fitting, key=lambda each: each[0])[1]
            pieces = [Piece(rack, rack.open_nodes()[:count]) for rack, count in way]
            if all(
                s.watts_left(piece.rack, pieces[:place], node_w) >= len(piece.nodes) * node_w
                for place, piece in enumerate(pieces)
            ):
                return pieces, level
            short = True
    return R_POWER if short else R_CONSTRAINT


def bearable(s: State, rack: Rack, count: int, node_w: int) -> int:
    """Nodes of a rack whose watts its power ancestors bear."""
    left = s.watts_left(rack)
    return count if left >= count * node_w else max(0, left // node_w) if node_w else 0
