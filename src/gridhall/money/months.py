"""Billing periods: calendar months in UTC."""

from datetime import UTC, datetime

from gridhall.units import utc_ms


def month_of(time_ms: int) -> tuple[int, int]:
    """Start and end (exclusive) in ms of the calendar month that holds a time."""
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    first = datetime(moment.year, moment.month, 1, tzinfo=UTC)
    following = datetime(moment.year + moment.month // 12, moment.month % 12 + 1, 1, tzinfo=UTC)
    return utc_ms(first), utc_ms(following)


def month_edges(start_ms: int, end_ms: int) -> list[int]:
    """The starts of months that fall inside a span, without its ends."""
    edges: list[int] = []
    edge = month_of(start_ms)[1]
    while edge < end_ms:
        edges.append(edge)
        edge = month_of(edge)[1]
    return edges
