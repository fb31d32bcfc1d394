"""The record of one event, as dataclass, table and JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from gridhall.energy.settlement.baseline import Baseline
from gridhall.energy.settlement.measure import (
    Delivered,
    Readings,
    Rebound,
    Rules,
    Tracking,
    delivered,
    ramp_breaks,
    rebound,
    tracking,
)
from gridhall.energy.settlement.money import Product, Revenue, revenue
from gridhall.errors import fault
from gridhall.units import HOUR_MS, MICRO, iso_utc

Ints = NDArray[np.int64]

STANDARD = Rules()


@dataclass(frozen=True)
class EventRecord:
    """One event from `start_ms` to `end_ms`, measured. Lost work is GPU-milliseconds by flex tier."""

    event: str
    start_ms: int
    end_ms: int
    baseline: str
    energy: Delivered
    tracking: Tracking
    ramp_breaks: int
    rebound: Rebound
    lost_gpu_ms: dict[str, int]
    revenue: tuple[Revenue, ...]

    def rows(self) -> Iterator[tuple[str, str]]:
        """The record as a table of names and values for people."""
        energy, track, after = self.energy, self.tracking, self.rebound
        yield "event", self.event
        yield "from", iso_utc(self.start_ms)
        yield "to", iso_utc(self.end_ms)
        yield f"baseline ({self.baseline})", f"{_kwh(energy.baseline_wh)} kWh"
        yield "drawn", f"{_kwh(energy.actual_wh)} kWh"
        yield "delivered", f"{_kwh(energy.delivered_wh)} kWh (± {_kwh(energy.error_wh)})"
        yield "samples within target", f"{track.within_milli / 10:.1f} % of {track.samples:,}"
        yield "tracking error", f"mean {track.error_mean_milli / 10:.1f} %, p95 {track.error_p95_milli / 10:.1f} %"
        yield "ramp breaks", f"{self.ramp_breaks:,}"
        yield "rebound", f"{after.samples:,} samples, {_kwh(after.energy_wh)} kWh above {after.before_w:,} W"
        for tier, gpu_ms in self.lost_gpu_ms.items():
            yield f"work lost, {tier}", f"{gpu_ms / HOUR_MS:,.1f} GPU hours"
        for each in self.revenue:
            yield f"revenue, {each.product}", f"{each.total_micro / MICRO:,.2f} {each.currency}"

    def to_json(self) -> str:
        """The record as one JSON object."""
        return json.dumps(asdict(self))


def settle(
    event: str,
    start_ms: int,
    end_ms: int,
    readings: Readings,
    baseline: Baseline,
    target_w: Ints,
    lost_gpu_ms: Mapping[str, int],
    products: Sequence[Product] = (),
    rules: Rules = STANDARD,
) -> EventRecord:
    """Measures an event. `baseline` and `target_w` have one value for each reading.

    The readings must reach from at least one sample before the event to the end of the rebound window. Raises
    InputError when they do not.
    """
    during = readings.between(start_ms, end_ms)
    after = readings.between(end_ms, end_ms + rules.rebound_ms)
    _check(readings, baseline, target_w, during)
    energy = delivered(readings, baseline, during)
    return EventRecord(
        event,
        start_ms,
        end_ms,
        baseline.kind,
        energy,
        tracking(readings.watts[during], target_w[during], rules.tolerance_milli),
        ramp_breaks(readings, slice(during.start, after.stop), rules.ramp_w_min),
        rebound(readings, after, int(readings.watts[during.start - 1])),
        dict(lost_gpu_ms),
        tuple(revenue(product, energy.delivered_mj, end_ms - start_ms) for product in products),
    )


def _check(readings: Readings, baseline: Baseline, target_w: Ints, during: slice) -> None:
    count = len(readings.watts)
    for field, values in (("baseline", baseline.watts), ("target_w", target_w)):
        if len(values) != count:
            problem = f"has {len(values)} values for {count} readings"
            raise fault("settlement", field, problem, "give one for each reading")
    if during.start == during.stop:
        raise fault("settlement", "end_ms", "the event has no length", "give an end after its start")
    if during.start == 0:
        raise fault("readings", "start_ms", "begin with the event", "begin at least one sample before it")


def _kwh(energy_wh: int) -> str:
    return f"{energy_wh / 1000:,.1f}"
