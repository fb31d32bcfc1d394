"""Where a budget stands, and where a month begins and ends."""

import pytest

from gridhall.money.budgets import Budget, standing
from gridhall.money.months import month_edges, month_of
from tests.money.samples import at


@pytest.mark.parametrize(
    ("spent", "expected"),
    [(0, "open"), (79_999, "open"), (80_000, "warned"), (99_999, "warned"), (100_000, "blocked"), (250_000, "blocked")],
)
def test_a_budget_warns_and_then_blocks(spent: int, expected: str) -> None:
    assert standing(Budget(100_000), spent) == expected


def test_a_budget_may_stop_work_and_may_be_nothing() -> None:
    assert standing(Budget(100, preempt=True), 100) == "preempt"
    assert standing(Budget(100, preempt=True), 85) == "warned"
    assert standing(Budget(0), 0) == "blocked"


def test_months_are_calendar_months_in_utc() -> None:
    assert month_of(at("2026-12-31 23:59")) == (at("2026-12-01"), at("2027-01-01"))
    assert month_of(at("2028-02-01")) == (at("2028-02-01"), at("2028-03-01"))
    assert month_edges(at("2026-01-01"), at("2026-03-01")) == [at("2026-02-01")]
