"""A statement: revenue, what it took to earn it, and what is left."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from gridhall.units import YEAR_MS


@dataclass(frozen=True)
class Statement:
    """Money of one period, in micro-units of `currency`."""

    currency: str
    revenue_micro: int
    energy_micro: int
    capex_share_micro: int

    @property
    def margin_micro(self) -> int:
        """Revenue less energy and the period's share of the hardware's price; staff and buildings are not in it."""
        return self.revenue_micro - self.energy_micro - self.capex_share_micro


def capex_share_micro(purchases: Iterable[tuple[int, int]], start_ms: int, end_ms: int, life_years: float) -> int:
    """The part of `purchases` (price in micro-units, ready from ms) that falls into a period, spread over a life.

    A purchase counts from the time it is ready until its life is over.
    """
    life_ms = round(life_years * YEAR_MS)
    total = Fraction(0)
    for price_micro, ready_ms in purchases:
        used_ms = min(end_ms, ready_ms + life_ms) - max(start_ms, ready_ms)
        total += Fraction(price_micro * max(0, used_ms), life_ms)
    return int(total)


def convert_micro(amount_micro: int, rate: float) -> int:
    """An amount in another currency; `rate` is units of the other one for one unit of this."""
    return round(amount_micro * Fraction(rate))
