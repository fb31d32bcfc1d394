"""The energy desk: gangs pause and go on so that every feed keeps to its load target.

A load target bounds what the nodes below a feed may draw: idle watts and the committed watts of every gang that goes.
While a feed is above it, gangs whose flex tier allows it are told to pause, those first that give up the least work for
a watt: deferrable ones (their work is only later), then tier SLOW50; within a tier those with the most watts a GPU.
Rigid work is never touched. A gang goes on before its allowance is used up, whatever the target says; others take its
place, and where none can, the excess stands.

When room comes, gangs go on a few at a time. After a target the feed stays at or below what it drew before for an
hour, so that what was put off does not come back as a peak.
"""

from gridhall.controller.events import CAN_PAUSE
from gridhall.controller.state import ControllerState
from gridhall.fleet.arrays import MAX_POWER_PATH
from gridhall.kernel import kernel
from gridhall.scheduling.decisions import WAKE, WHY_ALLOWANCE, WHY_DEADLINE, WHY_ENGINE, WHY_ROOM, emit
from gridhall.scheduling.jobs import RUNNING
from gridhall.scheduling.pauses import (
    GOING,
    STANDING,
    TOLD_TO_GO,
    TOLD_TO_PAUSE,
    allowance_left_ms,
    cut_limit,
    end_pause,
    tell_to_go,
    tell_to_pause,
    watts_below,
)
from gridhall.scheduling.starts import refresh_ends
from gridhall.work.table import DEFERRABLE, SLOW50

DESK_MS = 5_000
"""How often the desk looks while gangs stand still or a feed is above its target."""
AFTER_MS = 3_600_000
"""How long after a target a feed may not draw more than before it."""
LEAST_MS = 60_000
"""A gang stands still, and goes between two pauses, at least so long."""
PATIENCE_MS = 30_000
"""A gang that does not stand still so long after it was told to is given up: others take its place."""
AHEAD_MS = 60_000
"""A gang goes on so long before its allowance is used up: the engine takes its time."""
RELEASE_MILLI = 20
"""Most of a power node's own limit that goes on again at one look."""
MERITS = 32
MERIT_W = 64
"""Gangs are ordered by watts above idle a GPU, in so many steps of so many watts."""


@kernel
def on_target(w: ControllerState, power: int, target_w: int, now_ms: int) -> int:
    """A feed's load target begins, changes or (below 0) ends. Returns cells to look at."""
    if target_w >= 0:
        if w.power_bound_w[power] == 0:
            w.bounds[0] += 1
            w.power_before_w[power] = w.power_committed_w[power] - w.power_told_w[power]
        w.power_bound_w[power] = target_w + 1
        w.power_until_ms[power] = 0
    elif w.power_bound_w[power] > 0 and w.power_until_ms[power] == 0:
        w.power_bound_w[power] = w.power_before_w[power] + 1
        w.power_until_ms[power] = now_ms + AFTER_MS
    cut_limit(w, power)
    keep_to_targets(w, now_ms)
    return w.all_cells[0]


@kernel
def on_limit(w: ControllerState, power: int, limit_w: int) -> int:
    """A power node's own limit changes; its load target goes on cutting it. Returns cells to look at."""
    w.power_limit_w[power] = limit_w
    w.power_cut_w[power] = 0
    cut_limit(w, power)
    return w.all_cells[0]


@kernel
def on_stillness(w: ControllerState, slot: int, attempt: int, job: int, paused: int, now_ms: int) -> int:
    """An engine says that a gang stands still (paused 1) or goes on.

    One that goes on unasked is told to, so that both sides know; other news that nobody asked for changes nothing.
    Returns cells to look at.
    """
    if w.job_state[slot] != RUNNING or w.job_attempt[slot] != attempt or w.job_id[slot] != job:
        return 0
    if paused == 1 and w.job_still[slot] == TOLD_TO_PAUSE:
        w.job_still[slot] = STANDING
        w.job_still_ms[slot] = now_ms
    elif paused == 0 and w.job_still[slot] == TOLD_TO_GO:
        w.job_start_ms[slot] += now_ms - w.job_still_ms[slot]
        end_pause(w, slot, now_ms)
        refresh_ends(w, w.job_chunk[slot])
    elif paused == 0 and w.job_still[slot] == STANDING:
        tell_to_go(w, slot, WHY_ENGINE, now_ms)
        return keep_to_targets(w, now_ms)
    return 0


@kernel
def keep_to_targets(w: ControllerState, now_ms: int) -> int:
    """Pause what must, let go on what may, and ask for the next look. Returns cells to look at."""
    if w.bounds[0] == 0 and w.told_jobs[0] == 0:
        return 0
    let_due_go(w, now_ms)
    ended = False
    next_ms = 0
    for power in range(w.power_nodes[0]):
        if w.power_bound_w[power] == 0:
            continue
        if 0 < w.power_until_ms[power] <= now_ms:
            end_bound(w, power)
            ended = True
            continue
        if over_target_w(w, power) > 0:
            pause_below(w, power, now_ms)
        if over_target_w(w, power) > 0:
            next_ms = now_ms + 1
        elif w.power_until_ms[power] > 0 and (next_ms == 0 or w.power_until_ms[power] < next_ms):
            next_ms = w.power_until_ms[power]
    let_some_go(w, now_ms)
    if w.told_jobs[0] > 0:
        next_ms = now_ms + 1
    ask_for_look(w, next_ms, now_ms)
    return w.all_cells[0] if ended else 0


@kernel
def ask_for_look(w: ControllerState, next_ms: int, now_ms: int) -> None:
    """One wake-up of the desk stands: at a time on its grid, not before `next_ms`; 0 = none is needed."""
    if next_ms == 0:
        return
    at_ms = (next_ms + DESK_MS - 1) // DESK_MS * DESK_MS
    if now_ms < w.desk_wake_ms[0] <= at_ms:
        return
    w.desk_wake_ms[0] = at_ms
    emit(w, WAKE, now_ms, 0, 0, 0, at_ms, 0, 0)


@kernel
def over_target_w(w: ControllerState, power: int) -> int:
    """Watts by which a power node is above its bound once all that is told to pause stands still."""
    return w.power_committed_w[power] - w.power_told_w[power] - (w.power_bound_w[power] - 1)


@kernel
def end_bound(w: ControllerState, power: int) -> None:
    """The time after a target is over."""
    w.power_bound_w[power] = 0
    w.power_until_ms[power] = 0
    w.bounds[0] -= 1
    cut_limit(w, power)


@kernel
def let_due_go(w: ControllerState, now_ms: int) -> None:
    """Gangs whose allowance is nearly used up go on, and those that did not stand still in time."""
    if w.told_jobs[0] == 0:
        return
    for slot in range(w.n_slots[0]):
        still = w.job_still[slot]
        if still != TOLD_TO_PAUSE and still != STANDING:
            continue
        if allowance_left_ms(w, slot, now_ms) <= AHEAD_MS:
            tell_to_go(w, slot, WHY_ALLOWANCE if w.job_tier[slot] == SLOW50 else WHY_DEADLINE, now_ms)
        elif still == TOLD_TO_PAUSE and now_ms - w.job_still_ms[slot] >= PATIENCE_MS:
            tell_to_go(w, slot, WHY_ENGINE, now_ms)


@kernel
def pause_below(w: ControllerState, power: int, now_ms: int) -> None:
    """Tell gangs below a power node to pause until it will be at its target, in the order of merit."""
    for tier in range(DEFERRABLE, SLOW50 - 1, -1):
        for merit in range(MERITS - 1, -1, -1):
            for slot in range(w.n_slots[0]):
                if over_target_w(w, power) <= 0:
                    return
                if w.job_tier[slot] != tier or not may_pause(w, slot, now_ms) or merit_of(w, slot) != merit:
                    continue
                if watts_below(w, slot, power) > 0:
                    tell_to_pause(w, slot, power, now_ms)


@kernel
def may_pause(w: ControllerState, slot: int, now_ms: int) -> bool:
    """Whether a gang goes, its engine can pause it, and standing still for a while is within its allowance."""
    if w.job_state[slot] != RUNNING or w.job_still[slot] != GOING or w.cell_ability[w.job_cell[slot]] & CAN_PAUSE == 0:
        return False
    if w.job_still_ms[slot] > 0 and now_ms - w.job_still_ms[slot] < LEAST_MS:
        return False
    return allowance_left_ms(w, slot, now_ms) >= AHEAD_MS + LEAST_MS


@kernel
def merit_of(w: ControllerState, slot: int) -> int:
    """Watts a GPU in steps: the more, the less work a watt costs."""
    return min(MERITS - 1, w.job_node_w[slot] // max(1, w.job_node_gpus[slot]) // MERIT_W)


@kernel
def let_some_go(w: ControllerState, now_ms: int) -> None:
    """Let gangs go on where every bound above them has room: those that lose work first, a few at a time."""
    if w.told_jobs[0] == 0:
        return
    for power in range(w.power_nodes[0]):
        w.power_stood_w[power] = w.power_told_w[power]
    for tier in range(SLOW50, DEFERRABLE + 1):
        for slot in range(w.n_slots[0]):
            if w.job_still[slot] != STANDING or w.job_tier[slot] != tier:
                continue
            if now_ms - w.job_still_ms[slot] >= LEAST_MS and has_room(w, slot):
                tell_to_go(w, slot, WHY_ROOM, now_ms)


@kernel
def has_room(w: ControllerState, slot: int) -> bool:
    """Whether a gang may go on as far as every bound above it and the pace of release say."""
    at = w.job_chunk[slot]
    while at != 0:
        for step in range(MAX_POWER_PATH):
            above = w.rack_path[w.chunk_rack[at - 1] * MAX_POWER_PATH + step]
            if above < 0:
                break
            own_w = w.power_limit_w[above] + w.power_cut_w[above]
            if (w.power_stood_w[above] - w.power_told_w[above]) * 1000 > RELEASE_MILLI * own_w:
                return False
            if w.power_bound_w[above] > 0 and over_target_w(w, above) + watts_below(w, slot, above) > 0:
                return False
        at = w.chunk_next[at - 1]
    return True
