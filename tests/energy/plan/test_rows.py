"""The plan as rows of integers, and fluid work as arrivals and deadlines."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridhall.energy.plan import BATTERY, CAPACITY, PRICE, Grid, plan, plan_rows
from gridhall.energy.plan.result import by_hour
from gridhall.energy.plan.windows import steady
from gridhall.units import DAY_MS, HOUR_MS, MICRO, MINUTE_MS, utc_ms
from tests.energy.plan.cases import MW, batch, hours, inputs, site


def test_rows_hold_only_changes_in_order() -> None:
    prices = [50.0] * 6 + [20.0] * 2 + [90.0] * 16
    made = plan(inputs(site(prices, deferrable=(batch(24, 8 * MW, 23),))))
    rows = plan_rows(made)
    assert rows.dtype == np.int64
    assert rows[rows[:, 0] == PRICE].tolist()[0] == [PRICE, 0, 0, 50 * MICRO]
    assert rows[rows[:, 0] == CAPACITY][:, 2:].tolist() == [[0, 0], [6 * HOUR_MS, 4 * MW], [8 * HOUR_MS, 0]]
    assert rows[rows[:, 0] == BATTERY].tolist() == [[BATTERY, 0, 0, 0]]


def test_prices_by_hour_weigh_steps_by_their_length() -> None:
    grid = Grid(np.array([0, 15, 60, 120, 240]) * MINUTE_MS)
    assert by_hour(grid, np.array([100.0, 20.0, 5.0, 7.0])).tolist() == [40, 5, 7, 7]


def test_a_steady_stream_is_due_a_window_after_it_arrives() -> None:
    work = steady(hours(24), since_ms=0, rate_w=MW, window_ms=6 * HOUR_MS, done_wh=0, most_w=2 * MW, end_ms=DAY_MS * 9)
    assert work.arrived_wh.tolist() == [hour * MW for hour in range(1, 25)]
    assert work.due_wh.tolist() == [0] * 6 + [hour * MW for hour in range(1, 19)]


@given(st.integers(0, 30), st.integers(0, 20))
def test_done_work_neither_waits_nor_is_due(window_h: int, done_mwh: int) -> None:
    work = steady(hours(24), 0, MW, window_h * HOUR_MS, done_mwh * MW, MW, 24 * HOUR_MS)
    assert (work.arrived_wh >= work.due_wh).all()
    assert work.due_wh[-1] == work.arrived_wh[-1] == max(24 - done_mwh, 0) * MW
    assert (np.diff(work.due_wh) >= 0).all()


def test_rows_carry_real_instants() -> None:
    start = utc_ms(datetime(2026, 1, 31, tzinfo=UTC))
    made = plan(inputs(site([1.0, 2.0])))
    later = plan_rows(type(made)(Grid(made.grid.edges_ms + start), made.sites, "lp", "", 0))
    assert later[0].tolist() == [PRICE, 0, start, MICRO]
