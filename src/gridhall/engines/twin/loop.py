"""The twin's one compiled loop: the next thing that happens, `step`, and what the world does about the effects.

The loop stops for the driver when it needs more arrivals or failures, when an output buffer is full or when there are
more jobs
than slots; the driver helps and calls again. Where it stops changes nothing: chunked and whole runs decide the same.
"""

from gridhall.controller import events as ev
from gridhall.controller.events import EVENT_WIDTH
from gridhall.controller.state import ControllerState
from gridhall.controller.step import step_event
from gridhall.engines.twin.attempts import (
    accept,
    close_attempt,
    end_of_work,
    open_attempt,
    open_piece,
    saved_at,
    write_job,
)
from gridhall.engines.twin.meters import MINUTE_MS, add_watts, close_feed, count_online
from gridhall.engines.twin.world import (
    ENDED,
    FLEET_WIDTH,
    H_END,
    H_NODE_OUT,
    H_NODE_UP,
    H_STOPPED,
    H_TICK,
    HORIZON,
    NODE_FAILED,
    POWER_WIDTH,
    PREEMPTED,
    QUEUE_WIDTH,
    TIMED_OUT,
    WorldColumns,
)
from gridhall.kernel import kernel, state_cast
from gridhall.scheduling.decisions import (
    ACCEPT,
    DONE,
    EFFECT_WIDTH,
    PLACE,
    REFUSE,
    RELEASE,
    S_REFUSED,
    S_RUNNING,
    S_TIMEOUT,
    START,
    STOP,
    WAKE,
)
from gridhall.scheduling.starts import SWAPPED

as_controller = state_cast(ControllerState)
as_world = state_cast(WorldColumns)

REACHED = 0
WANTS_JOBS = 1
WANTS_FAULTS = 2
WANTS_FLUSH = 3
WANTS_ROOM = 4
"""Why the loop came back."""

FAR_MS = 1 << 61
HOUR_MS = 3600000
MARGIN = 64
"""Rows of an output buffer kept free for what one event can write."""


# --- the heap of what is to come ------------------------------------------------------------------------------------


@kernel
def comes_before(v: WorldColumns, one: int, other: int) -> bool:
    """The order of two planned events: time, kind, then what they are about."""
    if v.heap_ms[one] != v.heap_ms[other]:
        return v.heap_ms[one] < v.heap_ms[other]
    if v.heap_kind[one] != v.heap_kind[other]:
        return v.heap_kind[one] < v.heap_kind[other]
    if v.heap_a[one] != v.heap_a[other]:
        return v.heap_a[one] < v.heap_a[other]
    return v.heap_b[one] < v.heap_b[other]


@kernel
def swap_entries(v: WorldColumns, one: int, other: int) -> None:
    """Exchange two entries of the heap."""
    v.heap_ms[one], v.heap_ms[other] = v.heap_ms[other], v.heap_ms[one]
    v.heap_kind[one], v.heap_kind[other] = v.heap_kind[other], v.heap_kind[one]
    v.heap_a[one], v.heap_a[other] = v.heap_a[other], v.heap_a[one]
    v.heap_b[one], v.heap_b[other] = v.heap_b[other], v.heap_b[one]


@kernel
def plan(v: WorldColumns, time_ms: int, kind: int, a: int, b: int) -> None:
    """Something will happen at a time."""
    at = v.heap_count[0]
    v.heap_count[0] = at + 1
    v.heap_ms[at] = time_ms
    v.heap_kind[at] = kind
    v.heap_a[at] = a
    v.heap_b[at] = b
    while at > 0 and comes_before(v, at, (at - 1) >> 1):
        swap_entries(v, at, (at - 1) >> 1)
        at = (at - 1) >> 1


@kernel
def plan_entry(world: int, time_ms: int, kind: int, a: int, b: int) -> None:
    """Entry for the driver: something will happen at a time."""
    plan(as_world(world), time_ms, kind, a, b)


@kernel
def drop_first(v: WorldColumns) -> None:
    """Remove the heap's first entry."""
    last = v.heap_count[0] - 1
    v.heap_count[0] = last
    swap_entries(v, 0, last)
    at = 0
    while True:
        child = 2 * at + 1
        if child >= last:
            return
        if child + 1 < last and comes_before(v, child + 1, child):
            child += 1
        if not comes_before(v, child, at):
            return
        swap_entries(v, at, child)
        at = child


# --- one step and its effects ---------------------------------------------------------------------------------------


@kernel
def say(w: ControllerState, v: WorldColumns, kind: int, time_ms: int, a: int, b: int, c: int, d: int) -> None:
    """Hand the core a small event and carry out its effects."""
    w.event[0] = kind
    w.event[1] = time_ms
    w.event[2] = a
    w.event[3] = b
    w.event[4] = c
    w.event[5] = d
    w.event[6] = v.true_job[a] if kind == ev.ENDED or kind == ev.STOPPED or kind == ev.LOST else 0
    take_step(w, v, -1)


@kernel
def take_step(w: ControllerState, v: WorldColumns, row: int) -> None:
    """One step of the core on `w.event`, recorded if asked, and its effects carried out."""
    if v.recording[0] == 1:
        base = v.record_count[0] * EVENT_WIDTH
        v.record_count[0] += 1
        for place in range(EVENT_WIDTH):
            v.record[base + place] = w.event[place]
    v.steps[0] += 1
    count = step_event(w)
    for effect in range(count):
        carry_out(w, v, effect * EFFECT_WIDTH, row)


@kernel
def carry_out(w: ControllerState, v: WorldColumns, base: int, row: int) -> None:
    """What the world does about one effect."""
    kind = w.effects[base]
    time_ms = w.effects[base + 1]
    slot = w.effects[base + 3]
    if kind == PLACE:
        open_piece(v, slot, w.effects[base + 5], w.effects[base + 6], w.effects[base + 7], time_ms)
    elif kind == START:
        cause = w.effects[base + 7] & 7
        if cause == SWAPPED:
            close_attempt(v, slot, time_ms)
        v.last_level[slot] = w.effects[base + 7] >> 3
        open_attempt(v, slot, w.effects[base + 4], w.effects[base + 5], w.effects[base + 6], cause, time_ms)
        plan(v, end_of_work(v, slot), H_END, slot, w.effects[base + 4])
    elif kind == RELEASE:
        close_attempt(v, slot, time_ms)
    elif kind == ACCEPT:
        accept(v, row, slot)
    elif kind == DONE:
        write_job(v, slot, w.effects[base + 5], 0, time_ms)
    elif kind == STOP:
        delay = v.stop_delay_ms[0]
        if v.true_checkpoint_ms[slot] > 0:
            delay += v.true_cost_ms[slot]
        plan(v, time_ms + delay, H_STOPPED, slot, w.effects[base + 4])
    elif kind == WAKE:
        plan(v, w.effects[base + 5], H_TICK, 0, 0)
    elif kind == REFUSE and row >= 0:
        refuse(v, row, w.effects[base + 5], time_ms)


@kernel
def refuse(v: WorldColumns, row: int, reason: int, time_ms: int) -> None:
    """A job that can never run: a row in the jobs table and nothing else. The last slot is scratch for it."""
    slot = v.room[7]
    accept(v, row, slot)
    v.true_nodes[slot] = 0
    write_job(v, slot, S_REFUSED, reason, time_ms)


# --- what happens ---------------------------------------------------------------------------------------------------


@kernel
def happen(w: ControllerState, v: WorldColumns) -> None:
    """The first planned event comes true."""
    time_ms = v.heap_ms[0]
    kind = v.heap_kind[0]
    a = v.heap_a[0]
    b = v.heap_b[0]
    drop_first(v)
    if kind == H_END:
        if v.true_running[a] == 1 and v.true_attempt[a] == b:
            v.true_new_saved_ms[a] = v.true_total_ms[a]
            state = v.true_outcome[a] + 2
            v.true_why[a] = TIMED_OUT if state == S_TIMEOUT else ENDED
            say(w, v, ev.ENDED, time_ms, a, b, state, v.true_total_ms[a])
    elif kind == H_STOPPED:
        if v.true_running[a] == 1 and v.true_attempt[a] == b:
            delay = v.true_cost_ms[a] if v.true_checkpoint_ms[a] > 0 else 0
            v.true_new_saved_ms[a] = saved_at(v, a, time_ms - delay, True)
            v.true_why[a] = PREEMPTED
            v.sum_preemptions[a] += 1
            say(w, v, ev.STOPPED, time_ms, a, b, v.true_new_saved_ms[a], 0)
    elif kind == H_NODE_UP:
        node_joins(w, v, a, b, time_ms)
    elif kind == H_NODE_OUT:
        v.cell_ready_nodes[v.cell_of_rack[v.rack_of_node[a]]] -= 1
        say(w, v, ev.NODE_OUT, time_ms, a, 0, 0, 0)
    elif kind == H_TICK:
        say(w, v, ev.TICK, time_ms, 0, 0, 0, 0)
    else:
        for place in range(EVENT_WIDTH):
            w.event[place] = v.plan_event[a * EVENT_WIDTH + place]
        take_step(w, v, -1)


@kernel
def node_joins(w: ControllerState, v: WorldColumns, node: int, new: int, time_ms: int) -> None:
    """A node comes on line, new or repaired."""
    if v.node_on[node] == 1:
        return
    rack = v.rack_of_node[node]
    cell = v.cell_of_rack[rack]
    v.cell_ready_nodes[cell] += new
    v.node_on[node] = 1
    add_watts(v, rack, v.cell_idle_w[cell], time_ms)
    count_online(v, v.cell_gpus[cell], time_ms)
    say(w, v, ev.NODE_UP, time_ms, node, 0, 0, 0)


@kernel
def node_fails(w: ControllerState, v: WorldColumns) -> None:
    """The next failure of the stream: the node is lost with all that ran on it, and will be repaired."""
    place = v.fault_next[0]
    v.fault_next[0] = place + 1
    time_ms = v.fault_ms[place]
    node = v.fault_node[place]
    if v.node_on[node] == 0:
        return
    rack = v.rack_of_node[node]
    cell = v.cell_of_rack[rack]
    v.faults_hit[0] += 1
    v.node_on[node] = 0
    add_watts(v, rack, -v.cell_idle_w[cell], time_ms)
    count_online(v, -v.cell_gpus[cell], time_ms)
    plan(v, time_ms + v.fault_repair_ms[place], H_NODE_UP, node, 0)
    say(w, v, ev.NODE_DOWN, time_ms, node, 0, 0, 0)
    if v.node_slot[node] != 0:
        gang_dies(w, v, v.node_slot[node] - 1, time_ms)
        return
    for slot in range(v.room[7]):
        if v.true_running[slot] == 1 and v.true_nodes[slot] == 1 and runs_on(v, slot, node):
            gang_dies(w, v, slot, time_ms)


@kernel
def runs_on(v: WorldColumns, slot: int, node: int) -> bool:
    """Whether a job of one node runs on this one."""
    piece = v.true_chunk[slot] - 1
    rack = v.piece_rack[piece]
    return v.piece_mask[piece] == 1 << (node - v.rack_first_node[rack]) and rack == v.rack_of_node[node]


@kernel
def gang_dies(w: ControllerState, v: WorldColumns, slot: int, time_ms: int) -> None:
    """A gang has lost a node: it goes back to its last checkpoint."""
    v.true_new_saved_ms[slot] = saved_at(v, slot, time_ms, False)
    v.true_why[slot] = NODE_FAILED
    v.sum_restarts[slot] += 1
    say(w, v, ev.LOST, time_ms, slot, v.true_attempt[slot], v.true_new_saved_ms[slot], 0)


@kernel
def job_arrives(w: ControllerState, v: WorldColumns) -> None:
    """The next arrival is submitted."""
    row = v.in_next[0]
    v.in_next[0] = row + 1
    v.submitted[0] += 1
    for place in range(EVENT_WIDTH):
        w.event[place] = v.in_event[row * EVENT_WIDTH + place]
    take_step(w, v, row)


# --- reading the meters ---------------------------------------------------------------------------------------------


@kernel
def read_meters(w: ControllerState, v: WorldColumns, time_ms: int) -> bool:
    """Write a row a feed for every minute that has passed, and the hourly tables. False when a buffer is full."""
    while v.minute_ms[0] <= time_ms:
        if v.out_count[2] + v.n_feeds[0] > v.room[2] or v.out_count[3] + 1 > v.room[3]:
            return False
        if v.out_count[4] + v.n_cells[0] > v.room[4]:
            return False
        at = v.minute_ms[0]
        for place in range(v.n_feeds[0]):
            feed = v.feeds[place]
            mean_w = close_feed(v, feed, at) // MINUTE_MS
            if v.minutes_on[0] == 1:
                base = v.out_count[2] * POWER_WIDTH
                v.out_count[2] += 1
                v.out_power[base] = at - MINUTE_MS
                v.out_power[base + 1] = feed
                v.out_power[base + 2] = mean_w
                v.out_power[base + 3] = w.power_committed_w[feed]
        if at >= v.hour_ms[0]:
            write_hour(w, v, at)
            v.hour_ms[0] += HOUR_MS
        v.minute_ms[0] += MINUTE_MS
    return True


@kernel
def write_hour(w: ControllerState, v: WorldColumns, time_ms: int) -> None:
    """The queue by reason and every cell's GPUs, once an hour."""
    base = v.out_count[3] * QUEUE_WIDTH
    v.out_count[3] += 1
    for place in range(QUEUE_WIDTH):
        v.out_queue[base + place] = 0
    v.out_queue[base] = time_ms
    v.out_queue[base + 1] = w.queue_length[0]
    for place in range(w.queue_length[0]):
        v.out_queue[base + 2] += w.queue_gpus[place]
        v.out_queue[base + 6 + w.job_reason[w.queue_slot[place]]] += 1
    for cell in range(v.n_cells[0]):
        gpus = v.cell_gpus[cell]
        online = w.cell_nodes_up[cell] * gpus
        down = v.cell_ready_nodes[cell] * gpus - online
        row = v.out_count[4] * FLEET_WIDTH
        v.out_count[4] += 1
        v.out_fleet[row] = time_ms
        v.out_fleet[row + 1] = cell
        v.out_fleet[row + 2] = online
        used = w.cell_used_gpus[cell] + w.cell_shared_milli[cell] // 1000
        v.out_fleet[row + 3] = used
        v.out_fleet[row + 4] = down
        v.out_queue[base + 3] += online
        v.out_queue[base + 4] += used
        v.out_queue[base + 5] += down


# --- the loop -------------------------------------------------------------------------------------------------------


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
