"""Settlement days and local times around the change of the clock."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gridhall.energy.signals.clock import local_instants, period_start_ms, periods_in
from gridhall.units import utc_ms

LONDON = ZoneInfo("Europe/London")
SPRING, AUTUMN = date(2023, 3, 26), date(2023, 10, 29)


@pytest.mark.parametrize(
    ("day", "halves", "quarters"), [(SPRING, 46, 92), (date(2023, 6, 1), 48, 96), (AUTUMN, 50, 100)]
)
def test_a_day_has_46_48_or_50_half_hours(day: date, halves: int, quarters: int) -> None:
    assert periods_in(day, LONDON) == halves
    assert periods_in(day, LONDON, 15) == quarters


def test_periods_are_counted_in_real_time_from_local_midnight() -> None:
    assert period_start_ms(AUTUMN, 1, LONDON) == utc_ms(datetime(2023, 10, 28, 23, 0))
    assert period_start_ms(AUTUMN, 50, LONDON) == utc_ms(datetime(2023, 10, 29, 23, 30))
    assert period_start_ms(SPRING, 3, LONDON) == utc_ms(datetime(2023, 3, 26, 1, 0))


@pytest.mark.parametrize(("day", "period"), [(SPRING, 47), (date(2023, 6, 1), 49), (AUTUMN, 51), (AUTUMN, 0)])
def test_a_period_that_the_day_lacks_is_refused(day: date, period: int) -> None:
    with pytest.raises(ValueError, match="has periods 1 to"):
        period_start_ms(day, period, LONDON)


def test_the_hour_that_happens_twice_is_read_in_order() -> None:
    written = [datetime(2023, 10, 29, h, m) for h, m in ((0, 30), (1, 0), (1, 30), (1, 0), (1, 30), (2, 0))]
    instants = local_instants(written, LONDON)
    assert instants == [utc_ms(datetime(2023, 10, 28, 23, 30)) + step * 1_800_000 for step in range(6)]


def test_the_hour_that_never_happens_has_no_instant() -> None:
    assert local_instants([datetime(2023, 3, 26, 1, 30)], LONDON) == [None]


def test_an_offset_in_the_file_outranks_the_zone() -> None:
    moment = datetime.fromisoformat("2023-07-01T12:00:00+00:00")
    assert local_instants([moment, moment.replace(tzinfo=None) + timedelta(hours=2)], LONDON) == [
        utc_ms(moment),
        utc_ms(moment) + 3_600_000,
    ]
