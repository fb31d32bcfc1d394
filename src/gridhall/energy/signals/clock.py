"""Settlement days and local times: where a day has 46 or 50 half-hours, and an hour happens twice or never.

A settlement day is a local calendar day. Its periods are counted from local midnight in steps of real time, so the
numbers stay unambiguous when the clock changes: in Great Britain 1..46 in spring and 1..50 in autumn.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gridhall.units import MINUTE_MS, utc_ms

HALF_HOUR_MIN = 30


def day_start_ms(day: date, zone: ZoneInfo) -> int:
    """The instant of local midnight."""
    return utc_ms(datetime.combine(day, time(), zone))


def periods_in(day: date, zone: ZoneInfo, period_min: int = HALF_HOUR_MIN) -> int:
    """Periods of a settlement day: 48 half-hours, or 46 or 50 when the clock changes."""
    length_ms = day_start_ms(day + timedelta(days=1), zone) - day_start_ms(day, zone)
    return length_ms // (period_min * MINUTE_MS)


def period_start_ms(day: date, period: int, zone: ZoneInfo, period_min: int = HALF_HOUR_MIN) -> int:
    """Start of settlement period `period` (from 1). Raises ValueError when the day has no such period."""
    last = periods_in(day, zone, period_min)
    if not 1 <= period <= last:
        raise ValueError(f"{day} has periods 1 to {last}, not {period}")
    return day_start_ms(day, zone) + (period - 1) * period_min * MINUTE_MS


def local_instants(moments: Iterable[datetime], zone: ZoneInfo) -> list[int | None]:
    """Instants of times in the order of a file; one that carries an offset keeps it, the others are local to `zone`.

    A local hour that happens twice is read as its first run until the times step back, and then as its second. A local
    time that never happens (the hour skipped in spring) is None.
    """
    instants: list[int | None] = []
    before: int | None = None
    for moment in moments:
        instant = utc_ms(moment) if moment.tzinfo else _local_instant(moment, zone, before)
        instants.append(instant)
        before = before if instant is None else instant
    return instants


def _local_instant(moment: datetime, zone: ZoneInfo, before: int | None) -> int | None:
    first = moment.replace(tzinfo=zone, fold=0)
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        return None
    instant = utc_ms(first)
    again = utc_ms(moment.replace(tzinfo=zone, fold=1))
    return again if before is not None and instant <= before < again else instant
