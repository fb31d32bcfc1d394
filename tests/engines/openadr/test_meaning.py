"""Events as load targets, prices, carbon and alerts, and following them as they change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from toadr3.models import Event

from gridhall.energy.signals import known_at, readings_of
from gridhall.energy.targets import FeedMetadata, LoadTarget, Refused, accept, limit_w_at
from gridhall.engines.openadr import Alert, Meaning, follow, meaning_of
from gridhall.engines.openadr.meaning import in_order
from gridhall.units import HOUR_MS, MICRO, MINUTE_MS, utc_ms

MW = 1_000_000
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOW = utc_ms(NOON)
FEED = FeedMetadata(feed_tag="west", minimum_w=2 * MW, maximum_w=12 * MW, default_w=10 * MW)
SHED = (150, 300, 500)
START = {"start": "2026-01-31T13:00:00Z", "duration": "PT30M"}


def event(*payloads: tuple[str, Any], units: dict[str, str] | None = None, **changes: Any) -> Event:
    """An event with one interval for each payload, a half-hour each from 13:00."""
    body: dict[str, Any] = {
        "id": "event-1",
        "programID": "program-1",
        "createdDateTime": "2026-01-31T10:00:00Z",
        "modificationDateTime": "2026-01-31T11:00:00Z",
        "intervalPeriod": START,
        "intervals": [{"id": n, "payloads": [{"type": t, "values": [v]}]} for n, (t, v) in enumerate(payloads)],
        "payloadDescriptors": [{"payloadType": kind, "units": unit} for kind, unit in (units or {}).items()],
    }
    return Event.model_validate(body | changes)


def read(*payloads: tuple[str, Any], **changes: Any) -> Meaning:
    return meaning_of(event(*payloads, **changes), FEED, SHED, NOW)


def watts(meaning: Meaning) -> list[int | None]:
    return [each.load_constraint.watts if each.load_constraint else None for each in meaning.targets]


@pytest.mark.parametrize("kind", ["IMPORT_CAPACITY_LIMIT", "DISPATCH_SETPOINT"])
@pytest.mark.parametrize(("value", "unit"), [(6000, "KW"), (6, "MW"), (6e6, "W"), (6000, "")])
def test_a_limit_is_a_load_target_in_its_unit(kind: str, value: float, unit: str) -> None:
    meaning = read((kind, value), units={kind: unit} if unit else None)
    assert watts(meaning) == [6 * MW]
    target = meaning.targets[0]
    assert (target.feed_tags, target.correlation_id, target.strategy) == (("west",), "event-1", "best_effort")
    assert target.interval.start_ms == NOW + HOUR_MS
    assert target.interval.end_ms == NOW + 90 * MINUTE_MS


def test_levels_shed_their_share_of_the_default_and_level_0_returns_to_it() -> None:
    assert watts(read(("SIMPLE", 0), ("SIMPLE", 1), ("SIMPLE", 2), ("SIMPLE", 3))) == [
        None,
        8_500_000,
        7 * MW,
        5 * MW,
    ]


def test_intervals_follow_each_other_or_keep_their_own_time() -> None:
    first, second = read(("SIMPLE", 1), ("SIMPLE", 2)).targets
    assert first.interval.end_time == second.interval.start_time == NOON + timedelta(minutes=90)
    own = [{"id": 0, "intervalPeriod": START | {"start": "2026-02-01T00:00:00Z"}, "payloads": []}]
    own[0]["payloads"] = [{"type": "SIMPLE", "values": [1]}]
    assert read(intervals=own).targets[0].interval.start_time == datetime(2026, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize("start", ["0000-00-00", "0001-01-01T00:00:00Z"])
def test_now_and_until_further_notice(start: str) -> None:
    target = read(("SIMPLE", 1), intervalPeriod={"start": start}).targets[0]
    assert (target.interval.start_ms, target.interval.end_ms) == (NOW, None)


@pytest.mark.parametrize(("value", "unit"), [(0.25, "KWH"), (250, "MWH"), (0.25, "")])
def test_prices_are_per_megawatt_hour_and_known_since_the_event_changed(value: float, unit: str) -> None:
    meaning = read(("PRICE", value), ("PRICE", -value), units={"PRICE": unit} if unit else None)
    readings = readings_of(meaning.prices, "GBP/MWh", 30, "openadr")
    assert readings.value_micro.tolist() == [250 * MICRO, -250 * MICRO]
    assert known_at(readings, NOW - HOUR_MS, NOW + HOUR_MS, NOW + 2 * HOUR_MS).known_steps == 12
    assert known_at(readings, NOW - HOUR_MS - 1, NOW + HOUR_MS, NOW + 2 * HOUR_MS).known_steps == 0


def test_carbon_is_grams_per_kilowatt_hour() -> None:
    assert [row.value for row in read(("GHG", 152)).carbon] == [152]


def test_alerts_keep_their_text_and_time() -> None:
    alert = read(("ALERT_GRID_EMERGENCY", "frequency is falling")).alerts[0]
    assert alert == Alert(
        "ALERT_GRID_EMERGENCY", NOW + HOUR_MS, NOW + 90 * MINUTE_MS, "frequency is falling", "event-1"
    )


def test_a_payload_that_means_nothing_here_is_named_and_not_guessed_at() -> None:
    meaning = read(("CHARGE_STATE_SETPOINT", 50))
    assert (meaning.unread, meaning.targets) == (["CHARGE_STATE_SETPOINT"], [])


@pytest.mark.parametrize(
    ("payload", "units", "told"),
    [
        (("SIMPLE", 4), {}, "no level"),
        (("IMPORT_CAPACITY_LIMIT", "much"), {}, "no number"),
        (("IMPORT_CAPACITY_LIMIT", 5), {"IMPORT_CAPACITY_LIMIT": "HORSES"}, "HORSES"),
        (("IMPORT_CAPACITY_LIMIT", -5), {}, "greater than or equal to 0"),
    ],
)
def test_an_event_that_cannot_be_read_is_named(payload: tuple[str, Any], units: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=f"event-1, interval 0.*(?s:.*){told}"):
        read(payload, units=units)


def test_the_most_urgent_event_is_set_last() -> None:
    priorities: list[int | None] = [0, None, 3]
    events = [event(("SIMPLE", 1), id=f"e{n}", priority=priority) for n, priority in enumerate(priorities)]
    assert [each.id for each in in_order(events)] == ["e1", "e2", "e0"]


def limits(targets: list[LoadTarget], *minutes: int) -> list[int]:
    schedule = ()
    for target in targets:
        answer = accept(FEED, schedule, target, NOW, 10 * MW)
        assert not isinstance(answer, Refused)
        schedule = answer
    return [limit_w_at(FEED, schedule, NOW + minute * MINUTE_MS) // MW for minute in minutes]


def named(name: str, *payloads: tuple[str, Any]) -> Meaning:
    return read(*payloads, id=name)


def test_events_are_set_once_and_again_only_when_something_changes() -> None:
    meanings = [named("a", ("DISPATCH_SETPOINT", 6000))]
    known, first = follow({}, meanings, NOW)
    _, second = follow(known, meanings, NOW)
    assert limits(first, 60, 90) == [6, 10]
    assert second == []


def test_an_event_that_is_gone_gives_way_to_what_lay_under_it() -> None:
    lower, upper = named("a", ("DISPATCH_SETPOINT", 6000)), named("b", ("DISPATCH_SETPOINT", 4000))
    known, first = follow({}, [lower, upper], NOW)
    known, second = follow(known, [lower], NOW)
    _, third = follow(known, [], NOW)
    assert limits(first, 60) == [4]
    assert limits([*first, *second], 60) == [6]
    assert limits([*first, *second, *third], 60) == [10]


def test_an_event_that_changed_leaves_nothing_of_its_old_time() -> None:
    known, first = follow({}, [named("a", ("DISPATCH_SETPOINT", 6000), ("DISPATCH_SETPOINT", 5000))], NOW)
    _, second = follow(known, [named("a", ("DISPATCH_SETPOINT", 7000))], NOW)
    assert limits([*first, *second], 60, 90) == [7, 10]


def test_an_event_that_is_over_sets_nothing() -> None:
    assert follow({}, [named("a", ("SIMPLE", 1))], NOW + 2 * HOUR_MS)[1] == []
