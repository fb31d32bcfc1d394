"""Budgets: what a project has spent this month, and whether it may go on.

A standing follows from the month's charges and from what the open intervals would cost if they ended now. Nothing is
stored: asked again, it is worked out again. Months are calendar months in UTC, and every one begins at nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gridhall.money.intervals import UsageInterval, cut
from gridhall.money.months import month_of
from gridhall.money.rates import RateBook
from gridhall.money.rating import Charge, rate

Standing = Literal["open", "warned", "blocked", "preempt"]
"""`warned` changes nothing; `blocked` takes no new work; `preempt` also stops what may be stopped."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Money for one calendar month in micro-units, the per cent at which to warn, and whether to stop work at 100."""

    limit_micro: int
    warn_percent: int = 80
    preempt: bool = False


def standing(budget: Budget, spent_micro: int) -> Standing:
    """Where a budget stands. A budget of 0 is spent from the start."""
    if spent_micro >= budget.limit_micro:
        return "preempt" if budget.preempt else "blocked"
    return "warned" if spent_micro * 100 >= budget.limit_micro * budget.warn_percent else "open"


def spent_micro(charges: Iterable[Charge], opened: Iterable[UsageInterval], book: RateBook, now_ms: int) -> int:
    """Month to date: the charges billed in the month of `now_ms`, and open intervals rated from its start until now.

    `opened` are `Meter.open_at(now_ms)`. Corrections count in the month that carries them. Raises InputError where the
    book has no price for an open interval.
    """
    first_ms, after_ms = month_of(now_ms)
    billed = sum(charge.amount_micro for charge in charges if first_ms <= charge.billed_ms < after_ms)
    running = (piece for each in opened for piece in cut(each, first_ms) if piece.start_ms >= first_ms)
    return billed + sum(charge.amount_micro for charge in rate(running, book))
