"""Time reservations by trying every domain: where could a gang have its nodes soonest, and which are kept for it."""

from gridhall.scheduling import queue as q
from gridhall.scheduling.decisions import HOLD, STOP, WHY_PREEMPTED
from gridhall.scheduling.jobs import R_CAPACITY, R_CONSTRAINT, R_HELD, R_SPARES, R_TOPOLOGY, R_UNCONSIDERED
from tests.oracle.reference_apart import level_within, must_meet, must_spread
from tests.oracle.reference_places import CELL, bears, charged_gpus, spare_near
from tests.oracle.reference_state import NEVER_MS, Cell, Hold, Job, Node, Piece, Rack, State

MOST_HOLDS = 96
MINUTE_MS = 60_000
HORIZON_MS = 60 * 24 * 60 * MINUTE_MS

Plan = dict[Node, int]
"""When each node of a cell could be had."""


def quota_allows(s: State, job: Job, gpus: int) -> bool:
    return s.projects[job.project].owner.left(s.charges()) >= gpus


# --- when could nodes be had ----------------------------------------------------------------------------------------


def stop_cost_ms(s: State, job: Job, priority: int) -> int:
    """A checkpoint to write, or the work of this attempt; NEVER_MS when the job may not be stopped."""
    if job.state != "running" or not job.preemptible or job.priority >= priority:
        return NEVER_MS
    return job.checkpoint_cost_ms + 1 if job.checkpoint_ms > 0 else max(1, s.now_ms - job.start_ms)


def had_from_ms(s: State, node: Node, nodes: int, priority: int) -> int:
    """When a gang of so many nodes and this priority could have a node: holds give way, lower work is stopped."""
    if not node.takes_work or (node.hold is not None and not node.hold.gives_way(nodes)):
        return NEVER_MS
    free_ms = node.end_ms()
    if free_ms <= s.now_ms:
        return free_ms
    return min(free_ms, s.now_ms + max(stop_cost_ms(s, job, priority) for job in node.jobs()))


def plan_of(s: State, cell: Cell, nodes: int, priority: int) -> Plan:
    return {node: had_from_ms(s, node, nodes, priority) for node in cell.nodes()}


def time_for(s: State, plan: Plan, racks: list[Rack], nodes: int, bound_ms: int) -> int:
    """The earliest time, to the minute (by halving), at which racks have so many nodes; NEVER_MS if past the bound."""
    times = [plan[node] for rack in racks for node in rack.nodes]

    def had(time_ms: int) -> int:
        return sum(each <= time_ms for each in times)

    low, high = s.now_ms - MINUTE_MS, bound_ms - 1
    if had(high) < nodes:
        return NEVER_MS
    while high - low > MINUTE_MS:
        middle = (low + high) >> 1
        low, high = (low, middle) if had(middle) >= nodes else (middle, high)
    return max(high, s.now_ms)


def best_domain(
    s: State, cell: Cell, plan: Plan, nodes: int, within: int, bound_ms: int
) -> tuple[int, list[Rack]] | None:
    """Where a gang could start soonest before the bound, no wider than a level; wider domains count as later."""
    levels = [(cell.domains("number"), 0)]
    if nodes > cell.rack_size:
        hall_ms, cell_ms = s.policy[q.P_HALL_PENALTY_MS], s.policy[q.P_CELL_PENALTY_MS]
        levels = [(cell.domains("pod"), 0), (cell.domains("hall"), hall_ms), ([cell.racks], cell_ms)][:within]
    best: tuple[int, list[Rack]] | None = None
    for domains, penalty_ms in levels:
        for racks in domains:
            limit_ms = bound_ms if best is None else best[0]
            at_ms = time_for(s, plan, racks, nodes, limit_ms - penalty_ms) + penalty_ms
            if at_ms < limit_ms:
                best = at_ms, racks
    return best


def choose(plan: Plan, racks: list[Rack], size: int, nodes: int, by_ms: int) -> list[Piece]:
    """So many nodes that can be had by a time: fullest racks first, then the tightest for the tail."""
    had = {rack: [node for node in rack.nodes if plan[node] <= by_ms] for rack in racks}
    pieces: list[Piece] = []
    left = nodes
    for count in range(size, 0, -1):
        for rack in [each for each in racks if len(had[each]) == count]:
            if left <= count:
                tighter = [each for each in racks if left <= len(had[each]) < count]
                rack = min(tighter, key=lambda each: len(had[each]), default=rack)
            pieces.append(Piece(rack, had[rack][:left]))
            left -= len(pieces[-1].nodes)
            if left == 0:
                return pieces
    return pieces


# --- making and dropping --------------------------------------------------------------------------------------------


def unused_number(s: State) -> int:
    return min(set(range(MOST_HOLDS)) - s.holds.keys())


def keep(s: State, number: int, kind: str, cell: Cell, pieces: list[Piece], at_ms: int, job: Job | None = None) -> Hold:
    """Make a hold of these nodes."""
    hold = Hold(number, kind, cell.number, pieces, at_ms, job)
    s.holds[number] = hold
    for node in hold.nodes():
        node.hold = hold
    if job is not None:
        job.hold, job.reason = hold, R_HELD
    return hold


def drop(s: State, hold: Hold) -> None:
    """Give a hold's nodes back to the open capacity."""
    for node in hold.nodes():
        node.hold = None
    del s.holds[hold.number]
    if hold.job is not None:
        hold.job.hold, hold.job.reason = None, R_UNCONSIDERED


def hold_gang(s: State, job: Job, cells: list[Cell], kind: str, bound_ms: int) -> Hold | None:
    """Keep nodes for a gang where it could start soonest before a time; smaller gangs' holds in that cell give way."""
    if len(s.holds) == MOST_HOLDS:
        return None
    number = unused_number(s)
    best: tuple[int, list[Rack]] | None = None
    for cell in cells:
        nodes = cell.nodes_for(job.gpus)
        plan = plan_of(s, cell, nodes, job.priority)
        within = level_within(job) if must_meet(job) else CELL
        found = best_domain(s, cell, plan, nodes, within, bound_ms if best is None else best[0])
        best = found or best
    if best is None:
        return None
    racks = best[1]
    cell = s.cells[racks[0].cell]
    nodes = cell.nodes_for(job.gpus)
    plan = plan_of(s, cell, nodes, job.priority)
    soonest_ms = time_for(s, plan, racks, nodes, bound_ms)
    patient = nodes > cell.rack_size and kind == "gang"
    by_ms = soonest_ms + (s.policy[q.P_PATIENCE_MS] if patient else 0)
    pieces = choose(plan, racks, cell.rack_size, nodes, by_ms)
    at_ms = max(s.now_ms, *(plan[node] for piece in pieces for node in piece.nodes))
    for hold in list(s.holds_in_order()):
        if hold.cell == cell.number and hold.gives_way(nodes) and hold.job is not None:
            hold.job.plan_ms = 0
            drop(s, hold)
    hold = keep(s, number, kind, cell, pieces, at_ms, job)
    s.say(HOLD, job.id, job.slot, job.attempt, cell.number, at_ms, nodes)
    return hold


def plan_again(s: State, hold: Hold) -> None:
    """Choose a hold's nodes anew in the same cell, however late."""
    job = hold.job
    assert job is not None
    drop(s, hold)
    if hold_gang(s, job, [s.cells[hold.cell]], hold.kind, s.now_ms + HORIZON_MS) is None:
        job.plan_ms = 0


def stop_for(s: State, hold: Hold, priority: int, why: int) -> None:
    """Tell the work on a hold's nodes that may be stopped to stop."""
    for job in [job for node in hold.nodes() for job in node.jobs()]:
        if stop_cost_ms(s, job, priority) < NEVER_MS:
            job.state = "stopping"
            s.end_pause(job)
            s.say(STOP, job.id, job.slot, job.attempt, why)


def only_stoppable(s: State, hold: Hold, priority: int) -> bool:
    """Whether nothing but work that may be stopped for it is left on a hold's nodes, all of which are there."""
    busy = [node for node in hold.nodes() if not node.free]
    if any(node.idle for node in busy):
        return False
    return all(stop_cost_ms(s, job, priority) < NEVER_MS for node in busy for job in node.jobs())


# --- reservations that lost nodes -----------------------------------------------------------------------------------


def lose_reserved(s: State, hold: Hold, node: Node) -> None:
    """A reserved node is gone: another takes its place, or the reservation lacks it."""
    node.hold = None
    for piece in hold.pieces:
        piece.nodes = [each for each in piece.nodes if each is not node]
    hold.pieces = [piece for piece in hold.pieces if piece.nodes]
    hold.lacks += 1
    refill(s, hold)
    say_reserved(s, hold)


def refill_reservations(s: State, cells: set[int]) -> None:
    """Reservations in these cells get open nodes for those that they lack."""
    for hold in s.holds_in_order():
        lacked = hold.lacks
        if lacked and hold.cell in cells:
            refill(s, hold)
            if hold.lacks < lacked:
                say_reserved(s, hold)


def refill(s: State, hold: Hold) -> None:
    """The nearest open nodes to the reservation's first rack, where watts are left."""
    while hold.lacks:
        near = hold.pieces[0].rack if hold.pieces else s.cells[hold.cell].racks[0]
        node = spare_near(s, near, hold.cell, 0)
        if node is None:
            return
        same = next((piece for piece in hold.pieces if piece.rack is node.rack), None)
        if same is None:
            hold.pieces.insert(0, Piece(node.rack, [node]))
        else:
            same.nodes = sorted([*same.nodes, node], key=lambda each: each.place)
        node.hold = hold
        hold.lacks -= 1


def say_reserved(s: State, hold: Hold) -> None:
    s.say(HOLD, -1, hold.number, hold.lacks, hold.cell, hold.at_ms, len(hold.nodes()))


# --- who gets one ---------------------------------------------------------------------------------------------------


def consider_hold(s: State, job: Job, reason: int) -> None:
    """Give a blocked job a time reservation if it is entitled to one; urgent work may stop others for it."""
    if (
        job.hold is not None
        or max(job.plan_ms, job.not_before_ms) > s.now_ms
        or reason not in (R_CAPACITY, R_TOPOLOGY, R_SPARES, R_CONSTRAINT)
        or must_spread(job)
    ):
        return
    waited = s.now_ms - job.submit_ms
    urgent = job.priority >= 3 or (job.priority == 2 and waited >= s.policy[q.P_PREEMPT_WAIT_MS])
    patient = waited >= hold_after_ms(s, job) and idle_is_bearable(s)
    if not (urgent or patient):
        return
    job.plan_ms = s.now_ms + s.policy[q.P_REPLAN_MS]
    cells = cells_for_hold(s, job)
    if not cells:
        return
    hold = None
    if urgent:
        hold = hold_gang(s, job, cells, "urgent", s.now_ms + s.policy[q.P_PREEMPT_WITHIN_MS])
        if hold is not None:
            stop_for(s, hold, job.priority, WHY_PREEMPTED)
    if patient and hold is None:
        ahead_ms = s.policy[q.P_HOLD_WINDOW_MS] + cells[0].nodes_for(job.gpus) * s.policy[q.P_HOLD_WINDOW_NODE_MS]
        hold_gang(s, job, cells, "gang", s.now_ms + ahead_ms)


def hold_after_ms(s: State, job: Job) -> int:
    """How long a blocked gang waits before it is given a hold."""
    large = s.cells[min(job.cells)].nodes_for(job.gpus) >= s.policy[q.P_LARGE_NODES]
    return s.policy[q.P_LARGE_AFTER_MS if large else q.P_HOLD_AFTER_MS]


def idle_is_bearable(s: State) -> bool:
    """Whether the nodes that stand free in holds are at most the policy's share of all nodes that are up."""
    idle = sum(node.free for hold in s.holds.values() for node in hold.nodes())
    return idle * 1000 <= s.policy[q.P_IDLE_SHARE_MILLI] * sum(node.up for node in s.nodes)


def cells_for_hold(s: State, job: Job) -> list[Cell]:
    """Cells in which one more hold for it is within bounds; if it is too large for all, those where nothing is held."""
    within: list[Cell] = []
    alone: list[Cell] = []
    too_large_everywhere = True
    for cell in [s.cells[number] for number in sorted(job.cells)]:
        nodes = cell.nodes_for(job.gpus)
        if nodes > cell.up_count() or not quota_allows(s, job, charged_gpus(job, cell)) or not bears(s, job, cell):
            continue
        staying = [hold for hold in s.holds_in_order() if hold.cell == cell.number and not hold.gives_way(nodes)]
        most = s.policy[q.P_HOLD_SHARE_MILLI] * cell.up_count() // 1000
        if nodes <= most:
            too_large_everywhere = False
            held = sum(len(hold.nodes()) for hold in staying)
            if len(staying) < s.policy[q.P_CELL_HOLDS] and held + nodes <= most:
                within.append(cell)
        elif not staying:
            alone.append(cell)
    return alone if too_large_everywhere else within
