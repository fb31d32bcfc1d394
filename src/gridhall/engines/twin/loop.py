"""The twin's one compiled loop: the next thing that happens, until a time is reached.

The loop stops for the driver when it needs more arrivals or failures, when an output buffer is full or when there are
more jobs than slots; the driver helps and calls again. Where it stops changes nothing: chunked and whole runs decide
the same.
"""

from gridhall.controller.events import EVENT_WIDTH
from gridhall.controller.state import ControllerState
from gridhall.engines.twin.attempts import close_attempt, saved_at, write_job
from gridhall.engines.twin.happenings import happen, job_arrives, node_fails
from gridhall.engines.twin.meters import add_watts, close_feed, count_online
from gridhall.engines.twin.readings import read_meters
from gridhall.engines.twin.world import HORIZON, WorldColumns
from gridhall.kernel import kernel, state_cast
from gridhall.scheduling.decisions import S_RUNNING

as_controller = state_cast(ControllerState)
as_world = state_cast(WorldColumns)

REACHED = 0
WANTS_JOBS = 1
WANTS_FAULTS = 2
WANTS_FLUSH = 3
WANTS_ROOM = 4
"""Why the loop came back."""

FAR_MS = 1 << 61
MARGIN = 64
"""Rows of an output buffer kept free for what one event can write."""


@kernel
def lacks_room(w: ControllerState, v: WorldColumns) -> int:
    """Whether the driver must help before the next event: WANTS_FLUSH, WANTS_ROOM, or 0."""
    if w.slots_taken[0] + 2 > v.room[7] or v.heap_count[0] + v.room[7] > v.room[6]:
        return WANTS_ROOM
    if v.out_count[0] + MARGIN > v.room[0] or v.out_count[1] + MARGIN > v.room[1]:
        return WANTS_FLUSH
    if v.recording[0] == 1 and v.record_count[0] + MARGIN > v.room[5]:
        return WANTS_FLUSH
    return 0


@kernel
def run_until(controller: int, world: int, until_ms: int) -> int:
    """Entry for the driver: run to a time (exclusive); returns why it came back."""
    w = as_controller(controller)
    v = as_world(world)
    while True:
        lack = lacks_room(w, v)
        if lack != 0:
            return lack
        if v.in_next[0] >= v.in_count[0]:
            return WANTS_JOBS
        if v.fault_next[0] >= v.fault_count[0]:
            return WANTS_FAULTS
        planned = v.heap_ms[0] if v.heap_count[0] > 0 else FAR_MS
        fault = v.fault_ms[v.fault_next[0]]
        arrival = v.in_event[v.in_next[0] * EVENT_WIDTH + 1]
        time_ms = min(planned, min(fault, arrival))
        if time_ms >= until_ms:
            return REACHED if read_meters(w, v, until_ms) else WANTS_FLUSH
        if v.minute_ms[0] <= time_ms and not read_meters(w, v, time_ms):
            return WANTS_FLUSH
        if planned == time_ms:
            happen(w, v)
        elif fault == time_ms:
            node_fails(w, v)
        else:
            job_arrives(w, v)


@kernel
def close_run(controller: int, world: int, time_ms: int) -> int:
    """Write what is still open at the horizon: intervals of running work and a row for every job that is not done.

    Returns 1 when it has to be called again after a flush.
    """
    w = as_controller(controller)
    v = as_world(world)
    for slot in range(w.n_slots[0]):
        if w.job_state[slot] == 0 or v.true_job[slot] < 0:
            continue
        if v.out_count[0] + 2 > v.room[0] or v.out_count[1] + 2 > v.room[1]:
            return 1
        state = 0
        if v.true_running[slot] == 1:
            state = S_RUNNING
            v.true_why[slot] = HORIZON
            v.true_new_saved_ms[slot] = saved_at(v, slot, time_ms, True)
            close_attempt(v, slot, time_ms)
        write_job(v, slot, state, w.job_reason[slot], time_ms)
        v.true_job[slot] = -1
    count_online(v, 0, time_ms)
    for rack in range(v.n_racks[0]):
        add_watts(v, rack, 0, time_ms)
    for place in range(v.n_feeds[0]):
        close_feed(v, v.feeds[place], time_ms)
    return 0
