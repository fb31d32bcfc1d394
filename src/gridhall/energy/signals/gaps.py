"""The rule for holes in a signal, and the marks that show where it was used.

A hole of at most two hours holds the value before it. A longer one repeats the same time of the day before (which may
itself have been filled), because prices and carbon follow the day. What was filled is marked, and so is what nobody
knows yet: after the last value known nothing is filled.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gridhall.units import DAY_MS, HOUR_MS

Ints = NDArray[np.int64]
Marks = NDArray[np.uint8]

UNKNOWN = 0
PUBLISHED = 1
FILLED = 2
FORECAST = 3

HOLD_MS = 2 * HOUR_MS


def fill(values: Ints, known: NDArray[np.bool_], period_ms: int) -> tuple[Ints, Marks]:
    """Values with the holes between known ones filled, and a mark for each value.

    Values that are UNKNOWN are 0; those before the first known one are unknown as well.
    """
    marks = np.where(known, PUBLISHED, UNKNOWN).astype(np.uint8)
    filled = np.where(known, values, 0)
    at = np.flatnonzero(known)
    for last, following in pairwise(at):
        if following - last > 1:
            _fill_hole(filled, marks, int(last) + 1, int(following), period_ms)
    return filled, marks


def _fill_hole(values: Ints, marks: Marks, start: int, end: int, period_ms: int) -> None:
    day = DAY_MS // period_ms
    held = (end - start) * period_ms <= HOLD_MS
    for place in range(start, end):
        before = place - day
        repeats = not held and before >= 0 and marks[before] != UNKNOWN
        values[place] = values[before] if repeats else values[start - 1]
        marks[place] = FILLED
