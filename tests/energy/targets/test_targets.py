"""Load targets: what is accepted, what is refused, and what then holds."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gridhall.energy.targets import (
    FeedMetadata,
    LoadTarget,
    Refused,
    Schedule,
    accept,
    limit_w_at,
    listed,
    safe_limit_w,
)
from gridhall.units import HOUR_MS, MINUTE_MS, utc_ms

MW = 1_000_000
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOW = utc_ms(NOON)
FEED = FeedMetadata(feed_tag="west", minimum_w=2 * MW, maximum_w=12 * MW, default_w=10 * MW, ramp_down_w_min=MW)


def target(value: float | None, start_h: float = 1, end_h: float | None = 2, **changes: Any) -> LoadTarget:
    """So many MW from hours after noon to hours after noon."""
    end = None if end_h is None else NOON + timedelta(hours=end_h)
    fields: dict[str, Any] = {
        "interval": {"start_time": NOON + timedelta(hours=start_h), "end_time": end},
        "load_constraint": None if value is None else {"value": value, "unit": "MW"},
    }
    return LoadTarget.model_validate(fields | changes)


def firm(value: float | None, start_h: float = 1, end_h: float | None = 2, name: str = "deal") -> LoadTarget:
    return target(value, start_h, end_h, strategy="firm", correlation_id=name)


def accepted(schedule: Schedule, *targets: LoadTarget) -> Schedule:
    for each in targets:
        answer = accept(FEED, schedule, each, NOW, 10 * MW)
        assert not isinstance(answer, Refused), answer
        schedule = answer
    return schedule


def refused(wanted: LoadTarget, schedule: Schedule = (), draw_w: int = 10 * MW) -> Refused:
    answer = accept(FEED, schedule, wanted, NOW, draw_w)
    assert isinstance(answer, Refused)
    return answer


def limits(schedule: Schedule, *hours: float) -> list[float]:
    return [limit_w_at(FEED, schedule, NOW + round(hour * HOUR_MS)) / MW for hour in hours]


def test_a_target_holds_in_its_interval_and_the_default_around_it() -> None:
    assert limits(accepted((), target(6)), 0.99, 1, 1.99, 2) == [10, 6, 6, 10]


def test_units_are_watts_kilowatts_and_megawatts() -> None:
    wanted = [target(1, load_constraint={"value": value, "unit": unit}) for value, unit in ((6e6, "W"), (6e3, "kW"))]
    assert [limits(accepted((), each), 1)[0] for each in wanted] == [6, 6]


def test_the_latest_target_wins_for_its_interval_only() -> None:
    schedule = accepted((), target(6, 1, 5), target(4, 2, 3))
    assert limits(schedule, 1.5, 2.5, 3.5) == [6, 4, 6]


def test_a_target_without_end_holds_until_another_comes() -> None:
    schedule = accepted((), target(6, 1, None))
    assert limits(schedule, 10_000) == [6]
    assert limits(accepted(schedule, target(8, 3, None)), 2, 4) == [6, 8]


def test_null_returns_its_interval_to_the_default() -> None:
    schedule = accepted((), target(6, 1, 5), target(None, 2, 3))
    assert limits(schedule, 1.5, 2.5, 3.5) == [6, 10, 6]
    assert accepted(schedule, target(None, 0, None)) == ()


def test_the_schedule_is_listed_as_targets() -> None:
    schedule = accepted((), target(6, 1, 2, correlation_id="a"), firm(4, 3, None, "b"))
    found = listed(FEED, schedule, NOW, NOW + 10 * HOUR_MS)
    assert [(each.correlation_id, each.strategy, each.feed_tags) for each in found] == [
        ("a", "best_effort", ("west",)),
        ("b", "firm", ("west",)),
    ]
    assert found[0].interval.start_time == NOON + timedelta(hours=1)
    assert found[1].interval.end_time is None
    assert accepted((), *found) == schedule
    assert listed(FEED, schedule, NOW + 2 * HOUR_MS, NOW + 3 * HOUR_MS) == []


@pytest.mark.parametrize(("value", "reason", "nearest"), [(13, "above_maximum", 12), (1, "below_floor", 2)])
def test_a_target_out_of_range_is_refused_with_the_nearest_that_can_be_promised(
    value: float, reason: str, nearest: int
) -> None:
    answer = refused(target(value))
    assert (answer.reason, answer.nearest_w) == (reason, nearest * MW)


def test_a_target_that_is_over_is_refused() -> None:
    assert refused(target(6, -2, -1)).reason == "in_the_past"
    assert refused(target(6, -2, 0)).nearest_start_ms == NOW


def test_a_start_that_has_passed_means_now() -> None:
    assert accepted((), target(6, -1, 1))[0].start_ms == NOW


def test_overlapping_firm_targets_are_refused_with_the_first_free_moment() -> None:
    promised = accepted((), firm(6, 1, 2))
    answer = refused(firm(5, 1.5, 3, "other"), promised)
    assert (answer.reason, answer.nearest_start_ms) == ("firm_overlap", NOW + 2 * HOUR_MS)
    assert limits(accepted(promised, firm(5, 2, 3, "other")), 1.5, 2.5) == [6, 5]


def test_a_promise_is_kept_from_targets_with_another_id_and_from_null() -> None:
    promised = accepted((), firm(6))
    assert refused(target(4), promised).reason == "firm_overlap"
    assert refused(target(None, 0, None), promised).reason == "firm_overlap"


def test_a_promise_is_changed_and_withdrawn_by_its_own_id() -> None:
    promised = accepted((), firm(6))
    assert limits(accepted(promised, firm(5)), 1) == [5]
    assert accepted(promised, firm(None)) == ()


def test_a_firm_target_needs_an_id() -> None:
    assert refused(firm(6, name="")).reason == "firm_without_id"


def test_a_ramp_that_cannot_be_met_is_refused_with_what_can() -> None:
    soon = firm(4, 2 / 60, 2)
    answer = refused(soon)
    assert (answer.reason, answer.nearest_w) == ("impossible_ramp", 8 * MW)
    assert answer.nearest_start_ms == NOW + 6 * MINUTE_MS
    assert limits(accepted((), firm(8, 2 / 60, 2)), 1) == [8]
    assert limits(accepted((), firm(4, 0.1, 2)), 1) == [4]


def test_best_effort_is_followed_as_fast_as_the_ramp_allows() -> None:
    assert limits(accepted((), target(4, 0, 1)), 0) == [4]


def test_without_word_the_lower_of_the_last_target_and_the_default_holds() -> None:
    schedule = accepted((), target(6, 1, 2), target(12, 3, 4))
    assert [safe_limit_w(FEED, schedule, NOW + hour * HOUR_MS) // MW for hour in (0, 1, 3)] == [10, 6, 10]


@pytest.mark.parametrize(
    "wrong",
    [
        {"load_constraint": {"value": float("nan"), "unit": "MW"}},
        {"load_constraint": {"value": -1, "unit": "MW"}},
        {"load_constraint": {"value": 1, "unit": "GW"}},
        {"interval": {"start_time": NOON, "end_time": NOON}},
        {"interval": {"start_time": "2026-01-31T12:00:00"}},
        {"strategy": "maybe"},
        {"priority": 1},
    ],
)
def test_a_body_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        target(6, **wrong)


HOURS = st.integers(0, 12)
ANY = st.builds(
    lambda value, start, length, is_firm, name: target(
        value,
        start,
        None if length == 0 else start + length,
        strategy="firm" if is_firm else "best_effort",
        correlation_id=name,
    ),
    st.one_of(st.none(), st.integers(0, 14)),
    HOURS,
    HOURS,
    st.booleans(),
    st.sampled_from(["", "a", "b", "c"]),
)


@given(st.lists(ANY, max_size=12))
def test_any_sequence_keeps_order_range_and_promises(targets: list[LoadTarget]) -> None:
    schedule: Schedule = ()
    for each in targets:
        before = schedule
        answer = accept(FEED, before, each, NOW, 10 * MW)
        if isinstance(answer, Refused):
            assert answer.detail
            continue
        schedule = answer
        assert all(a.end_ms <= b.start_ms for a, b in pairwise(schedule))
        assert all(FEED.minimum_w <= stretch.limit_w <= FEED.maximum_w for stretch in schedule)
        start, end = each.interval.start_ms, each.interval.end_ms or 1 << 62
        wanted = each.load_constraint.watts if each.load_constraint else FEED.default_w
        assert limit_w_at(FEED, schedule, start) == wanted
        for hour in range(30):
            at = NOW + hour * HOUR_MS + 1
            if not start <= at < end:
                assert limit_w_at(FEED, schedule, at) == limit_w_at(FEED, before, at)
        kept = {(p.start_ms, p.end_ms, p.limit_w) for p in before if p.firm and p.correlation_id != each.correlation_id}
        assert kept <= {(p.start_ms, p.end_ms, p.limit_w) for p in schedule if p.firm}


@given(st.integers(0, 14), st.integers(0, 30), st.integers(2, 12))
def test_the_nearest_promise_can_be_promised(value: int, minutes: int, draw: int) -> None:
    answer = accept(FEED, (), firm(value, minutes / 60), NOW, draw * MW)
    while isinstance(answer, Refused):  # first the range, then the ramp
        assert answer.nearest_w is not None
        assert answer.nearest_w / MW != value
        value = answer.nearest_w // MW
        answer = accept(FEED, (), firm(value, minutes / 60), NOW, draw * MW)
    assert limits(answer, minutes / 60) == [value]


def test_a_schedule_keeps_milliseconds() -> None:
    odd = NOW + 1
    answer = accept(FEED, (), target(6, -1, 2), odd, 10 * MW)
    assert not isinstance(answer, Refused)
    assert listed(FEED, answer, NOW, NOW + HOUR_MS)[0].interval.start_ms == odd
