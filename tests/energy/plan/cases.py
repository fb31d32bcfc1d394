"""Small plans for the tests: hours from time 0, one or a few sites, megawatts as whole watts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridhall.energy.plan import Battery, Deferrable, Grid, Movable, PlanInputs, PlanSite
from gridhall.units import HOUR_MS, MICRO

Ints = NDArray[np.int64]

MW = 1_000_000
BATTERY = Battery(
    power_w=2 * MW,
    energy_wh=4 * MW,
    charge_milli=950,
    discharge_milli=950,
    held_wh=2 * MW,
    end_wh=2 * MW,
    wear_micro_mwh=4 * MICRO,
)


def hours(steps: int) -> Grid:
    return Grid(np.arange(steps + 1, dtype=np.int64) * HOUR_MS)


def flat(value: int, steps: int) -> Ints:
    return np.full(steps, value, dtype=np.int64)


def site(prices: list[float], **changes: Any) -> PlanSite:
    """A site of 10 MW with 2 MW of rigid work and a PUE of 1, at the given prices per MWh."""
    steps = len(prices)
    fields: dict[str, Any] = {
        "name": "site",
        "price_micro_mwh": np.rint(np.array(prices) * MICRO).astype(np.int64),
        "carbon_ug_kwh": flat(0, steps),
        "limit_w": flat(10 * MW, steps),
        "capacity_w": flat(10 * MW, steps),
        "rigid_w": flat(2 * MW, steps),
        "pue_milli": 1000,
    }
    return PlanSite(**fields | changes)


def batch(steps: int, energy_wh: int, due_step: int, most_w: int = 4 * MW, later: int = 0) -> Deferrable:
    """So much work waiting at the start, due by the end of a step."""
    due = flat(0, steps)
    due[due_step:] = energy_wh
    return Deferrable(flat(energy_wh, steps), due, flat(most_w, steps), later)


def inputs(*sites: PlanSite, **changes: Any) -> PlanInputs:
    return PlanInputs(hours(len(sites[0].limit_w)), sites, **changes)


def energy_wh(power_w: Ints, grid: Grid) -> float:
    return float((power_w * grid.hours).sum())


def wavy(steps: int, seed: int) -> PlanInputs:
    """Two sites over `steps` steps of five minutes, prices by the half-hour."""
    draw = np.random.Generator(np.random.Philox(key=[seed, 0]))
    grid = Grid(np.arange(steps + 1, dtype=np.int64) * HOUR_MS // 12)
    prices = [np.repeat(draw.normal(60, 30, steps // 6), 6).tolist() for _ in range(2)]
    arrived = np.arange(1, steps + 1, dtype=np.int64) * MW // 12 * 2
    due = np.maximum(arrived - arrived[steps // 4], 0)
    work = Deferrable(arrived, due, flat(4 * MW, steps))
    sites = tuple(
        site(price, name=str(n), deferrable=(work,), battery=BATTERY, ramp_w_min=500_000, peak_micro_mw=20 * MICRO)
        for n, price in enumerate(prices)
    )
    return PlanInputs(grid, sites, (Movable(work, (0, 1)),))
