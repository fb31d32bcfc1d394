"""Weekly hours in a time zone as instants: when does `22:00 to 24:00 on weekdays in Europe/London` begin and end?

A time of day that a clock change leaves out is the change itself; one that comes twice is its first coming. So a day's
times stand in order whatever the clocks do, and windows that do not overlap on the wall do not overlap in time.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from gridhall.units import SECOND_MS

Span = tuple[int, int]


def spans_of(days: frozenset[int], first: int, last: int, zone: str, start_ms: int, end_ms: int) -> Iterator[Span]:
    """The times within a span at which the hours hold, in order.

    `days` are weekdays (0 = Monday), `first` and `last` minutes of the day; 1440 is the next midnight.
    """
    day = datetime.fromtimestamp(start_ms // 1000, ZoneInfo(zone)).date() - timedelta(days=1)
    while instant_ms(day, 0, zone) < end_ms:
        if day.weekday() in days:
            opens_ms = max(start_ms, instant_ms(day, first, zone))
            closes_ms = min(end_ms, instant_ms(day, last, zone))
            if opens_ms < closes_ms:
                yield opens_ms, closes_ms
        day += timedelta(days=1)


@lru_cache(maxsize=65_536)
def instant_ms(day: date, minute: int, zone: str) -> int:
    """The first instant (ms UTC) at which that day's clock shows a minute of the day, or something later."""
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    early, late = (round(wall.replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()) for fold in (1, 0))
    if late <= early:  # the usual case, or a time that comes twice: fold 0 is its first coming
        return late * SECOND_MS
    while late - early > 1:  # the clocks leap over this time: find the leap between what the two offsets would say
        middle = (early + late) // 2
        shown = datetime.fromtimestamp(middle, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        early, late = (early, middle) if shown >= wall else (middle, late)
    return late * SECOND_MS
