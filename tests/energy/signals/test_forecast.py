"""Forecasts: from the past alone, and of a stated error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridhall.energy.signals import FORECAST, PUBLISHED, STEP_MS, UNKNOWN, ErrorLaw, Signal, continued, with_error
from gridhall.units import DAY_MS, HOUR_MS

DAY = DAY_MS // STEP_MS
LAW = ErrorLaw(near_micro=10_000, far_micro=50_000, tau_ms=12 * HOUR_MS, memory=0.99)


def signal(known: list[int], unknown: int) -> Signal:
    values = np.array([*known, *[0] * unknown], dtype=np.int64)
    marks = np.array([PUBLISHED] * len(known) + [UNKNOWN] * unknown, dtype=np.uint8)
    return Signal(0, values, marks)


def test_a_step_is_the_mean_of_its_time_of_day_over_the_last_seven_days() -> None:
    days = [day * 1000 + step for day in range(9) for step in range(DAY)]
    told = continued(signal(days, DAY + 1))
    assert told.value_micro[9 * DAY : 10 * DAY].tolist() == [5000 + step for step in range(DAY)]
    assert told.value_micro[10 * DAY] == 5000  # the second day stands on the same seven
    assert set(told.mark[9 * DAY :].tolist()) == {FORECAST}


def test_fewer_days_serve_where_fewer_are_known() -> None:
    told = continued(signal(list(range(DAY)) + list(range(2, DAY + 2)), 3))
    assert told.value_micro[-3:].tolist() == [1, 2, 3]


def test_what_is_known_stays() -> None:
    full = signal(list(range(DAY)), 0)
    assert continued(full) is full
    assert continued(signal(list(range(DAY)), 5)).value_micro[:DAY].tolist() == list(range(DAY))


def test_less_than_a_day_is_no_ground_for_a_forecast() -> None:
    with pytest.raises(ValueError, match="a known day"):
        continued(signal(list(range(DAY - 1)), 5))


def test_the_error_grows_with_the_lead_as_the_law_says() -> None:
    truth = np.zeros(2 * DAY, np.int64)
    errors = np.array([with_error(truth, LAW.shape(2 * DAY, seed), LAW, STEP_MS) for seed in range(400)])
    for lead in (0, DAY // 2, 2 * DAY - 1):
        stated = LAW.sigma_micro(np.array([lead * STEP_MS]))[0]
        assert errors[:, lead].std() == pytest.approx(stated, rel=0.12)
    assert LAW.sigma_micro(np.array([0]))[0] == 10_000


@given(st.integers(0, 2**32), st.integers(1, 50))
def test_the_same_seed_gives_the_same_error(seed: int, steps: int) -> None:
    truth = np.arange(steps, dtype=np.int64)
    first, second = (with_error(truth, LAW.shape(steps, seed), LAW, STEP_MS) for _ in range(2))
    assert first.tolist() == second.tolist()
