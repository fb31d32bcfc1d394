"""Gangs that stand still for a load target: they keep their nodes, GPUs and committed watts, and draw next to nothing.

A gang is told to pause, stands, is told to go on, and goes. A feed under a load target has its limit cut to the
target, so that nothing new starts below it before what stands still has gone on again.
"""

from gridhall.fleet.arrays import MAX_POWER_PATH
from gridhall.fleet.capacity import CapacityColumns
from gridhall.kernel import column, count_ones, kernel
from gridhall.scheduling.decisions import PAUSE, RESUME, DecisionColumns, emit
from gridhall.scheduling.jobs import JobColumns
from gridhall.work.table import DEFERRABLE, SLOW50

GOING = 0
TOLD_TO_PAUSE = 1
STANDING = 2
TOLD_TO_GO = 3

ALLOWANCE_MILLI = 500
"""Most time that a job of tier SLOW50 may lose, per mille of the work that it has done."""
UNBOUNDED_MS = 1 << 60


class PauseColumns(CapacityColumns, JobColumns, DecisionColumns):
    """Sizes: slots, power, cells. The zeros of a new column say: no target, nothing stands still."""

    job_still = column("slots")
    job_still_ms = column("slots")  # since when it stands or was told to pause; when it last went on; 0 = never paused
    job_lost_ms = column("slots")  # time that it has stood still, over all attempts
    cell_ability = column("cells")  # bits of what the cell's engine can do
    power_bound_w = column("power")  # load target + 1, 0 = none
    power_cut_w = column("power")  # by how much the target cuts the node's own limit
    power_before_w = column("power")  # drawn when the target began: no more than this for a time after it
    power_until_ms = column("power")  # when that time is over; 0 while the target itself stands
    power_told_w = column("power")  # of gangs that stand still or are told to
    told_jobs = column(1)  # how many there are
    bounds = column(1)  # power nodes with a bound


@kernel
def cut_limit(w: PauseColumns, power: int) -> None:
    """Bring a power node's limit in line with its load target."""
    own = w.power_limit_w[power] + w.power_cut_w[power]
    bound = w.power_bound_w[power]
    w.power_limit_w[power] = min(own, bound - 1) if bound > 0 else own
    w.power_cut_w[power] = own - w.power_limit_w[power]


@kernel
def count_told(w: PauseColumns, slot: int, sign: int) -> None:
    """Count a gang among those told to stand still, or no longer."""
    w.told_jobs[0] += sign
    at = w.job_chunk[slot]
    while at != 0:
        watts = sign * count_ones(w.chunk_mask[at - 1]) * w.job_node_w[slot]
        for step in range(MAX_POWER_PATH):
            above = w.rack_path[w.chunk_rack[at - 1] * MAX_POWER_PATH + step]
            if above < 0:
                break
            w.power_told_w[above] += watts
        at = w.chunk_next[at - 1]


@kernel
def watts_below(w: PauseColumns, slot: int, power: int) -> int:
    """Watts above idle that a gang is charged below a power node."""
    nodes = 0
    at = w.job_chunk[slot]
    while at != 0:
        for step in range(MAX_POWER_PATH):
            if w.rack_path[w.chunk_rack[at - 1] * MAX_POWER_PATH + step] == power:
                nodes += count_ones(w.chunk_mask[at - 1])
        at = w.chunk_next[at - 1]
    return nodes * w.job_node_w[slot]


@kernel
def allowance_left_ms(w: PauseColumns, slot: int, now_ms: int) -> int:
    """How much longer a running gang may stand still by its flex tier; 0 where it may not at all.

    A gang of tier SLOW50 may lose its share of the work done so far; a deferrable one has the time that its predicted
    rest leaves before its deadline.
    """
    stands = w.job_still[slot] != GOING
    until_ms = w.job_still_ms[slot] if stands else now_ms
    done_ms = w.job_saved_ms[slot] + max(0, until_ms - w.job_start_ms[slot])
    if w.job_tier[slot] == SLOW50:
        lost_ms = w.job_lost_ms[slot] + (now_ms - until_ms)
        return done_ms * ALLOWANCE_MILLI // 1000 - lost_ms
    if w.job_tier[slot] != DEFERRABLE:
        return 0
    if w.job_deadline_ms[slot] == 0:
        return UNBOUNDED_MS
    return w.job_deadline_ms[slot] - now_ms - max(0, w.job_high_ms[slot] - done_ms)


@kernel
def tell_to_pause(w: PauseColumns, slot: int, power: int, now_ms: int) -> None:
    """Tell a running gang to stand still for the target of a power node."""
    w.job_still[slot] = TOLD_TO_PAUSE
    w.job_still_ms[slot] = now_ms
    count_told(w, slot, 1)
    emit(w, PAUSE, now_ms, w.job_id[slot], slot, w.job_attempt[slot], power, 0, 0)


@kernel
def tell_to_go(w: PauseColumns, slot: int, why: int, now_ms: int) -> None:
    """Tell a gang that stands still, or was told to, to go on."""
    w.job_still[slot] = TOLD_TO_GO
    count_told(w, slot, -1)
    emit(w, RESUME, now_ms, w.job_id[slot], slot, w.job_attempt[slot], why, 0, 0)


@kernel
def end_pause(w: PauseColumns, slot: int, now_ms: int) -> None:
    """A gang's pause is over because the attempt is, or because it is told to stop."""
    if w.job_still[slot] == GOING:
        return
    if w.job_still[slot] != TOLD_TO_GO:
        count_told(w, slot, -1)
    w.job_lost_ms[slot] += now_ms - w.job_still_ms[slot]
    w.job_still[slot] = GOING
    w.job_still_ms[slot] = now_ms
