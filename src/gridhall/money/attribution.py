"""Energy and carbon of a usage interval: declared watts, the site's overhead, and what the grid burned at the time.

All of it is whole numbers, rounded so that the pieces of a cut interval add up to the whole (`exact`). Each figure says
what it rests on: the weakest of what went into it. Nothing here reads a meter yet, so energy is at best declared.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gridhall.money.exact import flow
from gridhall.money.intervals import Basis, UsageInterval, weakest

MJ_PER_KWH = 3_600_000_000
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Steps:
    """A series that is constant within steps: `values[i]` holds from `start_ms + i x step_ms`.

    Before its start the first value stands for what is not known, after its end the last; both are then assumed.
    """

    start_ms: int
    step_ms: int
    values: Ints
    basis: Basis

    def total(self, time_ms: int) -> int:
        """Integral from the start to a time, in value x ms; negative before the start."""
        since_ms = time_ms - self.start_ms
        step = min(max(since_ms // self.step_ms, 0), len(self.values) - 1)
        whole = int(self._sums[step]) * self.step_ms
        return whole + int(self.values[step]) * (since_ms - step * self.step_ms)

    @cached_property
    def _sums(self) -> Ints:
        """Sum of the values before each step."""
        return np.cumsum(self.values) - self.values

    def basis_over(self, start_ms: int, end_ms: int) -> Basis:
        """What the values of a span rest on."""
        last_ms = self.start_ms + self.step_ms * len(self.values)
        return self.basis if self.start_ms <= start_ms and end_ms <= last_ms else "assumed"


@dataclass(frozen=True)
class SiteEnergy:
    """What a site adds and what its grid is like.

    `pue_milli` is site energy over the machines' energy in 1/1000, `carbon` mg CO2-equivalent per kWh.
    """

    pue_milli: int
    pue_basis: Basis
    carbon: Steps


def attribute(interval: UsageInterval, site: SiteEnergy) -> UsageInterval:
    """The interval with its energy and carbon."""
    start_ms, end_ms = interval.start_ms, interval.end_ms
    site_milliwatt = interval.draw_w * site.pue_milli
    energy_basis = weakest("declared", site.pue_basis)
    return replace(
        interval,
        energy_mj=flow(site_milliwatt, 1_000, start_ms, end_ms),
        energy_basis=energy_basis,
        carbon_mg=_along(site_milliwatt, site.carbon, 1_000 * MJ_PER_KWH, start_ms, end_ms),
        carbon_basis=weakest(energy_basis, site.carbon.basis_over(start_ms, end_ms)),
    )


def _along(milliwatt: int, series: Steps, divisor: int, start_ms: int, end_ms: int) -> int:
    """Whole units of `milliwatt x series / divisor` over a span; pieces of a span add up."""
    return flow(milliwatt, divisor, series.total(start_ms), series.total(end_ms))
