"""Budgets: whether a project that has spent so much this month may go on."""

from dataclasses import dataclass
from typing import Literal

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
