"""Measured events: what was delivered, how well it was tracked, and what came after."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gridhall.energy.settlement import (
    Baseline,
    EventRecord,
    Product,
    Readings,
    Rules,
    counterfactual,
    nominated,
    settle,
)
from gridhall.energy.settlement.measure import Rebound, Tracking, delivered, energy_mj, percentile, tracking
from gridhall.errors import InputError
from gridhall.units import HOUR_MS, MICRO, MINUTE_MS

Ints = NDArray[np.int64]

MW = 1_000_000
START, END = 10 * MINUTE_MS, 70 * MINUTE_MS


def minutes(*parts: tuple[int, int]) -> Ints:
    """Watts by the minute: so many minutes of each value."""
    return np.concatenate([np.full(count, watts, dtype=np.int64) for count, watts in parts])


WELL = minutes((10, 10 * MW), (60, 7 * MW), (60, 10 * MW))
TARGET = minutes((10, 20 * MW), (60, 7 * MW), (60, 20 * MW))
BEFORE = nominated(minutes((130, 10 * MW)), made_ms=0, event_ms=START)


def settled(watts: Ints = WELL, baseline: Baseline = BEFORE, **changes: int) -> EventRecord:
    product = Product("reserve", "GBP", 100 * MICRO, 5 * MICRO, 3 * MW)
    readings = Readings(0, MINUTE_MS, watts)
    lost = {"slowdown-25": 7_200_000}
    return settle("event-1", START, END, readings, baseline, TARGET, lost, (product,), Rules(**changes))


def test_an_event_that_is_followed_to_the_letter() -> None:
    record = settled()
    assert (record.energy.baseline_wh, record.energy.actual_wh, record.energy.delivered_wh) == (10 * MW, 7 * MW, 3 * MW)
    assert record.tracking == Tracking(60, 1000, 0, 0)
    assert record.rebound == Rebound(10 * MW, 0, 0)
    assert record.revenue[0].delivery_micro == 300 * MICRO
    assert record.revenue[0].availability_micro == 15 * MICRO


def test_samples_above_target_count_by_how_much() -> None:
    record = settled(minutes((10, 10 * MW), (6, 7_700_000), (54, 7 * MW), (60, 10 * MW)))
    assert record.tracking == Tracking(60, 900, 10, 100)


def test_drawing_less_than_asked_is_no_error_but_earns_no_more_than_contracted() -> None:
    record = settled(minutes((10, 10 * MW), (60, 5 * MW), (60, 10 * MW)))
    assert (record.tracking.error_p95_milli, record.energy.delivered_wh) == (0, 5 * MW)
    assert record.revenue[0].delivery_micro == 300 * MICRO


def test_drawing_more_than_the_baseline_is_delivered_below_zero() -> None:
    record = settled(minutes((10, 10 * MW), (60, 11 * MW), (60, 10 * MW)))
    assert record.energy.delivered_wh == -MW
    assert record.revenue[0].delivery_micro == -100 * MICRO


def test_a_rebound_is_counted_against_the_draw_before_the_event() -> None:
    record = settled(minutes((10, 10 * MW), (60, 7 * MW), (6, 12 * MW), (54, 10 * MW)))
    assert record.rebound == Rebound(10 * MW, 6, 200_000)


def test_steps_steeper_than_the_ramp_are_counted_on_the_way_in_and_out() -> None:
    assert settled(ramp_w_min=MW).ramp_breaks == 2
    assert settled(ramp_w_min=3 * MW).ramp_breaks == 0


def test_a_counterfactual_carries_its_error_into_what_was_delivered() -> None:
    record = settled(baseline=counterfactual(minutes((130, 10 * MW)), made_ms=END, error_milli=20))
    assert (record.baseline, record.energy.error_wh) == ("counterfactual", 200_000)


def test_the_record_reads_as_table_and_json() -> None:
    record = settled()
    table = dict(record.rows())
    assert table["delivered"] == "3,000.0 kWh (± 0.0)"
    assert table["work lost, slowdown-25"] == "2.0 GPU hours"
    assert table["revenue, reserve"] == "315.00 GBP"
    assert json.loads(record.to_json())["energy"]["delivered_wh"] == 3 * MW


def test_a_baseline_nominated_after_the_start_is_refused() -> None:
    with pytest.raises(InputError, match="after the event began"):
        nominated(WELL, made_ms=START + 1, event_ms=START)


def test_a_negative_baseline_is_refused_with_its_row() -> None:
    with pytest.raises(InputError, match="row 3"):
        counterfactual(np.array([1, 2, 3, -4]), 0, 0)


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (START, 200 * MINUTE_MS, "to an hour after it"),
        (START + 1000, END, "steps"),
        (START, START, "no length"),
        (0, END, "at least one sample before"),
    ],
)
def test_readings_that_do_not_cover_the_event_are_refused(start: int, end: int, told: str) -> None:
    with pytest.raises(InputError, match=told):
        settle("e", start, end, Readings(0, MINUTE_MS, WELL), BEFORE, TARGET, {})


def test_series_of_other_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="129 values for 130 readings"):
        settle("e", START, END, Readings(0, MINUTE_MS, WELL), BEFORE, TARGET[1:], {})


WATTS = st.lists(st.integers(0, 200 * MW), min_size=130, max_size=130).map(lambda v: np.array(v, dtype=np.int64))


@given(WATTS, WATTS)
def test_delivered_and_drawn_add_up_to_the_baseline_to_the_millijoule(watts: Ints, baseline: Ints) -> None:
    readings, during = Readings(0, MINUTE_MS, watts), slice(10, 70)
    drawn = energy_mj(watts[during], MINUTE_MS)
    assert delivered(readings, nominated(baseline, 0, START), during).delivered_mj + drawn == energy_mj(
        baseline[during], MINUTE_MS
    )
    record = settled(watts, nominated(baseline, 0, START))
    assert record.energy.delivered_wh + record.energy.actual_wh == record.energy.baseline_wh


@given(WATTS, st.integers(0, 130))
def test_parts_of_a_time_deliver_what_the_whole_does(watts: Ints, cut: int) -> None:
    readings = Readings(0, MINUTE_MS, watts)
    first, second, whole = (
        delivered(readings, BEFORE, part).delivered_mj for part in (slice(0, cut), slice(cut, 130), slice(0, 130))
    )
    assert first + second == whole


@given(WATTS)
def test_the_p95_error_bounds_most_samples(watts: Ints) -> None:
    excess = np.maximum(watts - TARGET, 0) * 1000 // TARGET
    p95 = tracking(watts, TARGET, 10).error_p95_milli
    assert (excess <= p95).mean() >= 0.95
    assert (excess < p95).mean() < 0.95
    assert percentile(excess, 1000) == excess.max()


def test_hours_and_minutes_agree() -> None:
    assert energy_mj(np.array([MW]), HOUR_MS) == energy_mj(np.full(60, MW), MINUTE_MS)
