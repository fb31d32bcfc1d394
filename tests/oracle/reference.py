"""A slow and obvious `step`: the policy said plainly, over objects that are walked and never counted.

It is written from the stated policy (the story at the top of each scheduling module). Of the compiled core it knows
only the numbers of events, effects, reasons and policy entries, and how ties and roundings are settled. Jobs that share
single GPUs are outside it; `tests/scheduling/test_sharing.py` has the reference of the shared pool.
"""

from collections.abc import Sequence

from gridhall.controller import events as ev
from gridhall.scheduling import queue as q
from gridhall.scheduling.decisions import (
    ACCEPT,
    DONE,
    REFUSE,
    S_CANCELLED,
    S_COMPLETED,
    S_CRASH_LOOP,
    STOP,
    WAKE,
    WHY_CANCELLED,
    WHY_DRAIN,
    WHY_PREEMPTED,
    WHY_RESERVATION,
)
from gridhall.scheduling.jobs import R_CAPACITY, R_CLOSED, R_NEVER_MET, R_PLACES, R_QUOTA, R_UNCONSIDERED
from tests.oracle.reference_apart import could_ever_meet, meets, must_meet
from tests.oracle.reference_desk import DESK, keep_to_targets, look_at, on_desk
from tests.oracle.reference_holds import (
    MOST_HOLDS,
    best_domain,
    choose,
    consider_hold,
    drop,
    keep,
    lose_reserved,
    only_stoppable,
    plan_again,
    plan_of,
    say_reserved,
    stop_for,
    time_for,
    unused_number,
)
from tests.oracle.reference_order import learn, predict, refresh_fair_share
from tests.oracle.reference_passes import complete_hold, release, say_start, schedule, try_start
from tests.oracle.reference_places import CELL, bears, charged_gpus, level_of, spare_near
from tests.oracle.reference_state import Cell, Job, Node, Piece, State, new_reference
from tests.oracle.reference_tenants import ANSWERS, on_tenancy

__all__ = ["State", "new_reference", "step"]

ABOVE_ALL = 4
"""The priority with which a reservation that begins stops work."""


def step(s: State, event: Sequence[int]) -> list[tuple[int, ...]]:
    """Decide on one event; returns the effects."""
    s.effects = []
    kind, time_ms, *fields = [*(int(value) for value in event), *[0] * (ev.EVENT_WIDTH - len(event))]
    s.now_ms = max(s.now_ms, time_ms)
    if kind == ev.SUBMIT:
        on_submit(s, fields)
    elif kind in (ev.ENDED, ev.STOPPED, ev.LOST):
        on_attempt(s, kind, *fields[:5])
    elif kind in (ev.NODE_UP, ev.NODE_DOWN, ev.NODE_OUT):
        on_node(s, kind, s.nodes[fields[0]])
    elif kind == ev.TICK:
        on_tick(s)
    elif kind == ev.LIMIT:
        s.own_limit_w[fields[0]] = fields[1]
        schedule(s, everywhere(s))
    elif kind in DESK:
        on_desk(s, kind, fields)
    elif kind == ev.RESERVE:
        on_reserve(s, *fields[:5])
    elif kind in (ev.CORDON, ev.DRAIN):
        on_cordon(s, kind, s.nodes[fields[0]], fields[1])
    elif kind in ANSWERS:
        on_tenancy(s, kind, fields)
    elif kind == ev.CANCEL:
        on_cancel(s, s.jobs.get(fields[0]), fields[1])
    if s.wake_ms <= s.now_ms and (s.queue() or s.holds):
        tick_ms = s.policy[q.P_TICK_MS]
        s.wake_ms = (s.now_ms // tick_ms + 1) * tick_ms
        s.say(WAKE, 0, 0, 0, s.wake_ms)
    return s.effects


def everywhere(s: State) -> set[int]:
    return {cell.number for cell in s.cells}


# --- a job arrives --------------------------------------------------------------------------------------------------


def on_submit(s: State, fields: list[int]) -> None:
    """Refuse what can never run, else take the job in, with the lowest unused slot, and try to start it at once."""
    gpus, gpus_per_node, mask = fields[7], fields[8], fields[12]
    could = {cell.number for cell in s.cells if mask >> cell.number & 1 and could_hold(cell, gpus, gpus_per_node)}
    slot = min(set(range(len(s.jobs) + 1)) - s.jobs.keys())
    job = new_job(s, slot, fields, could)
    reason = reason_to_refuse(s, job)
    if reason:
        s.say(REFUSE, job.id, 0, 0, reason)
        return
    s.jobs[slot] = job
    s.say(ACCEPT, job.id, slot, 0)
    reason = try_start(s, job, job.cells)
    if reason:
        job.reason = reason
        if s.queue().index(job) < s.policy[q.P_HOLD_DEPTH]:
            consider_hold(s, job, reason)


def reason_to_refuse(s: State, job: Job) -> int:
    """Why a job could never run, as things are set; 0 when it could."""
    if not job.cells:
        return R_PLACES
    if s.shut(job.project) == R_CLOSED:
        return R_CLOSED
    if must_meet(job):
        job.cells = {cell for cell in job.cells if could_ever_meet(job, s.cells[cell])}
    if not job.cells:
        return R_NEVER_MET
    most = s.projects[job.project].owner.most()
    cells = [s.cells[number] for number in job.cells]
    return 0 if any(charged_gpus(job, cell) <= most and bears(s, job, cell, alone=True) for cell in cells) else R_QUOTA


def could_hold(cell: Cell, gpus: int, gpus_per_node: int) -> bool:
    """Whether the cell could hold the gang if it were empty and complete."""
    return gpus_per_node <= cell.gpus_per_node and cell.nodes_for(gpus) <= len(cell.nodes())


def new_job(s: State, slot: int, fields: list[int], cells: set[int]) -> Job:
    job_id, project, user, name, priority, preemptible, tier, gpus, gpus_per_node = fields[:9]
    limit_ms, power_milli, checkpoint_ms, checkpoint_cost_ms = fields[13:17]
    return Job(
        slot=slot,
        id=job_id,
        project=project,
        user=user,
        name=name,
        priority=min(3, max(0, priority)),
        preemptible=preemptible != 0,
        gpus=gpus,
        gpus_per_node=gpus_per_node,
        cells=cells,
        limit_ms=limit_ms,
        power_milli=power_milli,
        checkpoint_ms=checkpoint_ms,
        checkpoint_cost_ms=checkpoint_cost_ms,
        submit_ms=s.now_ms,
        pack_level=min(4, max(0, fields[18])),
        min_domains=max(0, fields[19]),
        max_skew=max(0, fields[20]),
        best_effort=fields[21] != 0,
        tier=tier,
        deadline_ms=fields[17],
        median_ms=predict(s, user, name, limit_ms, s.policy[q.P_MEDIAN_MILLI]),
        high_ms=predict(s, user, name, limit_ms, s.policy[q.P_HIGH_MILLI]),
    )


def on_cancel(s: State, job: Job | None, job_id: int) -> None:
    """Drop a waiting job; tell a running one to stop."""
    if job is None or job.id != job_id:
        return
    if job.active:
        job.state, job.cancelled = "stopping", True
        s.end_pause(job)
        s.say(STOP, job.id, job.slot, job.attempt, WHY_CANCELLED)
        return
    if job.hold is not None:
        drop(s, job.hold)
    finish(s, job, S_CANCELLED)


def finish(s: State, job: Job, state: int) -> None:
    s.say(DONE, job.id, job.slot, job.attempt, state, job.restarts)
    del s.jobs[job.slot]


# --- an attempt comes to its end ------------------------------------------------------------------------------------


def on_attempt(s: State, kind: int, slot: int, attempt: int, value: int, ran_ms: int, job_id: int) -> None:
    """An attempt ended, was stopped or was lost. What is not about a job's current attempt changes nothing."""
    job = s.jobs.get(slot)
    if job is None or not job.active or (job.attempt, job.id) != (attempt, job_id):
        return
    cell = job.cell
    s.end_pause(job)
    if kind == ev.ENDED:
        if value == S_COMPLETED:
            learn(s, job.user, job.name, ran_ms)
        release(s, job)
        finish(s, job, value)
    elif kind == ev.STOPPED:
        job.saved_ms = max(job.saved_ms, value)
        release(s, job)
        wait_or_go(s, job)
    else:
        on_lost(s, job, value)
    schedule(s, {cell})


def wait_or_go(s: State, job: Job) -> None:
    """Back into the queue, or out if it was cancelled."""
    if job.cancelled:
        finish(s, job, S_CANCELLED)
    else:
        job.state, job.reason = "queued", s.shut(job.project) or R_UNCONSIDERED


def on_lost(s: State, job: Job, saved_ms: int) -> None:
    """A gang died with a node: give up what never gets on, swap one node if a spare is near, else queue again."""
    job.restarts += 1
    job.stuck = 0 if saved_ms > job.saved_ms else job.stuck + 1
    job.saved_ms = max(job.saved_ms, saved_ms)
    if job.stuck > s.policy[q.P_MAX_STUCK]:
        release(s, job)
        finish(s, job, S_CRASH_LOOP)
    elif job.state == "stopping" or job.part or s.shut(job.project) or not swapped(s, job):
        release(s, job)
        if job.stuck > 1 and not job.cancelled:
            job.not_before_ms = s.now_ms + (s.policy[q.P_BACKOFF_MS] << min(6, job.stuck))
        wait_or_go(s, job)


def swapped(s: State, job: Job) -> bool:
    """Replace a gang's one lost node by an open one and start it again in place."""
    lost = [node for node in job.nodes() if not node.up]
    if any(node.cordoned and node.up for node in job.nodes()):
        return False
    spare = spare_near(s, lost[0].rack, job.cell, job.node_w) if len(lost) == 1 else None
    if spare is None or not meets(job, pieces_after(job, lost[0], spare)):
        return False
    for gpu in range(len(spare.users)):
        lost[0].users[gpu] = None
        spare.users[gpu] = job
    job.pieces = pieces_after(job, lost[0], spare)
    s.let_go()
    job.attempt += 1
    job.start_ms = s.now_ms
    say_start(s, job, level_of(job.pieces), 2)
    return True


def pieces_after(job: Job, lost: Node, spare: Node) -> list[Piece]:
    """A gang has one piece a rack: a new rack takes the place of one that is left, else it comes first."""
    pieces = [Piece(each.rack, [node for node in each.nodes if node is not lost]) for each in job.pieces]
    piece = pieces[next(place for place, each in enumerate(job.pieces) if lost in each.nodes)]
    same = next((each for each in pieces if each.rack is spare.rack), None)
    if same is not None:
        same.nodes = sorted([*same.nodes, spare], key=lambda node: node.place)
    elif not piece.nodes:
        piece.rack, piece.nodes = spare.rack, [spare]
    else:
        pieces.insert(0, Piece(spare.rack, [spare]))
    return [each for each in pieces if each.nodes]


# --- nodes and time -------------------------------------------------------------------------------------------------


def on_node(s: State, kind: int, node: Node) -> None:
    """A node joins, is lost or is retired."""
    if kind == ev.NODE_UP:
        node.up, node.out, node.here = True, False, True
    elif kind == ev.NODE_DOWN:
        node.up = False
    else:
        node.out = True
        s.let_go()
    on_changed(s, node, keep_to_targets(s) if kind == ev.NODE_UP else set())


def on_cordon(s: State, kind: int, node: Node, cordoned: int) -> None:
    """A node takes no new work, or takes it again; if it is drained, its work is told to stop."""
    node.cordoned = kind == ev.DRAIN or cordoned == 1
    on_changed(s, node, set())
    if kind == ev.DRAIN:
        for job in sorted(node.jobs(), key=lambda job: job.slot):
            if job.state == "running":
                job.state = "stopping"
                s.end_pause(job)
                s.say(STOP, job.id, job.slot, job.attempt, WHY_DRAIN)


def on_changed(s: State, node: Node, cells: set[int]) -> None:
    """Work that fits starts where it is taken again; a hold on a node that takes none is mended at once."""
    if node.takes_work:
        cells = {node.rack.cell} | cells
    elif node.hold is not None and node.hold.kind == "project":
        lose_reserved(s, node.hold, node)
    elif node.hold is not None:
        plan_again(s, node.hold)
    look_at(s, cells)


def on_tick(s: State) -> None:
    """What time alone changes. A tick before the one that was asked for changes nothing."""
    cells: set[int] = set()
    if 0 < s.desk_wake_ms <= s.now_ms:
        s.desk_wake_ms = 0
        cells = keep_to_targets(s)
    if s.wake_ms > s.now_ms:
        look_at(s, cells)
        return
    s.wake_ms = 0
    if s.now_ms >= s.fair_next_ms:
        grid_ms = s.policy[q.P_FAIR_GRID_MS]
        s.fair_next_ms = (s.now_ms // grid_ms + 1) * grid_ms
        refresh_fair_share(s)
        extend_late(s)
    begin_and_end_reservations(s)
    review_holds(s)
    schedule(s, everywhere(s))


def extend_late(s: State) -> None:
    """Work past its predicted end is expected to run half as long again as it has, and a least time more."""
    for job in s.jobs.values():
        ran_ms = s.now_ms - job.start_ms
        if job.state == "running" and ran_ms + job.saved_ms >= job.high_ms:
            job.high_ms = job.saved_ms + ran_ms + max(s.policy[q.P_OVERRUN_MS], ran_ms // 2)


def review_holds(s: State) -> None:
    """Stop what is stoppable once nothing else is in a hold's way; plan holds anew whose time has passed."""
    for hold in list(s.holds_in_order()):
        job = hold.job
        if job is None or s.holds.get(hold.number) is not hold or hold.ready or complete_hold(s, hold):
            continue
        hold = job.hold or hold
        if only_stoppable(s, hold, job.priority):
            stop_for(s, hold, job.priority, WHY_PREEMPTED)
            hold.kind, hold.at_ms = "urgent", s.now_ms + s.policy[q.P_OVERRUN_MS]
        elif hold.at_ms + s.policy[q.P_TICK_MS] < s.now_ms:
            plan_again(s, hold)


# --- advance reservations -------------------------------------------------------------------------------------------


def on_reserve(s: State, project: int, mask: int, nodes: int, from_ms: int, until_ms: int) -> None:
    """Keep nodes for a project in the first cell that can have them by then; refuse when there is none."""
    at_ms = max(from_ms, s.now_ms)
    shut = s.shut(project)
    for cell in s.cells:
        if not mask >> cell.number & 1 or len(s.holds) == MOST_HOLDS or shut:
            continue
        plan = plan_of(s, cell, 0, ABOVE_ALL)
        best = best_domain(s, cell, plan, nodes, CELL, at_ms + 1)
        racks = best[1] if best is not None else cell.racks
        if best is not None or time_for(s, plan, racks, nodes, at_ms + 1) <= at_ms:
            hold = keep(s, unused_number(s), "project", cell, choose(plan, racks, cell.rack_size, nodes, at_ms), at_ms)
            hold.project, hold.until_ms = project, until_ms
            say_reserved(s, hold)
            return
    s.say(REFUSE, -1, 0, 0, shut or R_CAPACITY, project, nodes)


def begin_and_end_reservations(s: State) -> None:
    """Open a reservation to its project when its time has come; drop it when it is over."""
    for hold in [each for each in s.holds_in_order() if each.kind == "project"]:
        project = s.projects[hold.project]
        if s.now_ms >= hold.until_ms:
            if project.opened is hold:
                project.opened = None
            drop(s, hold)
        elif s.now_ms >= hold.at_ms and project.opened is None:
            project.opened = hold
            stop_for(s, hold, ABOVE_ALL, WHY_RESERVATION)
