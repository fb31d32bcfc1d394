"""The energy benchmark's own arithmetic, on the synthetic year."""

import numpy as np
import pytest

from benchmarks.energy_bill import (
    HALF_HOUR,
    HORIZON,
    MOST_W,
    RATE_W,
    RIGID_W,
    STEPS,
    bill,
    inputs,
    look_at_prices,
    missed,
)
from benchmarks.energy_sites import six_sites
from benchmarks.energy_year import synthetic_year
from gridhall.energy.plan import check, plan
from gridhall.units import MICRO

YEAR = synthetic_year()
EVEN = np.full(STEPS, float(RATE_W))


def test_the_bill_is_power_times_price_times_time() -> None:
    flat = np.full(STEPS, 100 * MICRO, dtype=np.int64)
    assert bill(flat, EVEN) == pytest.approx(100 * 85 * 8760)


def test_an_even_run_is_never_late_and_one_that_waits_too_long_is() -> None:
    assert missed(EVEN) == 0
    late = EVEN.copy()
    late[:50] = 0
    assert missed(late) > 0


def test_work_that_waits_its_whole_window_is_just_in_time() -> None:
    last = np.concatenate([np.zeros(48), EVEN[:-48]])
    last[-1] += 48 * RATE_W
    assert missed(last) == 0


def test_the_synthetic_year_is_like_a_british_one() -> None:
    price, carbon = YEAR.price.value_micro / MICRO, YEAR.carbon.value_micro / MICRO
    assert 70 < price.mean() < 110
    assert 0 < (price < 0).mean() < 0.05
    assert 120 < carbon.mean() < 180
    assert np.corrcoef(price, carbon)[0, 1] > 0.4


def test_the_planner_looks_no_further_than_the_day_ahead() -> None:
    """Before noon tomorrow's prices are last week's mean, after noon they are the published ones."""
    look, step = look_at_prices(YEAR), 20 * 48
    truth = YEAR.price.value_micro
    before, after = look(step + 22, step + 22 + HORIZON), look(step + 24, step + 24 + HORIZON)
    assert (before[:26] == truth[step + 22 : step + 48]).all()
    assert (before[26:] != truth[step + 48 : step + 22 + HORIZON]).any()
    assert (after[:72] == truth[step + 24 : step + 96]).all()


def test_the_plan_of_two_days_beats_the_even_run() -> None:
    cost = YEAR.price.value_micro[960 : 960 + HORIZON]
    run_w = plan(inputs(960, cost, RATE_W * 480, 60 * MICRO)).sites[0].deferred_w[0]
    assert run_w.max() <= MOST_W
    worth = 60 * (RATE_W * HORIZON - run_w.sum()) / MICRO * HALF_HOUR
    paid, even = (
        float((cost / MICRO * (RIGID_W + each) / MICRO).sum()) * HALF_HOUR for each in (run_w, EVEN[:HORIZON])
    )
    assert paid + worth < even


def test_the_six_sites_can_be_planned() -> None:
    check(six_sites(0))
