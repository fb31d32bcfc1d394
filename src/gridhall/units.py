"""Units and time: SI inside, integer milliseconds UTC, money in integer micro-units."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS

MICRO = 1_000_000
"""Micro-units in one unit of a currency."""

J_PER_KWH = 3_600_000
W_PER_MW = 1_000_000


def utc_ms(moment: datetime | date) -> int:
    """Milliseconds since 1970-01-01 UTC; a bare date is its midnight, a naive time is read as UTC."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def iso_utc(time_ms: int) -> str:
    """`2026-01-31T12:00:00Z` for integer milliseconds."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def known_zone(name: str) -> str:
    """The name of a time zone, as it is. Raises ValueError for a name that is none."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; use a name such as Europe/London or UTC") from error
    return name
