"""Signals from files: what a declaration says is what is read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from gridhall.energy.signals import FILLED, SignalFile, known_at, read_signal
from gridhall.errors import InputError
from gridhall.units import DAY_MS, HOUR_MS, MICRO, utc_ms
from tests.shared import SHARED_DATA, shared


def declared(path: str, **changes: Any) -> SignalFile:
    fields: dict[str, Any] = {
        "path": path,
        "time_column": "time",
        "value_column": "price",
        "unit": "GBP/MWh",
        "resolution_min": 30,
        "zone": "Europe/London",
        "published": {"kind": "lag", "minutes": 0},
        "source": "invented for this test",
    }
    return SignalFile.model_validate(fields | changes)


def written(folder: Path, *rows: str) -> str:
    (folder / "prices.csv").write_text("\n".join(["time,price", *rows]) + "\n")
    return "prices.csv"


def local_half_hours(day: datetime, count: int) -> list[str]:
    """The wall clock of London at every half-hour of real time from local midnight."""
    first = day.astimezone(UTC)
    clock = [(first + timedelta(minutes=30 * n)).astimezone(day.tzinfo) for n in range(count)]
    return [f"{moment:%Y-%m-%d %H:%M},{n}" for n, moment in enumerate(clock)]


@pytest.mark.parametrize(("month", "day", "periods"), [(3, 26, 46), (6, 1, 48), (10, 29, 50)])
def test_local_days_of_46_48_and_50_half_hours_are_read_whole(
    tmp_path: Path, month: int, day: int, periods: int
) -> None:
    midnight = datetime(2023, month, day, tzinfo=ZoneInfo("Europe/London"))
    readings = read_signal(declared(written(tmp_path, *local_half_hours(midnight, periods))), tmp_path)
    assert len(readings.start_ms) == periods
    assert set(np.diff(readings.start_ms).tolist()) == {HOUR_MS // 2}
    assert readings.value_micro.tolist() == [n * MICRO for n in range(periods)]


def test_a_local_time_that_never_happens_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="never happens in Europe/London"):
        read_signal(declared(written(tmp_path, "2023-03-26 01:30,5")), tmp_path)


def test_parquet_is_read_like_csv(tmp_path: Path) -> None:
    times = [datetime(2023, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(4)]
    pl.DataFrame({"time": times, "price": [1.0, -2.5, None, 4.0]}).write_parquet(tmp_path / "p.parquet")
    readings = read_signal(declared("p.parquet", longest_gap_min=30), tmp_path)
    assert readings.value_micro.tolist() == [MICRO, -2_500_000, 4 * MICRO]


def test_a_stamp_at_the_end_is_moved_to_the_start(tmp_path: Path) -> None:
    path = written(tmp_path, "2023-01-01T00:30:00Z,1")
    assert read_signal(declared(path, stamp="end"), tmp_path).start_ms.tolist() == [utc_ms(datetime(2023, 1, 1))]


def test_day_ahead_prices_are_known_from_noon_of_the_day_before(tmp_path: Path) -> None:
    path = written(tmp_path, "2023-07-02T00:00,1", "2023-07-02T00:30,2")
    readings = read_signal(declared(path, published={"kind": "day-ahead", "hour": 12}), tmp_path)
    assert set(readings.published_ms.tolist()) == {utc_ms(datetime(2023, 7, 1, 11))}


def test_a_column_can_say_when_a_value_became_known(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("time,price,seen\n2023-01-01,1,2022-12-31 08:00\n2023-01-01,2,2022-12-31 09:00\n")
    readings = read_signal(declared("p.csv", published={"kind": "column", "column": "seen"}), tmp_path)
    start = utc_ms(datetime(2023, 1, 1))
    seen = [known_at(readings, start - hours * HOUR_MS, start, start + HOUR_MS // 2) for hours in (16, 15)]
    assert [int(signal.value_micro[0]) for signal in seen] == [MICRO, 2 * MICRO]


@pytest.mark.parametrize(
    ("row", "changes", "problem"),
    [
        ("2023-01-01,nan", {}, "row 2: value: nan is no number"),
        ("2023-01-01,cheap", {}, "row 2: price: 'cheap' is no number"),
        ("yesterday,1", {}, "row 2: time: 'yesterday' is no date and time"),
        ("2023-01-01,1", {"value_column": "cost"}, "cost: the file has no such column"),
        ("2023-01-01,", {}, "holds no value"),
    ],
)
def test_a_wrong_file_is_refused_with_row_field_and_mend(
    tmp_path: Path, row: str, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_signal(declared(written(tmp_path, row), **changes), tmp_path)
    assert problem in str(caught.value)
    assert "->" in str(caught.value)


def test_an_empty_cell_is_a_gap_that_must_be_allowed(tmp_path: Path) -> None:
    path = written(tmp_path, "2023-01-01 00:00,1", "2023-01-01 00:30,", "2023-01-01 01:00,3")
    with pytest.raises(InputError, match="30 min without a value"):
        read_signal(declared(path), tmp_path)
    assert len(read_signal(declared(path, longest_gap_min=30), tmp_path).start_ms) == 2


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_signal(declared("none.csv"), tmp_path)


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="no time zone"):
        declared("x", zone="Europe/Nowhere")


def test_the_british_year_of_prices_is_read_with_its_gaps() -> None:
    shared("energy/gb_prices_halfhourly_2023-01_2024-05.csv")
    file = declared(
        "energy/gb_prices_halfhourly_2023-01_2024-05.csv",
        time_column="period_end_utc",
        value_column="market_gbp_mwh",
        stamp="end",
        zone="UTC",
        longest_gap_min=6000,
    )
    readings = read_signal(file, SHARED_DATA)
    start = utc_ms(datetime(2023, 1, 1))
    year = known_at(readings, start + 600 * DAY_MS, start, start + 365 * DAY_MS)
    assert year.known_steps == 365 * 288
    assert 0 < np.mean(year.mark == FILLED) < 0.02
    assert year.value_micro.mean() / MICRO == pytest.approx(93, abs=5)
