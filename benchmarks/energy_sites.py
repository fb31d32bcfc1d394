"""Six invented sites with everything on, for the planner's speed: tiers, waiting and movable work, batteries."""

import numpy as np
from numpy.typing import NDArray

from gridhall.energy.plan import (
    NO_TARGET,
    Battery,
    Deferrable,
    Grid,
    Movable,
    PlanInputs,
    PlanSite,
    Slowable,
)
from gridhall.energy.plan.windows import steady
from gridhall.units import HOUR_MS, MICRO, MINUTE_MS

Ints = NDArray[np.int64]

STEPS = 576
STEP_MS = 5 * MINUTE_MS
END_MS = 1_000_000 * HOUR_MS
TIERS = ((100, 400), (250, 250), (500, 120))
"""Most slowdown in per mille and worth of a MWh of work."""


def six_sites(seed: int) -> PlanInputs:
    """48 h in steps of five minutes from a fixed instant; prices and carbon drawn from the seed."""
    draw = np.random.Generator(np.random.Philox(key=[seed, 6]))
    grid = Grid(np.arange(STEPS + 1, dtype=np.int64) * STEP_MS + 100 * 24 * HOUR_MS)
    sites = tuple(_site(grid, number, draw) for number in range(6))
    total_w = sum(int(site.limit_w[0]) for site in sites) // 20
    return PlanInputs(grid, sites, (Movable(_waiting(grid, total_w, 12), (0, 2, 4, 5)),), 80 * MICRO)


def _site(grid: Grid, number: int, draw: np.random.Generator) -> PlanSite:
    limit_w = (20 + 5 * number) * 1_000_000
    share_w = limit_w * 12 // 100
    hour = np.arange(STEPS) / 12
    price = 60 + 10 * number + 30 * np.cos((hour - 18) / 12 * np.pi) + np.repeat(draw.normal(0, 8, STEPS // 6), 6)
    carbon = 150 + 20 * number + 60 * np.cos((hour - 17) / 12 * np.pi)
    battery = Battery(limit_w * 15 // 100, limit_w * 3 // 10, 950, 950, share_w, share_w, 4 * MICRO)
    return PlanSite(
        name=f"site-{number}",
        price_micro_mwh=_micro(price),
        carbon_ug_kwh=_micro(carbon),
        limit_w=_flat(limit_w),
        capacity_w=_flat(limit_w * 8 // 10),
        rigid_w=_flat(limit_w * 15 // 100),
        pue_milli=1200,
        slowable=tuple(Slowable(_flat(share_w), shed, worth * MICRO) for shed, worth in TIERS),
        deferrable=(_waiting(grid, share_w, 24),),
        battery=battery,
        ramp_w_min=limit_w // 50,
        peak_micro_mw=20 * MICRO,
        target_w=_event(limit_w) if number == 0 else None,
    )


def _waiting(grid: Grid, rate_w: int, window_h: int) -> Deferrable:
    """A stream that has run for a week, with a quarter of its window waiting."""
    now_ms, window_ms = int(grid.edges_ms[0]), window_h * HOUR_MS
    since_ms = now_ms - 7 * 24 * HOUR_MS
    done_wh = rate_w * (now_ms - since_ms - window_ms // 4) // HOUR_MS
    return steady(grid, since_ms, rate_w, window_ms, done_wh, rate_w * 5 // 2, END_MS, 60 * MICRO)


def _event(limit_w: int) -> Ints:
    """Three hours at 60 % of the limit, from hour eight on."""
    target = _flat(NO_TARGET)
    target[96:132] = limit_w * 6 // 10
    return target


def _flat(value: int) -> Ints:
    return np.full(STEPS, value, dtype=np.int64)


def _micro(values: NDArray[np.float64]) -> Ints:
    return np.rint(values * MICRO).astype(np.int64)
