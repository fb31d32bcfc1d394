"""What is refused in a signal, and what was known when."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridhall.energy.signals import FILLED, PUBLISHED, UNKNOWN, Readings, Row, known_at, readings_of
from gridhall.errors import InputError
from gridhall.units import DAY_MS, HOUR_MS, MICRO, MINUTE_MS

HALF = 30 * MINUTE_MS


def readings(*values: float | None, longest_gap_min: int = 10_000, late_ms: int = 0) -> Readings:
    """Half-hours from time 0, each published at its end plus `late_ms`."""
    rows = [Row(n + 2, n * HALF, value, (n + 1) * HALF + late_ms) for n, value in enumerate(values)]
    return readings_of(rows, "GBP/MWh", 30, "prices.csv", longest_gap_min)


def refusal(rows: list[Row]) -> str:
    with pytest.raises(InputError) as caught:
        readings_of(rows, "GBP/MWh", 30, "prices.csv")
    return str(caught.value)


@pytest.mark.parametrize(
    ("second", "problem", "mend"),
    [
        (Row(3, HALF, math.nan, 0), "nan is no number", "allow a gap"),
        (Row(3, HALF, 2e7, 0), "too large", "in the unit declared"),
        (Row(3, -HALF, 1.0, 0), "unsorted", "sort the rows"),
        (Row(3, 0, 1.0, 0), "stands twice", "when each version was published"),
        (Row(3, 15 * MINUTE_MS, 1.0, 0), "periods overlap", "declare the true resolution"),
        (Row(3, 45 * MINUTE_MS, 1.0, 0), "no whole number of periods", "mend the row's time"),
        (Row(3, 2 * HALF, 1.0, 0), "30 min without a value", "longest_gap_min: 30"),
    ],
)
def test_a_wrong_row_is_refused_with_its_place_and_mend(second: Row, problem: str, mend: str) -> None:
    told = refusal([Row(2, 0, 50.0, 0), second])
    assert "prices.csv row 3" in told
    assert problem in told
    assert mend in told


def test_every_fault_is_told_at_once() -> None:
    told = refusal([Row(2, 0, math.inf, 0), Row(3, HALF, math.nan, 0), Row(4, 0, 1.0, 0)])
    assert [f"row {row}" in told for row in (2, 3, 4)] == [True] * 3


def test_a_file_without_a_value_is_refused() -> None:
    assert "holds no value" in refusal([Row(2, 0, None, 0)])


def test_negative_prices_are_prices() -> None:
    signal = known_at(readings(-77.29, 10.0), DAY_MS, 0, HOUR_MS)
    assert signal.value_micro.tolist() == [-77_290_000] * 6 + [10_000_000] * 6


def test_a_value_is_not_seen_before_it_is_published() -> None:
    late = readings(1, 2, 3, late_ms=10 * MINUTE_MS)
    signal = known_at(late, 2 * HALF, 0, 3 * HALF)
    assert signal.mark.tolist() == [PUBLISHED] * 6 + [UNKNOWN] * 12
    assert known_at(late, 2 * HALF + 10 * MINUTE_MS, 0, 3 * HALF).known_steps == 12


def test_nothing_published_is_nothing_known() -> None:
    assert known_at(readings(1, 2), 0, 0, HOUR_MS).known_steps == 0


def test_the_latest_version_published_counts() -> None:
    rows = [Row(2, 0, 50.0, 100), Row(3, 0, 60.0, 200), Row(4, HALF, 70.0, 100)]
    versions = readings_of(rows, "GBP/MWh", 30, "prices.csv")
    first = [known_at(versions, at, 0, HALF).value_micro[0] for at in (100, 199, 200)]
    assert first == [50 * MICRO, 50 * MICRO, 60 * MICRO]


def test_a_short_gap_holds_the_value_before_and_is_marked() -> None:
    signal = known_at(readings(1, None, None, 4), DAY_MS, 0, 4 * HALF)
    assert signal.value_micro[6:18].tolist() == [MICRO] * 12
    assert signal.mark.tolist() == [PUBLISHED] * 6 + [FILLED] * 12 + [PUBLISHED] * 6
    assert signal.filled_share == 0.5


def test_a_long_gap_repeats_the_day_before() -> None:
    values: list[float | None] = [float(n) for n in range(48)]
    signal = known_at(readings(*values, *[None] * 96, 7.0), 10 * DAY_MS, 0, 145 * HALF)
    assert signal.value_micro[::6][48:144].tolist() == [n * MICRO for n in range(48)] * 2
    assert set(signal.mark[48 * 6 : 144 * 6].tolist()) == {FILLED}


@given(st.lists(st.one_of(st.none(), st.floats(-500, 3000)), min_size=1, max_size=120), st.integers(0, 125))
def test_what_is_published_is_never_changed_and_the_future_never_seen(values: list[float | None], now: int) -> None:
    if all(value is None for value in values):
        return
    signal = known_at(readings(*values), now * HALF, 0, len(values) * HALF)
    for n, value in enumerate(values):
        marks = signal.mark[6 * n : 6 * n + 6]
        if n >= now:
            assert set(marks.tolist()) == {UNKNOWN}
        elif value is not None:
            assert set(marks.tolist()) == {PUBLISHED}
            assert signal.value_micro[6 * n] == round(value * MICRO)
        else:
            assert PUBLISHED not in marks


def test_the_step_must_fit_the_period() -> None:
    with pytest.raises(ValueError, match="divide"):
        known_at(readings(1), HOUR_MS, 0, HOUR_MS, step_ms=7 * MINUTE_MS)


def test_a_part_of_a_signal_keeps_its_values() -> None:
    signal = known_at(readings(1, 2, 3), DAY_MS, 0, 3 * HALF)
    part = signal.part(HALF, 2 * HALF)
    assert (part.start_ms, np.unique(part.value_micro).tolist()) == (HALF, [2 * MICRO])
