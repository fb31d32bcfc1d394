"""Feeding: a batch of recorded events through `step` in one compiled loop, with or without the effects beside them.

Events of a narrower row (before a field was added) are widened with zeros, which every field takes as "as before".
"""

import numpy as np

from gridhall.controller.events import EVENT_WIDTH, GROW
from gridhall.controller.state import ControllerState, grow_state
from gridhall.controller.step import step_event
from gridhall.kernel import Columns, Ints, column, kernel, state_cast
from gridhall.scheduling.decisions import EFFECT_WIDTH

FOREVER_MS = 1 << 62


class BatchColumns(Columns):
    """A batch of events on their way into `step`. Sizes: rows, effects (0 = nothing is compared)."""

    batch = column("rows", EVENT_WIDTH)
    compared = column(1)  # 1 = effects are compared
    expected_count = column("rows")  # effects of each event
    expected = column("effects", EFFECT_WIDTH)  # all of them, in order
    expected_at = column(1)  # effects that were compared so far
    differs = column(1)  # 1 = the event at which feeding ended had other effects


def feed_and_compare(w: ControllerState, events: Ints, effects: Ints, counts: Ints) -> tuple[ControllerState, int]:
    """Feed events and compare every effect with the recorded ones.

    `effects` has one row an effect, for all events in order; `counts` says how many of them each event has. Returns
    the state after it (a larger one after a GROW row), and the place of the first event that differs, or -1.
    """
    rows = len(events)
    inbox = BatchColumns({"rows": rows, "effects": len(effects)})
    inbox.compared[0] = 1
    inbox.expected_count[:rows] = counts
    inbox.expected[: effects.size] = effects.reshape(-1)
    w, fed = feed_batch(w, inbox, events, FOREVER_MS)
    if inbox.differs[0] == 1:
        return w, fed
    return w, -1


def feed_batch(w: ControllerState, inbox: BatchColumns, events: Ints, until_ms: int) -> tuple[ControllerState, int]:
    """Feed events up to a time; the state (a larger one after a GROW row) and the number of events fed."""
    rows = widened(events)
    inbox.batch[: rows.size] = rows.reshape(-1)
    at = 0
    while True:
        at = int(feed(w.handle, inbox.handle, at, len(rows), until_ms))
        if at == len(rows) or int(rows[at, 0]) != GROW or inbox.differs[0] == 1:
            return w, at
        w = grow_state(w, int(rows[at, 2]))
        at += 1


def widened(events: Ints) -> Ints:
    """Rows of EVENT_WIDTH, however narrow they were when they were written."""
    return np.pad(events, ((0, 0), (0, EVENT_WIDTH - events.shape[1])))


@kernel
def feed_rows(w: ControllerState, inbox: BatchColumns, first: int, last: int, until_ms: int) -> int:
    """One step a row; the first row not done: a GROW row, one not before the time, one that differs, or `last`."""
    for row in range(first, last):
        base = row * EVENT_WIDTH
        if inbox.batch[base] == GROW or inbox.batch[base + 1] >= until_ms:
            return row
        for place in range(EVENT_WIDTH):
            w.event[place] = inbox.batch[base + place]
        step_event(w)
        if inbox.compared[0] == 1 and not same_effects(w, inbox, row):
            inbox.differs[0] = 1
            return row
    return last


@kernel
def same_effects(w: ControllerState, inbox: BatchColumns, row: int) -> bool:
    """Whether the last step's effects are those that were recorded for a row, which are then behind us."""
    count = w.effect_count[0]
    if count != inbox.expected_count[row]:
        return False
    base = inbox.expected_at[0] * EFFECT_WIDTH
    for place in range(count * EFFECT_WIDTH):
        if w.effects[place] != inbox.expected[base + place]:
            return False
    inbox.expected_at[0] += count
    return True


as_controller = state_cast(ControllerState)
as_batch = state_cast(BatchColumns)


@kernel
def feed(controller: int, inbox: int, first: int, last: int, until_ms: int) -> int:
    """Entry for Python: `feed_rows` on two handles."""
    return feed_rows(as_controller(controller), as_batch(inbox), first, last, until_ms)
