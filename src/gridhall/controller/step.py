"""The one contract: `step(state, event) -> effects`.

`step_event` is the compiled core: it takes the row in `w.event` and leaves its effects in `w.effects`. It reads no
clock, file or random source; time and chance come in the event. Live, twin and replay all call it.

What an event changes is one thing, who may start for it another: every handler says in which cells there is something
to look at, and one pass over the queue follows.
"""

from gridhall.controller.arrivals import on_cancel, on_submit
from gridhall.controller.attempts import on_attempt
from gridhall.controller.desk import on_limit, on_stillness, on_target
from gridhall.controller.events import (
    ABILITY,
    CANCEL,
    CORDON,
    DRAIN,
    ENDED,
    LIMIT,
    LOST,
    NODE_DOWN,
    NODE_OUT,
    NODE_UP,
    PAUSED,
    RESERVE,
    RESUMED,
    STANDING,
    STOPPED,
    SUBMIT,
    TARGET,
    TENANT,
    TICK,
)
from gridhall.controller.state import ControllerState
from gridhall.controller.tenants import on_tenancy
from gridhall.controller.upkeep import on_cordon, on_node, on_tick
from gridhall.kernel import kernel, state_cast
from gridhall.scheduling.advance import reserve
from gridhall.scheduling.decisions import WAKE, emit
from gridhall.scheduling.holds import HOLDS
from gridhall.scheduling.passes import schedule
from gridhall.scheduling.queue import P_TICK_MS

as_controller = state_cast(ControllerState)


@kernel
def step_event(w: ControllerState) -> int:
    """Decide on the event in `w.event`; returns the number of effects, which stand in `w.effects`."""
    w.effect_count[0] = 0
    kind = w.event[0]
    now_ms = max(w.now_ms[0], w.event[1])
    w.now_ms[0] = now_ms
    cells = 0
    if kind == SUBMIT:
        on_submit(w, now_ms)
    elif kind == ENDED or kind == STOPPED or kind == LOST:
        cells = on_attempt(w, kind, now_ms)
    elif kind == NODE_UP or kind == NODE_DOWN or kind == NODE_OUT:
        cells = on_node(w, kind, w.event[2], now_ms)
    elif kind == TICK:
        cells = on_tick(w, now_ms)
    elif kind == LIMIT:
        cells = on_limit(w, w.event[2], w.event[3])
    elif kind == TARGET:
        cells = on_target(w, w.event[2], w.event[3], now_ms)
    elif kind == PAUSED or kind == RESUMED:
        cells = on_stillness(w, w.event[2], w.event[3], w.event[6], 1 if kind == PAUSED else 0, now_ms)
    elif kind == ABILITY:
        w.cell_ability[w.event[2]] = w.event[3]
    elif kind == RESERVE:
        reserve(w, w.event[2], w.event[3], w.event[4], w.event[5], w.event[6], now_ms)
    elif kind == CANCEL:
        on_cancel(w, w.event[2], w.event[3], now_ms)
    elif kind == CORDON or kind == DRAIN:
        cells = on_cordon(w, kind, w.event[2], w.event[3], now_ms)
    elif TENANT <= kind <= STANDING:
        cells = on_tenancy(w, kind, now_ms)
    if cells != 0:
        schedule(w, cells, now_ms)
    ask_for_wake(w, now_ms)
    return w.effect_count[0]


@kernel
def step(address: int) -> int:
    """Entry for Python: `step(state.handle)` after the event was written to `state.event`."""
    return step_event(as_controller(address))


@kernel
def ask_for_wake(w: ControllerState, now_ms: int) -> None:
    """While anything waits or is reserved, one wake-up stands on the grid of ticks."""
    if w.wake_ms[0] > now_ms:
        return
    busy = w.queue_length[0] > 0
    if not busy:
        for hold in range(HOLDS):
            busy = busy or w.hold_kind[hold] != 0
    if busy:
        tick = w.policy[P_TICK_MS]
        w.wake_ms[0] = (now_ms // tick + 1) * tick
        emit(w, WAKE, now_ms, 0, 0, 0, w.wake_ms[0], 0, 0)
