"""Where a budget stands: this month's charges and what runs now, and nothing of last month."""

import pytest

from gridhall.money.budgets import Budget, spent_micro, standing
from gridhall.money.months import month_edges, month_of
from gridhall.money.rating import correct, rate
from gridhall.units import MICRO
from tests.money.samples import at, book, gang, price


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


def test_spending_is_this_months_charges_and_what_runs() -> None:
    billed = rate([gang("2026-06-30 20:00", "2026-07-01 02:00")], book())
    running = gang("2026-06-30 23:00", "2026-07-01 03:00")
    assert spent_micro(billed, [running], book(), at("2026-07-01 03:00")) == (2 + 3) * 16 * MICRO


def test_a_correction_counts_in_the_month_that_carries_it() -> None:
    june = gang("2026-06-10 00:00", "2026-06-10 01:00")
    billed = rate([june], book())
    billed += correct(billed, [june], book(price(price_per_gpu_hour=3)), at("2026-07-02"))
    assert spent_micro(billed, [], book(), at("2026-06-30 23:59")) == 16 * MICRO
    assert spent_micro(billed, [], book(), at("2026-07-03")) == 8 * MICRO


def test_months_are_calendar_months_in_utc() -> None:
    assert month_of(at("2026-12-31 23:59")) == (at("2026-12-01"), at("2027-01-01"))
    assert month_of(at("2028-02-01")) == (at("2028-02-01"), at("2028-03-01"))
    assert month_edges(at("2026-01-01"), at("2026-03-01")) == [at("2026-02-01")]
