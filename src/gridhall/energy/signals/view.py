"""The view of a signal at an instant: what had been published by then, on the internal step of five minutes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridhall.energy.signals.gaps import PUBLISHED, UNKNOWN, fill
from gridhall.energy.signals.readings import Readings
from gridhall.units import MINUTE_MS

Ints = NDArray[np.int64]
Marks = NDArray[np.uint8]

STEP_MS = 5 * MINUTE_MS
"""The internal step; it divides every settlement period in use (15, 30 and 60 minutes)."""


@dataclass(frozen=True)
class Signal:
    """A signal from `start_ms` on, one value for every step, each marked (see `gaps`). UNKNOWN values are 0."""

    start_ms: int
    value_micro: Ints
    mark: Marks
    step_ms: int = STEP_MS

    @property
    def known_steps(self) -> int:
        """Steps up to the last one that is known."""
        known = np.flatnonzero(self.mark != UNKNOWN)
        return int(known[-1]) + 1 if len(known) else 0

    @property
    def filled_share(self) -> float:
        """Share of the known steps that were filled and not published, 0..1."""
        known = self.mark[: self.known_steps]
        return float((known != PUBLISHED).mean()) if len(known) else 0.0

    def part(self, start_ms: int, end_ms: int) -> "Signal":
        """The steps from one instant to another, both on the grid and inside the signal."""
        first, last = (start_ms - self.start_ms) // self.step_ms, (end_ms - self.start_ms) // self.step_ms
        return Signal(start_ms, self.value_micro[first:last], self.mark[first:last], self.step_ms)


def known_at(readings: Readings, at_ms: int, start_ms: int, end_ms: int, step_ms: int = STEP_MS) -> Signal:
    """What was known at `at_ms` about the time from `start_ms` to `end_ms`, both multiples of the step.

    Of several versions of a period the latest published by `at_ms` counts. The step must divide the period.
    """
    if readings.period_ms % step_ms or start_ms % step_ms or end_ms % step_ms:
        raise ValueError("step_ms must divide the readings' period and both ends")
    known = readings.published_ms <= at_ms
    starts, values = readings.start_ms[known], readings.value_micro[known]
    if not len(starts):
        count = (end_ms - start_ms) // step_ms
        return Signal(start_ms, np.zeros(count, np.int64), np.zeros(count, np.uint8), step_ms)
    first = int(starts[0])
    filled, marks = _on_periods((starts - first) // readings.period_ms, values, readings.period_ms)
    steps = np.arange(start_ms, end_ms, step_ms, dtype=np.int64)
    place = (steps - first) // readings.period_ms
    inside = (place >= 0) & (place < len(filled))
    place = np.clip(place, 0, len(filled) - 1)
    mark = np.where(inside, marks[place], UNKNOWN).astype(np.uint8)
    return Signal(start_ms, np.where(inside, filled[place], 0), mark, step_ms)


def _on_periods(place: Ints, values: Ints, period_ms: int) -> tuple[Ints, Marks]:
    """One value a period: later versions overwrite earlier ones, holes are filled."""
    dense = np.zeros(int(place[-1]) + 1, np.int64)
    known = np.zeros(len(dense), np.bool_)
    latest = np.append(place[1:] != place[:-1], True)
    dense[place[latest]], known[place[latest]] = values[latest], True
    return fill(dense, known, period_ms)
