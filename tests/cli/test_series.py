"""Prices and carbon over time: constants, recorded files and labelled shapes."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from gridhall.engines.twin.series import SLOT_MS, ConstantSeries, FileSeries, SyntheticSeries, sample
from gridhall.errors import InputError
from gridhall.units import DAY_MS, HOUR_MS, utc_ms
from tests.shared import shared

START = utc_ms(date(2026, 3, 1))


def recorded(tmp_path: Path, rows: str, **changes: object) -> FileSeries:
    (tmp_path / "prices.csv").write_text("time,price\n" + rows)
    values = {"path": "prices.csv", "time_column": "time", "value_column": "price", "resolution_min": 60, "source": "x"}
    return FileSeries.model_validate({"kind": "file", **values, **changes})


def test_a_constant_fills_every_quarter_of_an_hour() -> None:
    sampled = sample(ConstantSeries(kind="constant", value=5), START, START + DAY_MS, 1, Path())
    assert sampled.values.tolist() == [5.0] * 96


def test_an_hourly_price_holds_for_its_four_slots(tmp_path: Path) -> None:
    series = recorded(tmp_path, "2026-03-01T00:00Z,10\n2026-03-01T01:00Z,20\n")
    sampled = sample(series, START, START + 2 * HOUR_MS, 1, tmp_path)
    assert sampled.values.tolist() == [10.0] * 4 + [20.0] * 4
    assert sampled.filled == 0


def test_a_stamp_at_the_end_of_its_period_is_moved_to_the_start(tmp_path: Path) -> None:
    series = recorded(tmp_path, "2026-03-01T01:00Z,10\n2026-03-01T02:00Z,20\n", stamp="end")
    assert sample(series, START, START + 2 * HOUR_MS, 1, tmp_path).values[0] == 10


def test_times_without_offset_are_read_in_the_named_zone(tmp_path: Path) -> None:
    rows = "2026-03-01 01:00,10\n2026-03-01 02:00,20\n"
    series = recorded(tmp_path, rows, zone="Europe/Oslo")
    assert sample(series, START, START + 2 * HOUR_MS, 1, tmp_path).values[0] == 10


def test_a_recorded_year_stands_for_another_on_the_same_weekday_and_hour(tmp_path: Path) -> None:
    first = utc_ms(date(2024, 3, 3))  # 2 x 364 days before 2026-03-01, a Sunday as well
    rows = "".join(f"{np.datetime64(first + h * HOUR_MS, 'ms')}Z,{h}\n" for h in range(24))
    sampled = sample(recorded(tmp_path, rows), START, START + DAY_MS, 1, tmp_path)
    assert sampled.values[::4].tolist() == list(range(24))


def test_a_gap_takes_the_value_before_it_and_is_counted(tmp_path: Path) -> None:
    rows = "".join(f"2026-03-01T{h:02d}:00Z,{h}\n" for h in range(10) if h != 4)
    sampled = sample(recorded(tmp_path, rows), START, START + 10 * HOUR_MS, 1, tmp_path)
    assert sampled.at(np.array([START + 4 * HOUR_MS]))[0] == 3
    assert sampled.filled == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("2026-03-01T00:00Z,ten\n", "row 2"),
        ("yesterday,10\n", "row 2"),
        ("2026-03-01T00:00Z,10\n", "outside"),
        ("", "no value"),
    ],
)
def test_a_file_that_cannot_carry_the_run_is_refused(tmp_path: Path, rows: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        sample(recorded(tmp_path, rows), START, START + DAY_MS, 1, tmp_path)


def test_a_missing_column_names_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="time, price"):
        sample(recorded(tmp_path, "2026-03-01T00:00Z,10\n", value_column="cost"), START, START + DAY_MS, 1, tmp_path)


def test_a_synthetic_shape_has_its_mean_and_its_evening_peak_and_follows_the_seed() -> None:
    series = SyntheticSeries(kind="synthetic", mean=80, day_swing=20, noise=5)
    one = sample(series, START, START + 364 * DAY_MS, 1, Path())
    again = sample(series, START, START + 364 * DAY_MS, 1, Path())
    other = sample(series, START, START + 364 * DAY_MS, 2, Path())
    assert one.values.tolist() == again.values.tolist()
    assert one.values.tolist() != other.values.tolist()
    assert one.basis == "synthetic"
    assert one.values.mean() == pytest.approx(80, abs=1.5)
    by_hour = one.values.reshape(-1, DAY_MS // SLOT_MS).mean(axis=0)
    assert abs(np.argmax(by_hour) / 4 - 18) <= 0.5


def test_a_real_year_of_british_prices_can_stand_for_2026() -> None:
    path = shared("energy/gb_prices_halfhourly_2023-01_2024-05.csv")
    series = FileSeries(
        kind="file",
        path=path.name,
        time_column="period_end_utc",
        value_column="market_gbp_mwh",
        resolution_min=30,
        stamp="end",
        source="Elexon",
    )
    sampled = sample(series, utc_ms(date(2026, 1, 1)), utc_ms(date(2026, 12, 1)), 1, path.parent)
    assert sampled.filled < 0.02
    assert 60 < sampled.values.mean() < 140
