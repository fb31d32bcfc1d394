"""Beyond what is known: the mean of last week, and forecasts whose error grows with the lead by a stated law.

`continued` is a forecast that anyone can make from the past alone: the mean of the last seven known values at the same
time of day. `with_error` stands in for a bought forecast of a stated quality: the truth plus an error whose standard
deviation grows with the lead from `near` to `far`. The error of a step keeps its shape from one issue to the next and
shrinks as the step comes closer, as the errors of real forecasts do. It is drawn once from a seed.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridhall.energy.signals.gaps import FORECAST, UNKNOWN
from gridhall.energy.signals.view import Signal
from gridhall.units import DAY_MS

Ints = NDArray[np.int64]

DAYS = 7
STREAM = 0xF0CA57


@dataclass(frozen=True)
class ErrorLaw:
    """Standard deviation at lead h: near + (far - near) x (1 - exp(-h / tau)). Micro-units of the signal.

    `memory` is the correlation of the error's shape from one step to the next.
    """

    near_micro: int
    far_micro: int
    tau_ms: int
    memory: float

    def sigma_micro(self, lead_ms: NDArray[np.int64]) -> NDArray[np.float64]:
        """The standard deviation at each lead."""
        grown = 1.0 - np.exp(-lead_ms / self.tau_ms)
        return self.near_micro + (self.far_micro - self.near_micro) * grown

    def shape(self, steps: int, seed: int) -> NDArray[np.float64]:
        """The error's path over so many steps with standard deviation 1."""
        draw = np.random.Generator(np.random.Philox(key=[seed, STREAM]))
        shocks = draw.standard_normal(steps) * math.sqrt(1.0 - self.memory**2)
        path = np.empty(steps)
        level = float(draw.standard_normal())
        for step in range(steps):
            level = self.memory * level + float(shocks[step])
            path[step] = level
        return path


def continued(signal: Signal) -> Signal:
    """The signal with every unknown step after the known ones forecast and marked so.

    A step is the mean of the seven latest known values at its time of day, of fewer where fewer are known. Raises
    ValueError when less than a day is known before the first unknown step.
    """
    known, count, day = signal.known_steps, len(signal.value_micro), DAY_MS // signal.step_ms
    if known == count:
        return signal
    if known < day or (signal.mark[known - day : known] == UNKNOWN).any():
        raise ValueError("a forecast from the past needs a known day before it")
    latest = known - day + (np.arange(known, count) - known) % day
    reach = latest[:, None] - day * np.arange(DAYS)
    usable = (reach >= 0) & (signal.mark[np.maximum(reach, 0)] != UNKNOWN)
    sums = np.where(usable, signal.value_micro[np.maximum(reach, 0)], 0).sum(axis=1)
    values, marks = signal.value_micro.copy(), signal.mark.copy()
    values[known:], marks[known:] = sums // usable.sum(axis=1), FORECAST
    return Signal(signal.start_ms, values, marks, signal.step_ms)


def with_error(truth_micro: Ints, shape: NDArray[np.float64], law: ErrorLaw, step_ms: int) -> Ints:
    """A forecast issued at the start of `truth_micro`: the truth plus the error's shape scaled by the law."""
    lead_ms = np.arange(len(truth_micro), dtype=np.int64) * step_ms
    return truth_micro + np.rint(shape * law.sigma_micro(lead_ms)).astype(np.int64)
