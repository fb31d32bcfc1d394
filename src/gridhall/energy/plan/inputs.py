"""What a look-ahead plan is made from: sites with their prices, limits and work over one grid of time steps.

Powers are watts, energies watt-hours, prices micro-units of one currency per MWh, carbon micrograms per kWh. Arrays
have one value for each step. Work is watts of IT power, so a MWh of work is the same work at every site; the site's
PUE turns it into watts at the meter.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridhall.units import HOUR_MS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NO_TARGET = -1
"""A step without a load target."""


@dataclass(frozen=True)
class Grid:
    """Steps from each edge to the next; they need not be equally long (fine near, coarse far)."""

    edges_ms: Ints

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.edges_ms) - 1

    @property
    def hours(self) -> Floats:
        """Length of each step in hours."""
        return np.diff(self.edges_ms) / HOUR_MS


@dataclass(frozen=True)
class Slowable:
    """Running work of one flex tier: wants `demand_w`, may be slowed by `most_shed_milli` per mille at a price.

    `lost_micro_mwh` is what a MWh of its work is worth.
    """

    demand_w: Ints
    most_shed_milli: int
    lost_micro_mwh: int


@dataclass(frozen=True)
class Deferrable:
    """Work that may wait: cumulative energy that has arrived and that is due by the end of each step.

    Both start with what was waiting at the first edge. `most_w` is the most that can run at once. `later_micro_mwh` is
    what a MWh that is left at the last edge will cost later; without it a plan puts off all that it may.
    """

    arrived_wh: Ints
    due_wh: Ints
    most_w: Ints
    later_micro_mwh: int = 0

    def reach_wh(self, grid: Grid) -> Floats:
        """The most that can have been done by the end of each step: running at full power whenever there is work."""
        full = np.cumsum(self.most_w * grid.hours)
        return full + np.minimum(np.minimum.accumulate(self.arrived_wh - full), 0.0)

    def late_wh(self, grid: Grid) -> float:
        """The energy that misses its deadline at worst, whatever is done."""
        return max(0.0, float((self.due_wh - self.reach_wh(grid)).max()))


@dataclass(frozen=True)
class Movable:
    """Deferrable work that may also choose its site, among the `allowed` ones (indexes) and no others."""

    work: Deferrable
    allowed: tuple[int, ...]


@dataclass(frozen=True)
class Battery:
    """Storage at a site; efficiencies in per mille, `wear_micro_mwh` for each MWh discharged.

    It holds `held_wh` at the first edge and at least `end_wh` at the last.
    """

    power_w: int
    energy_wh: int
    charge_milli: int
    discharge_milli: int
    held_wh: int
    end_wh: int
    wear_micro_mwh: int


@dataclass(frozen=True)
class PlanSite:
    """One site. `price_micro_mwh` and `carbon_ug_kwh` are known or forecast; `limit_w` is the feed's limit in time.

    `capacity_w` is the IT power of the nodes that may run work, rigid work included; `ramp_w_min` the most that the
    draw may change in a minute (0 = free); `peak_micro_mw` the price of each MW by which the draw's peak exceeds
    `peak_w`, the peak so far; `target_w` a load target or NO_TARGET, missed only at `miss_micro_mwh`.
    """

    name: str
    price_micro_mwh: Ints
    carbon_ug_kwh: Ints
    limit_w: Ints
    capacity_w: Ints
    rigid_w: Ints
    pue_milli: int
    slowable: tuple[Slowable, ...] = ()
    deferrable: tuple[Deferrable, ...] = ()
    battery: Battery | None = None
    ramp_w_min: int = 0
    peak_micro_mw: int = 0
    peak_w: int = 0
    target_w: Ints | None = None
    miss_micro_mwh: int = 3_000_000_000

    def cost_micro_mwh(self, carbon_micro_t: int) -> Ints:
        """Price of power with carbon at `carbon_micro_t` for each tonne."""
        tonnes_per_mwh = self.carbon_ug_kwh / 1_000_000_000
        return self.price_micro_mwh + np.rint(tonnes_per_mwh * carbon_micro_t).astype(np.int64)


@dataclass(frozen=True)
class PlanInputs:
    """Everything a plan depends on. `carbon_micro_t` is the price of a tonne of CO2 that the plan reckons with."""

    grid: Grid
    sites: tuple[PlanSite, ...]
    movable: tuple[Movable, ...] = ()
    carbon_micro_t: int = 0
