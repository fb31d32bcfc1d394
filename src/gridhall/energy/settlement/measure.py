"""The arithmetic of an event: delivered energy, tracking, ramps and rebound from equally spaced readings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridhall.energy.settlement.baseline import Baseline
from gridhall.errors import fault
from gridhall.units import HOUR_MS, MINUTE_MS, iso_utc

Ints = NDArray[np.int64]

MILLI = 1000
MJ_PER_WH = 3_600_000


@dataclass(frozen=True)
class Readings:
    """Draw at the meter from `start_ms` on: one value of watts for each `step_ms`, held until the next."""

    start_ms: int
    step_ms: int
    watts: Ints

    def between(self, since_ms: int, until_ms: int) -> slice:
        """Samples of a time. Raises InputError when the readings do not cover it or it does not fall on their steps."""
        last_ms = self.start_ms + len(self.watts) * self.step_ms
        if not self.start_ms <= since_ms <= until_ms <= last_ms:
            problem = (
                f"cover {iso_utc(self.start_ms)} to {iso_utc(last_ms)}, not {iso_utc(since_ms)} to {iso_utc(until_ms)}"
            )
            raise fault("readings", "watts", problem, "give readings from before the event to an hour after it")
        if (since_ms - self.start_ms) % self.step_ms or (until_ms - self.start_ms) % self.step_ms:
            raise fault(
                "readings", "step_ms", "the event does not fall on the readings' steps", "resample the readings"
            )
        return slice((since_ms - self.start_ms) // self.step_ms, (until_ms - self.start_ms) // self.step_ms)


@dataclass(frozen=True)
class Rules:
    """How an event is judged.

    A sample is within target up to `tolerance_milli` above it. The draw may rise and fall by `ramp_w_min` each minute
    (0 = free). For `rebound_ms` after the event it may not pass the draw before the event.
    """

    tolerance_milli: int = 10
    ramp_w_min: int = 0
    rebound_ms: int = HOUR_MS


def energy_mj(watts: Ints, step_ms: int) -> int:
    """Millijoules of samples held for a step each."""
    return int(watts.sum()) * step_ms


def wh(energy_mj: int) -> int:
    """Whole watt-hours of an energy, rounded to nearest."""
    return (energy_mj + MJ_PER_WH // 2) // MJ_PER_WH


@dataclass(frozen=True)
class Delivered:
    """Energies of the event in watt-hours: `baseline_wh` less `actual_wh` is `delivered_wh`.

    `error_wh` is what the baseline's stated error amounts to. `delivered_mj` is exact.
    """

    baseline_wh: int
    actual_wh: int
    delivered_wh: int
    error_wh: int
    delivered_mj: int


@dataclass(frozen=True)
class Tracking:
    """How the target was followed: samples within tolerance in per mille, and the excess in per mille of the target."""

    samples: int
    within_milli: int
    error_mean_milli: int
    error_p95_milli: int


@dataclass(frozen=True)
class Rebound:
    """What came after: samples and energy above the draw `before_w` that stood before the event."""

    before_w: int
    samples: int
    energy_wh: int


def delivered(readings: Readings, baseline: Baseline, during: slice) -> Delivered:
    """Energy not drawn: baseline less actual, negative where more was drawn."""
    baseline_mj = energy_mj(baseline.watts[during], readings.step_ms)
    actual_mj = energy_mj(readings.watts[during], readings.step_ms)
    return Delivered(
        baseline_wh=wh(baseline_mj),
        actual_wh=wh(actual_mj),
        delivered_wh=wh(baseline_mj) - wh(actual_mj),
        error_wh=wh(baseline_mj * baseline.error_milli // MILLI),
        delivered_mj=baseline_mj - actual_mj,
    )


def tracking(watts: Ints, target_w: Ints, tolerance_milli: int) -> Tracking:
    """Excess over the target of each sample; a sample below its target has none."""
    errors = np.maximum(watts - target_w, 0) * MILLI // np.maximum(target_w, 1)
    return Tracking(
        samples=len(errors),
        within_milli=int((errors <= tolerance_milli).sum()) * MILLI // len(errors),
        error_mean_milli=int(errors.sum()) // len(errors),
        error_p95_milli=percentile(errors, 950),
    )


def percentile(values: Ints, share_milli: int) -> int:
    """The least value that at least this share of the values does not exceed."""
    rank = -(-len(values) * share_milli // MILLI)
    return int(np.sort(values)[max(rank, 1) - 1])


def ramp_breaks(readings: Readings, samples: slice, ramp_w_min: int) -> int:
    """Steps between samples that are steeper than the ramp allows, the one into the time counted; 0 without a ramp."""
    if not ramp_w_min:
        return 0
    first = max(samples.start - 1, 0)
    most_w = ramp_w_min * readings.step_ms // MINUTE_MS
    return int((np.abs(np.diff(readings.watts[first : samples.stop])) > most_w).sum())


def rebound(readings: Readings, after: slice, before_w: int) -> Rebound:
    """Samples and energy above the draw before the event."""
    above = np.maximum(readings.watts[after] - before_w, 0)
    return Rebound(before_w, int((above > 0).sum()), wh(energy_mj(above, readings.step_ms)))
