"""The reference's energy desk: who stands still for a load target, said plainly."""

from gridhall.controller import events as ev
from gridhall.scheduling.decisions import PAUSE, RESUME, WAKE, WHY_ALLOWANCE, WHY_DEADLINE, WHY_ENGINE, WHY_ROOM
from tests.oracle.reference_passes import schedule
from tests.oracle.reference_state import Bound, Job, State

DESK = (ev.TARGET, ev.PAUSED, ev.RESUMED, ev.ABILITY)
SLOW50, DEFERRABLE = 3, 4
LOOK_MS, AFTER_MS, LEAST_MS, AHEAD_MS, PATIENCE_MS = 5_000, 3_600_000, 60_000, 60_000, 30_000
FOREVER_MS = 1 << 60


def on_desk(s: State, kind: int, fields: list[int]) -> None:
    """A load target, an engine's word about a gang's stillness, or what the engine of a cell can do."""
    if kind == ev.ABILITY:
        (s.able.add if fields[1] & 1 else s.able.discard)(fields[0])
    elif kind == ev.TARGET:
        on_target(s, fields[0], fields[1])
    else:
        job = s.jobs.get(fields[0])
        if job is not None and job.state == "running" and (job.attempt, job.id) == (fields[1], fields[4]):
            on_stillness(s, job, kind)


def on_target(s: State, power: int, target_w: int) -> None:
    bound = s.bounds.get(power)
    if target_w >= 0:
        before_w = going_w(s, power) if bound is None else bound.before_w
        s.bounds[power] = Bound(target_w, before_w)
    elif bound is not None and not bound.until_ms:
        s.bounds[power] = Bound(bound.before_w, bound.before_w, s.now_ms + AFTER_MS)
    keep_to_targets(s)
    schedule(s, everywhere(s))


def look_at(s: State, cells: set[int]) -> None:
    """A pass over the queue for some cells, if there are any."""
    if cells:
        schedule(s, cells)


def everywhere(s: State) -> set[int]:
    return {cell.number for cell in s.cells}


def on_stillness(s: State, job: Job, kind: int) -> None:
    if kind == ev.PAUSED and job.still == "told":
        job.still, job.still_ms = "standing", s.now_ms
    elif kind == ev.RESUMED and job.still == "leaving":
        job.start_ms += s.now_ms - job.still_ms
        s.end_pause(job)
    elif kind == ev.RESUMED and job.still == "standing":
        go_on(s, job, WHY_ENGINE)
        look_at(s, keep_to_targets(s))


def still_jobs(s: State) -> list[Job]:
    """Gangs that stand still or are told to, by slot."""
    return sorted((job for job in s.running() if job.still in ("told", "standing")), key=lambda job: job.slot)


def below_w(job: Job, power: int) -> int:
    return sum(job.node_w for node in job.nodes() if power in node.rack.above)


def going_w(s: State, power: int) -> int:
    """What is committed below a power node, without what stands still or is told to."""
    return s.committed_w(power) - sum(below_w(job, power) for job in still_jobs(s))


def over_w(s: State, power: int) -> int:
    return going_w(s, power) - s.bounds[power].target_w


def left_ms(s: State, job: Job) -> int:
    """How much longer a job may stand still."""
    stood_ms = 0 if job.still == "going" else s.now_ms - job.still_ms
    done_ms = job.saved_ms + max(0, s.now_ms - stood_ms - job.start_ms)
    if job.tier == SLOW50:
        return done_ms // 2 - job.lost_ms - stood_ms
    if job.tier != DEFERRABLE:
        return 0
    return job.deadline_ms - s.now_ms - max(0, job.high_ms - done_ms) if job.deadline_ms else FOREVER_MS


def keep_to_targets(s: State) -> set[int]:
    """Gangs whose allowance ends go on, others pause where a target asks for it, and what has room goes on.

    Returns the cells in which work may start now.
    """
    if not s.bounds and not still_jobs(s):
        return set()
    for job in still_jobs(s):
        if left_ms(s, job) <= AHEAD_MS:
            go_on(s, job, WHY_ALLOWANCE if job.tier == SLOW50 else WHY_DEADLINE)
        elif job.still == "told" and s.now_ms - job.still_ms >= PATIENCE_MS:
            go_on(s, job, WHY_ENGINE)
    ended = [power for power, bound in s.bounds.items() if 0 < bound.until_ms <= s.now_ms]
    wakes: list[int] = []
    for power in sorted(s.bounds):
        bound = s.bounds[power]
        if power in ended:
            del s.bounds[power]
            continue
        for job in by_merit(s):
            if over_w(s, power) > 0 and below_w(job, power) > 0:
                job.still, job.still_ms = "told", s.now_ms
                s.say(PAUSE, job.id, job.slot, job.attempt, power)
        if over_w(s, power) > 0:
            wakes.append(s.now_ms + 1)
        elif bound.until_ms:
            wakes.append(bound.until_ms)
    let_some_go(s)
    if still_jobs(s):
        wakes.append(s.now_ms + 1)
    ask(s, min(wakes, default=0))
    return everywhere(s) if ended else set()


def ask(s: State, soonest_ms: int) -> None:
    at_ms = -(-soonest_ms // LOOK_MS) * LOOK_MS
    if at_ms and not s.now_ms < s.desk_wake_ms <= at_ms:
        s.desk_wake_ms = at_ms
        s.say(WAKE, 0, 0, 0, at_ms)


def by_merit(s: State) -> list[Job]:
    """Gangs that may pause: deferrable ones first, then those with the most watts a GPU, in steps of 64."""

    def may_pause(job: Job) -> bool:
        rests = job.still_ms > 0 and s.now_ms - job.still_ms < LEAST_MS
        able = job.state == "running" and job.still == "going" and job.cell in s.able
        return able and not rests and left_ms(s, job) >= AHEAD_MS + LEAST_MS

    def merit(job: Job) -> int:
        gpus = len(job.part) or s.cells[job.cell].gpus_per_node
        return min(31, job.node_w // gpus // 64)

    found = [job for job in s.jobs.values() if may_pause(job)]
    return sorted(found, key=lambda job: (-job.tier, -merit(job), job.slot))


def let_some_go(s: State) -> None:
    """Gangs go on where every bound above them has room: no more than begins within a fiftieth of a limit at a look."""
    let: dict[int, int] = {}
    for job in sorted(still_jobs(s), key=lambda job: (job.tier, job.slot)):
        above = [power for power in range(len(s.own_limit_w)) if has_node(job, power)]
        room = all(over_w(s, power) + below_w(job, power) <= 0 for power in above if power in s.bounds)
        pace = all(let.get(power, 0) * 50 <= s.own_limit_w[power] for power in above)
        if job.still == "standing" and s.now_ms - job.still_ms >= LEAST_MS and room and pace:
            go_on(s, job, WHY_ROOM)
            for power in above:
                let[power] = let.get(power, 0) + below_w(job, power)


def has_node(job: Job, power: int) -> bool:
    return any(power in node.rack.above for node in job.nodes())


def go_on(s: State, job: Job, why: int) -> None:
    job.still = "leaving"
    s.say(RESUME, job.id, job.slot, job.attempt, why)
