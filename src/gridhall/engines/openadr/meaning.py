"""What an event says: its intervals as load targets, prices, carbon intensities and alerts.

| payload | becomes |
|---|---|
| IMPORT_CAPACITY_LIMIT, DISPATCH_SETPOINT | a load target (W, KW or MW by the event's descriptor; kW without one) |
| SIMPLE 0 to 3 | the default load, or a load target below it by the level's share |
| PRICE | a price per MWh (from per kWh or per MWh by the descriptor; per kWh without one) |
| GHG | grams of CO2 per kWh |
| ALERT_... | an alert with its text |

Intervals without a time of their own follow each other from the event's start. A start in the year 1 means now; a
duration of nothing or of thousands of years means until further notice. A start may be randomised by the server's wish
to spread small loads; one large site keeps to the time given. Other payloads are named in `unread`, never guessed at.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from toadr3.models import Event, Interval, IntervalPeriod

from gridhall.energy.signals import Row
from gridhall.energy.targets import FeedMetadata, LoadConstraint, LoadTarget
from gridhall.energy.targets import Interval as Span
from gridhall.energy.targets.models import moment
from gridhall.units import utc_ms

FIRST_YEAR = 1
LONG = timedelta(days=365 * 100)
WATTS = {"W": 1, "KW": 1_000, "MW": 1_000_000}
PER_MWH = {"KWH": 1_000, "MWH": 1}


@dataclass(frozen=True)
class Alert:
    """A warning of the grid, such as ALERT_GRID_EMERGENCY; without `end_ms` until further notice."""

    kind: str
    start_ms: int
    end_ms: int | None
    text: str
    event_id: str


@dataclass
class Meaning:
    """What one event says. `unread` names payload types that mean nothing here."""

    event_id: str
    targets: list[LoadTarget] = field(default_factory=list[LoadTarget])
    prices: list[Row] = field(default_factory=list[Row])
    carbon: list[Row] = field(default_factory=list[Row])
    alerts: list[Alert] = field(default_factory=list[Alert])
    unread: list[str] = field(default_factory=list[str])


def meaning_of(event: Event, feed: FeedMetadata, shed_milli: tuple[int, int, int], now_ms: int) -> Meaning:
    """Reads an event. Raises ValueError, naming the event, for one that cannot be read."""
    meaning = Meaning(event.id or "")
    units = {each.payload_type: each.units or "" for each in event.payload_descriptors or ()}
    published_ms = utc_ms(event.modified or event.created or moment(now_ms))
    for number, (span, interval) in enumerate(_spans(event, now_ms), 1):
        for payload in interval.payloads:
            value, unit = payload.values[0] if payload.values else None, units.get(payload.type, "")
            try:
                _read(meaning, feed, shed_milli, payload.type, value, unit, span, Row(number, 0, None, published_ms))
            except (TypeError, ValueError, KeyError) as error:
                raise ValueError(f"event {event.id}, interval {interval.id}, {payload.type}: {error}") from error
    return meaning


def _spans(event: Event, now_ms: int) -> Iterator[tuple[Span, Interval]]:
    """Each interval with its time; those without a time of their own follow each other."""
    following = _start(event.interval_period, now_ms) if event.interval_period else moment(now_ms)
    for interval in event.intervals:
        period = interval.interval_period or event.interval_period
        start = _start(interval.interval_period, now_ms) if interval.interval_period else following
        lasts = period.duration if period else timedelta()
        end = start + lasts if timedelta() < lasts < LONG else None
        yield Span(start_time=start, end_time=end), interval
        following = end or following


def _start(period: IntervalPeriod, now_ms: int) -> datetime:
    if isinstance(period.start, str) or period.start.year <= FIRST_YEAR:
        return moment(now_ms)
    return period.start if period.start.tzinfo else period.start.replace(tzinfo=UTC)


def _read(
    meaning: Meaning,
    feed: FeedMetadata,
    shed_milli: tuple[int, int, int],
    kind: str,
    value: object,
    unit: str,
    span: Span,
    row: Row,
) -> None:
    match kind:
        case "IMPORT_CAPACITY_LIMIT" | "DISPATCH_SETPOINT":
            watts = round(_number(value) * WATTS[unit.upper() or "KW"])
            meaning.targets.append(_target(meaning, feed, span, watts))
        case "SIMPLE":
            meaning.targets.append(_target(meaning, feed, span, _simple_w(feed, shed_milli, value)))
        case "PRICE":
            per_mwh = _number(value) * PER_MWH[unit.upper() or "KWH"]
            meaning.prices.append(Row(row.row, span.start_ms, per_mwh, row.published_ms))
        case "GHG":
            meaning.carbon.append(Row(row.row, span.start_ms, _number(value), row.published_ms))
        case _ if kind.startswith("ALERT_"):
            meaning.alerts.append(Alert(kind, span.start_ms, span.end_ms, str(value or ""), meaning.event_id))
        case _:
            meaning.unread.append(kind)


def _simple_w(feed: FeedMetadata, shed_milli: tuple[int, int, int], value: object) -> int | None:
    level = _number(value)
    if level not in (0, 1, 2, 3):
        raise ValueError(f"{value} is no level from 0 to 3")
    return feed.default_w * (1000 - shed_milli[int(level) - 1]) // 1000 if level else None


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    return value


def _target(meaning: Meaning, feed: FeedMetadata, span: Span, watts: int | None) -> LoadTarget:
    constraint = None if watts is None else LoadConstraint(value=watts, unit="W")
    return LoadTarget(
        interval=span, load_constraint=constraint, feed_tags=(feed.feed_tag,), correlation_id=meaning.event_id
    )


def in_order(events: Iterable[Event]) -> list[Event]:
    """Events from the least to the most urgent, so that where they overlap the most urgent is set last and wins.

    A lower number is more urgent, no number least; among equals the later one wins.
    """
    return sorted(events, key=lambda each: (-_urgency(each), utc_ms(each.created) if each.created else 0))


def _urgency(event: Event) -> int:
    return 1 << 31 if event.priority is None else event.priority
