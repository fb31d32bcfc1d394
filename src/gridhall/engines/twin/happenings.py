"""What happens in the world: work ends, nodes come, fail and leave, jobs arrive."""

from gridhall.controller import events as ev
from gridhall.controller.events import EVENT_WIDTH
from gridhall.controller.state import ControllerState
from gridhall.engines.twin.attempts import end_of_work, saved_at
from gridhall.engines.twin.effects import say, take_step
from gridhall.engines.twin.heap import drop_first, plan
from gridhall.engines.twin.meters import switch_node
from gridhall.engines.twin.stillness import fall_still, go_on
from gridhall.engines.twin.world import (
    ENDED,
    H_END,
    H_GIVEN,
    H_GOES,
    H_NODE_OUT,
    H_NODE_UP,
    H_STILL,
    H_STOPPED,
    H_TICK,
    NODE_FAILED,
    PREEMPTED,
    TIMED_OUT,
    WorldColumns,
)
from gridhall.kernel import kernel
from gridhall.scheduling.decisions import S_TIMEOUT


@kernel
def happen(w: ControllerState, v: WorldColumns) -> None:
    """The first planned event comes true."""
    time_ms = v.heap_ms[0]
    kind = v.heap_kind[0]
    a = v.heap_a[0]
    b = v.heap_b[0]
    drop_first(v)
    if kind == H_END:
        goes = v.true_running[a] == 1 and v.true_attempt[a] == b and v.true_still_ms[a] == 0
        if goes and time_ms >= end_of_work(v, a):
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
        node_leaves(w, v, a, time_ms)
    elif kind == H_TICK:
        say(w, v, ev.TICK, time_ms, 0, 0, 0, 0)
    elif kind == H_GIVEN:
        for place in range(EVENT_WIDTH):
            w.event[place] = v.plan_event[a * EVENT_WIDTH + place]
        take_step(w, v, -1)
    elif v.true_running[a] == 1 and v.true_attempt[a] == b:
        stillness_comes(w, v, kind, a, time_ms)


@kernel
def stillness_comes(w: ControllerState, v: WorldColumns, kind: int, slot: int, time_ms: int) -> None:
    """A gang that was told to stands still, or goes on and is done later for it."""
    if kind == H_STILL and v.true_still_ms[slot] == 0:
        fall_still(v, slot, time_ms)
        say(w, v, ev.PAUSED, time_ms, slot, v.true_attempt[slot], 0, 0)
    elif kind == H_GOES and v.true_still_ms[slot] > 0:
        go_on(v, slot, time_ms)
        plan(v, end_of_work(v, slot), H_END, slot, v.true_attempt[slot])
        say(w, v, ev.RESUMED, time_ms, slot, v.true_attempt[slot], 0, 0)


@kernel
def node_joins(w: ControllerState, v: WorldColumns, node: int, new: int, time_ms: int) -> None:
    """A node comes on line, new or repaired."""
    if v.node_on[node] == 1 or v.node_gone[node] == 1:
        return
    v.cell_ready_nodes[v.cell_of_rack[v.rack_of_node[node]]] += new
    switch_node(v, node, 1, time_ms)
    say(w, v, ev.NODE_UP, time_ms, node, 0, 0, 0)


@kernel
def node_leaves(w: ControllerState, v: WorldColumns, node: int, time_ms: int) -> None:
    """A node is retired: it finishes what it works for, and is off then."""
    v.node_gone[node] = 1
    if v.node_jobs[node] == 0:
        v.cell_ready_nodes[v.cell_of_rack[v.rack_of_node[node]]] -= 1
        switch_node(v, node, 0, time_ms)
    say(w, v, ev.NODE_OUT, time_ms, node, 0, 0, 0)


@kernel
def node_fails(w: ControllerState, v: WorldColumns) -> None:
    """The next failure of the stream: the node is lost with all that ran on it, and will be repaired."""
    place = v.fault_next[0]
    v.fault_next[0] = place + 1
    time_ms = v.fault_ms[place]
    node = v.fault_node[place]
    if v.node_on[node] == 0:
        return
    v.faults_hit[0] += 1
    switch_node(v, node, 0, time_ms)
    plan(v, time_ms + v.fault_repair_ms[place], H_NODE_UP, node, 0)
    say(w, v, ev.NODE_DOWN, time_ms, node, 0, 0, 0)
    if v.node_slot[node] != 0:
        gang_dies(w, v, v.node_slot[node] - 1, time_ms)
        return
    slot = 0
    while v.node_jobs[node] > 0 and slot < v.room[7]:
        if v.true_running[slot] == 1 and v.true_nodes[slot] == 1 and runs_on(v, slot, node):
            gang_dies(w, v, slot, time_ms)
        slot += 1


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
