"""A finished plan in integers, and the rows in which it enters the core."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gridhall.energy.plan.inputs import Grid
from gridhall.units import HOUR_MS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PRICE = 1
"""Row kind: micro-units of the currency for each MWh of work placed at the site, from this hour on."""
CAPACITY = 2
"""Row kind: watts of IT power that flexible work may draw at the site, from this step on."""
BATTERY = 3
"""Row kind: watts that the battery draws (negative: gives), from this step on."""

MadeBy = Literal["lp", "greedy"]


@dataclass(frozen=True)
class SitePlan:
    """The plan of one site. Powers in watts, one value for each step.

    `draw_w` is at the meter; `flexible_w` the IT power of all work that is not rigid: the virtual capacity curve.
    `slowed_w`, `deferred_w` and `moved_w` split it by the inputs' classes (moved work: one row for each group).
    `battery_w` is positive while charging. `placing_micro_mwh` has one value for each hour that the plan touches.
    """

    name: str
    draw_w: Ints
    flexible_w: Ints
    slowed_w: Ints
    deferred_w: Ints
    moved_w: Ints
    battery_w: Ints
    placing_micro_mwh: Ints


@dataclass(frozen=True)
class Plan:
    """`made_by` says how it was made and `reason` why not by the solver; `late_wh` is work that misses its deadline."""

    grid: Grid
    sites: tuple[SitePlan, ...]
    made_by: MadeBy
    reason: str
    late_wh: int


def hour_starts(grid: Grid) -> Ints:
    """Starts of the clock hours that the grid touches."""
    first, last = int(grid.edges_ms[0]) // HOUR_MS, (int(grid.edges_ms[-1]) - 1) // HOUR_MS
    return np.arange(first, last + 1, dtype=np.int64) * HOUR_MS


def by_hour(grid: Grid, values: Floats) -> Ints:
    """Mean of the steps that start in each hour, weighted by length; an hour in which none starts keeps the last."""
    hour = grid.edges_ms[:-1] // HOUR_MS - int(grid.edges_ms[0]) // HOUR_MS
    count = len(hour_starts(grid))
    length = np.bincount(hour, weights=grid.hours, minlength=count)
    total = np.bincount(hour, weights=values * grid.hours, minlength=count)
    held = np.maximum.accumulate(np.where(length > 0, np.arange(count), 0))
    return np.rint(total[held] / length[held]).astype(np.int64)


def plan_rows(plan: Plan) -> Ints:
    """Rows of kind, site, from_ms and value, by site, kind and time; a value holds until the next of its kind.

    Only changes are written.
    """
    rows = [
        (kind, number, int(time), int(value))
        for number, site in enumerate(plan.sites)
        for kind, times, values in _series(plan.grid, site)
        for time, value in _changes(times, values)
    ]
    return np.array(rows, dtype=np.int64)


def _series(grid: Grid, site: SitePlan) -> Iterator[tuple[int, Ints, Ints]]:
    yield PRICE, hour_starts(grid), site.placing_micro_mwh
    yield CAPACITY, grid.edges_ms[:-1], site.flexible_w
    yield BATTERY, grid.edges_ms[:-1], site.battery_w


def _changes(times: Ints, values: Ints) -> Iterator[tuple[int, int]]:
    kept = np.append(True, values[1:] != values[:-1])
    return zip(times[kept].tolist(), values[kept].tolist(), strict=True)
