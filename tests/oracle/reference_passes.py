"""Which waiting work starts: one job against all it may use, then the pass over the queue, job by job."""

from gridhall.scheduling import queue as q
from gridhall.scheduling.decisions import PLACE, RELEASE, START
from gridhall.scheduling.jobs import (
    R_BACKOFF,
    R_CAPACITY,
    R_CONSTRAINT,
    R_HELD,
    R_NOT_READY,
    R_QUOTA,
)
from tests.oracle.reference_apart import is_constrained, meets, must_spread, place_as_asked
from tests.oracle.reference_holds import (
    choose,
    consider_hold,
    drop,
    hold_after_ms,
    keep,
    quota_allows,
    refill_reservations,
)
from tests.oracle.reference_places import (
    RACK,
    bears,
    charged_gpus,
    is_part,
    level_of,
    node_watts,
    place_gang,
    place_part,
    racks_allowed,
)
from tests.oracle.reference_state import NEVER_MS, Cell, Hold, Job, Node, Piece, State

# --- one job --------------------------------------------------------------------------------------------------------


def start(s: State, job: Job, cell: Cell, pieces: list[Piece], level: int, part: set[int]) -> None:
    """Give a job its nodes (or GPUs of one node) and say START and PLACE."""
    if job.hold is not None:
        drop(s, job.hold)
    again = job.attempt > 0
    accrue(s, job.project)
    job.state, job.reason, job.attempt = "running", 0, job.attempt + 1
    job.cell, job.pieces, job.part, job.start_ms = cell.number, pieces, part, s.now_ms
    job.node_w = node_watts(job, cell)
    job.charged = len(part) or len(job.nodes()) * cell.gpus_per_node
    for node in job.nodes():
        for gpu in part or range(cell.gpus_per_node):
            node.users[gpu] = job
    say_start(s, job, level, 1 if again else 0)


def say_start(s: State, job: Job, level: int, cause: int) -> None:
    s.say(START, job.id, job.slot, job.attempt, job.cell, len(job.nodes()), level * 8 + cause)
    gpus = sum(1 << gpu for gpu in job.part or range(s.cells[job.cell].gpus_per_node))
    for piece in job.pieces:
        s.say(PLACE, job.id, job.slot, job.attempt, piece.rack.number, piece.mask, gpus)


def release(s: State, job: Job) -> None:
    """Take a job's nodes back."""
    accrue(s, job.project)
    for node in job.nodes():
        node.users = [None if user is job else user for user in node.users]
    s.let_go()
    s.say(RELEASE, job.id, job.slot, job.attempt, job.cell, job.charged)
    job.pieces, job.part, job.charged, job.state = [], set(), 0, "released"


def accrue(s: State, project: int) -> None:
    """Add the whole GPU-seconds since the last change to a project's use."""
    each = s.projects[project]
    gpus = sum(job.charged for job in s.running() if job.project == project)
    each.use_s += gpus * (s.now_ms - each.since_ms) // 1000
    each.since_ms = s.now_ms


def try_start(s: State, job: Job, cells: set[int]) -> int:
    """Try to start a waiting job in any of the cells, the fullest first; 0, or the reason why it goes on waiting."""
    reason = barred(s, job)
    if reason:
        return reason
    allowed = [s.cells[number] for number in sorted(job.cells & cells)]
    reason = start_in_cells(s, job, allowed, is_constrained(job))
    if reason and is_constrained(job) and job.best_effort:
        reason = start_in_cells(s, job, allowed, False)
    if reason not in (0, R_NOT_READY, R_QUOTA) and start_in_hold(s, job, allowed):
        return 0
    return reason


def start_in_cells(s: State, job: Job, allowed: list[Cell], as_asked: bool) -> int:
    """Try one cell after another, the fullest first, if told so only as the job's constraint asks."""
    reason = R_NOT_READY
    for cell in sorted(allowed, key=lambda cell: (cell.open_count() == 0, cell.open_count())):
        if cell.up_count() == 0:
            continue
        if not quota_allows(s, job, charged_gpus(job, cell)) or not bears(s, job, cell):
            reason = R_QUOTA
            continue
        reason = start_in_cell(s, job, cell, as_asked)
        if reason == 0:
            return 0
    return reason


def barred(s: State, job: Job) -> int:
    """Why it may not start wherever there is room: back-off, or a quota too small for it wherever it may run."""
    if job.not_before_ms > s.now_ms:
        return R_BACKOFF
    if s.shut(job.project):
        return s.shut(job.project)
    least = min(charged_gpus(job, s.cells[number]) for number in job.cells)
    return 0 if quota_allows(s, job, least) else R_QUOTA


def start_in_cell(s: State, job: Job, cell: Cell, as_asked: bool) -> int:
    node_w = node_watts(job, cell)
    if is_part(job, cell):
        if as_asked and job.min_domains > 1:
            return R_CONSTRAINT
        node = place_part(s, cell, job.gpus, node_w)
        if isinstance(node, Node):
            part = [gpu for gpu, user in enumerate(node.users) if user is None][: job.gpus]
            start(s, job, cell, [Piece(node.rack, [node])], RACK, set(part))
            return 0
        return node
    nodes = cell.nodes_for(job.gpus)
    max_racks = racks_allowed(s, job, cell, nodes)
    if as_asked:
        unspared = must_spread(job) and s.now_ms - job.submit_ms >= hold_after_ms(s, job)
        found = place_as_asked(s, job, cell, nodes, node_w, max_racks, 0 if unspared else cell.spares)
    else:
        found = place_gang(s, cell, nodes, node_w, max_racks)
    if isinstance(found, int):
        return found
    start(s, job, cell, *found, set())
    return 0


def start_in_hold(s: State, job: Job, allowed: list[Cell]) -> bool:
    """Run a gang on held nodes: its project's own open reservation, or within one rack if it will be gone in time."""
    own = s.projects[job.project].opened
    for hold in list(s.holds_in_order()):
        cell = s.cells[hold.cell]
        in_time = hold.at_ms >= job.end_ms(s.now_ms)
        if cell not in allowed or not (in_time or hold is own) or is_part(job, cell):
            continue
        nodes = cell.nodes_for(job.gpus)
        if (nodes > cell.rack_size and hold is not own) or not quota_allows(s, job, nodes * cell.gpus_per_node):
            continue
        if not bears(s, job, cell):
            continue
        pieces = free_of_hold(s, hold, nodes, node_watts(job, cell), hold is not own)
        if pieces is not None and meets(job, pieces):
            start(s, job, cell, pieces, level_of(pieces), set())
            return True
    return False


def free_of_hold(s: State, hold: Hold, nodes: int, node_w: int, in_one_rack: bool) -> list[Piece] | None:
    """So many free nodes of a hold whose racks bear the watts; None when there are too few."""
    picked: list[Piece] = []
    left = nodes
    for piece in hold.pieces:
        free = [node for node in piece.nodes if node.free][:left]
        enough = len(free) == nodes or not in_one_rack
        if free and enough and s.watts_left(piece.rack, picked, node_w) >= len(free) * node_w:
            picked.append(Piece(piece.rack, free))
            left -= len(free)
        if left == 0:
            return picked
    return None


# --- the pass -------------------------------------------------------------------------------------------------------


def schedule(s: State, cells: set[int]) -> None:
    """Start holds that are complete, then look through the queue for work that fits in the given cells."""
    refill_reservations(s, cells)
    start_ready_holds(s, cells)
    room, most = room_in(s, cells)
    passed: list[Job] = []
    seen = 0
    waiting = s.queue()
    for job in waiting:
        if seen >= s.policy[q.P_DEPTH]:
            return
        place = len(passed)
        passed.append(job)
        if not job.cells & cells or s.shut(job.project):
            continue
        seen += 1
        reason = barred(s, job) or R_CAPACITY
        may_fit = job.gpus <= most and job.cells & room
        if may_fit or s.projects[job.project].opened is not None:
            reason = try_start(s, job, job.cells & cells)
            if reason == 0:
                passed.pop()
                room, most = room_in(s, cells)
                continue
        job.reason = R_HELD if job.hold is not None else reason
        if place < s.policy[q.P_HOLD_DEPTH]:
            consider_hold(s, job, reason)
        elif not room:
            return


def room_in(s: State, cells: set[int]) -> tuple[set[int], int]:
    """The cells in which something may be free for someone, and the most GPUs that one job may find in any of them."""
    room: set[int] = set()
    most = 0
    for cell in [s.cells[number] for number in cells]:
        held = any(hold.cell == cell.number and hold.nodes() for hold in s.holds.values())
        nodes = max(cell.open_count(), cell.rack_size if held else 0)
        part = min(cell.part_gpus(), cell.gpus_per_node - 1)
        if nodes > 0 or part > 0:
            room.add(cell.number)
            most = max(most, nodes * cell.gpus_per_node, part)
    return room, most


def start_ready_holds(s: State, cells: set[int]) -> None:
    """Start every gang whose held nodes have all fallen free."""
    for hold in list(s.holds_in_order()):
        if hold.job is None or hold.cell not in cells or not hold.ready or s.holds.get(hold.number) is not hold:
            continue
        job = hold.job
        if is_part(job, s.cells[hold.cell]):
            drop(s, hold)
            try_start(s, job, {hold.cell})
        elif not start_hold(s, hold):
            drop(s, hold)
            job.plan_ms = s.now_ms + s.policy[q.P_REPLAN_MS]


def start_hold(s: State, hold: Hold) -> bool:
    """Start the gang on exactly the nodes of its hold, all free, if quota and watts allow."""
    job, cell = hold.job, s.cells[hold.cell]
    assert job is not None
    if not quota_allows(s, job, len(hold.nodes()) * cell.gpus_per_node) or not bears(s, job, cell):
        return False
    node_w = node_watts(job, cell)
    picked: list[Piece] = []
    for piece in hold.pieces:
        if s.watts_left(piece.rack, picked, node_w) < len(piece.nodes) * node_w:
            return False
        picked.append(piece)
    start(s, job, cell, picked, level_of(picked), set())
    return True


def complete_hold(s: State, hold: Hold) -> bool:
    """Start a gang on its free held nodes and open ones in place of the busy rest, if that is compact enough."""
    job, cell, nodes = hold.job, s.cells[hold.cell], len(hold.nodes())
    assert job is not None
    missing = sum(not node.free for node in hold.nodes())
    if missing > cell.open_count() or nodes <= cell.rack_size or not quota_allows(s, job, nodes * cell.gpus_per_node):
        return False
    if not bears(s, job, cell):
        return False
    plan = {node: 0 if node.free and node.hold in (None, hold) else NEVER_MS for node in cell.nodes()}
    pieces = choose(plan, cell.racks, cell.rack_size, nodes, s.now_ms)
    if len(pieces) > racks_allowed(s, job, cell, nodes) or not meets(job, pieces):
        return False
    drop(s, hold)
    return start_hold(s, keep(s, hold.number, hold.kind, cell, pieces, s.now_ms, job))
