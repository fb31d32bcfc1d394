"""One step of the core, and what the world does about its effects."""

from gridhall.controller import events as ev
from gridhall.controller.events import EVENT_WIDTH
from gridhall.controller.state import ControllerState
from gridhall.controller.step import step_event
from gridhall.engines.twin.attempts import accept, close_attempt, end_of_work, open_attempt, open_piece, write_job
from gridhall.engines.twin.heap import plan
from gridhall.engines.twin.stillness import go_on
from gridhall.engines.twin.world import H_END, H_GOES, H_STILL, H_STOPPED, H_TICK, WorldColumns
from gridhall.kernel import kernel
from gridhall.scheduling.decisions import (
    ACCEPT,
    DONE,
    EFFECT_WIDTH,
    PAUSE,
    PLACE,
    REFUSE,
    RELEASE,
    RESUME,
    S_REFUSED,
    START,
    STOP,
    WAKE,
)
from gridhall.scheduling.starts import SWAPPED


@kernel
def say(w: ControllerState, v: WorldColumns, kind: int, time_ms: int, a: int, b: int, c: int, d: int) -> None:
    """Hand the core a small event and carry out its effects."""
    w.event[0] = kind
    w.event[1] = time_ms
    w.event[2] = a
    w.event[3] = b
    w.event[4] = c
    w.event[5] = d
    attempt = kind == ev.ENDED or kind == ev.STOPPED or kind == ev.LOST or kind == ev.PAUSED or kind == ev.RESUMED
    w.event[6] = v.true_job[a] if attempt else 0
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
        if v.true_still_ms[slot] > 0:
            go_on(v, slot, time_ms)
        delay = v.stop_delay_ms[0]
        if v.true_checkpoint_ms[slot] > 0:
            delay += v.true_cost_ms[slot]
        plan(v, time_ms + delay, H_STOPPED, slot, w.effects[base + 4])
    elif kind == WAKE:
        plan(v, w.effects[base + 5], H_TICK, 0, 0)
    elif kind == PAUSE:
        plan(v, time_ms + v.pause_delay_ms[0], H_STILL, slot, w.effects[base + 4])
    elif kind == RESUME:
        plan(v, time_ms + v.resume_delay_ms[0], H_GOES, slot, w.effects[base + 4])
    elif kind == REFUSE and row >= 0:
        refuse(v, row, w.effects[base + 5], time_ms)


@kernel
def refuse(v: WorldColumns, row: int, reason: int, time_ms: int) -> None:
    """A job that can never run: a row in the jobs table and nothing else. The last slot is scratch for it."""
    slot = v.room[7]
    accept(v, row, slot)
    v.true_nodes[slot] = 0
    write_job(v, slot, S_REFUSED, reason, time_ms)
