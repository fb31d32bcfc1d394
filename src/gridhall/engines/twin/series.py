"""Prices and carbon intensity over time: a constant, a recorded file or a labelled synthetic shape.

Every series is sampled on one grid of 15-minute slots, the shortest settlement period in use. A recorded year can stand
for another one: times are moved by whole multiples of 52 weeks, which keeps weekdays, hours and (almost) the season.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, cast
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, field_validator

from gridhall.errors import fault
from gridhall.fleet.figures import Part
from gridhall.units import DAY_MS, HOUR_MS, MINUTE_MS, known_zone, utc_ms

SLOT_MS = 15 * MINUTE_MS
YEAR_OF_WEEKS_MS = 364 * DAY_MS

Basis = Literal["measured", "published", "assumed", "synthetic"]
Floats = NDArray[np.float64]


class ConstantSeries(Part):
    """The same value at all times."""

    kind: Literal["constant"]
    value: float
    basis: Literal["published", "assumed"] = "assumed"
    source: str = ""


class FileSeries(Part):
    """A CSV file with one time column and one value column; `zone` is read where the times carry no offset.

    `stamp` says whether a row's time is the start or the end of its period of `resolution_min` minutes. Missing values
    and gaps take the value before them, and the share filled is reported.
    """

    kind: Literal["file"]
    path: str
    time_column: str
    value_column: str
    zone: str = "UTC"
    resolution_min: int = Field(ge=1, le=1440)
    stamp: Literal["start", "end"] = "start"
    repeat: bool = True  # let a recorded year stand for another one
    basis: Literal["measured", "published"] = "measured"
    source: str = Field(min_length=1)  # the attribution to print

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        return known_zone(zone)


class SyntheticSeries(Part):
    """A mean with the shape of a day, a season and noise; made from the seed, and labelled synthetic."""

    kind: Literal["synthetic"]
    mean: float
    day_swing: float = 0.0  # half of the difference between the 18 h peak and the night, in the series' unit
    season_swing: float = 0.0  # half of the difference between January and July
    noise: float = 0.0  # standard deviation of an hourly noise that remembers 0.9 of the hour before
    source: str = ""


Series = Annotated[ConstantSeries | FileSeries | SyntheticSeries, Field(discriminator="kind")]


@dataclass(frozen=True)
class Sampled:
    """A series on the slots of a run, what it rests on and the share of slots that had to be filled."""

    start_ms: int
    values: Floats
    basis: Basis
    source: str
    filled: float

    def at(self, times_ms: NDArray[np.int64]) -> Floats:
        """Values of the slots that hold the given times."""
        return self.values[np.clip((times_ms - self.start_ms) // SLOT_MS, 0, len(self.values) - 1)]


def sample(series: Series, start_ms: int, end_ms: int, seed: int, base: Path) -> Sampled:
    """The series on every slot from `start_ms` to `end_ms`; paths are read from the folder `base`.

    Raises InputError for a file that cannot be read, lacks a column or does not cover the run.
    """
    slots = np.arange(start_ms, end_ms, SLOT_MS, dtype=np.int64)
    if isinstance(series, ConstantSeries):
        values = np.full(len(slots), series.value)
        return Sampled(start_ms, values, series.basis, series.source, 0.0)
    if isinstance(series, SyntheticSeries):
        return Sampled(start_ms, _synthetic(series, slots, seed), "synthetic", series.source, 0.0)
    return _recorded(series, slots, base / series.path)


def _synthetic(series: SyntheticSeries, slots: NDArray[np.int64], seed: int) -> Floats:
    hour = slots % DAY_MS / HOUR_MS
    day = slots // DAY_MS % 365.25
    shape = series.day_swing * np.cos((hour - 18) / 24 * 2 * math.pi)
    season = series.season_swing * np.cos((day - 15) / 365.25 * 2 * math.pi)
    return series.mean + shape + season + series.noise * _noise(slots, seed)


def _noise(slots: NDArray[np.int64], seed: int) -> Floats:
    hours = (slots - slots[0]) // HOUR_MS
    shocks = np.random.Generator(np.random.Philox(key=[seed, 0x5E41E5])).standard_normal(int(hours[-1]) + 1)
    level = 0.0
    levels = np.empty(len(shocks))
    for index, shock in enumerate(shocks):
        level = 0.9 * level + math.sqrt(1 - 0.81) * float(shock)
        levels[index] = level
    return levels[hours]


def _recorded(series: FileSeries, slots: NDArray[np.int64], path: Path) -> Sampled:
    times, values = _read(series, path)
    wanted = slots + _shift(series, times, slots, path)
    row = np.searchsorted(times, wanted, side="right") - 1
    known = (row >= 0) & (row < len(times))
    stale = ~known | (wanted - times[np.maximum(row, 0)] >= series.resolution_min * MINUTE_MS)
    if stale.mean() > 0.25:
        problem = f"{stale.mean():.0%} of the run lies outside the file's times"
        raise fault(str(path), series.time_column, problem, "give a longer file, or a start and end that it covers")
    return Sampled(int(slots[0]), values[np.maximum(row, 0)], series.basis, series.source, float(stale.mean()))


def _shift(series: FileSeries, times: NDArray[np.int64], slots: NDArray[np.int64], path: Path) -> int:
    """Whole 52-week years to add so that the run's start falls into the file."""
    if not series.repeat:
        return 0
    years = math.ceil((int(times[0]) - int(slots[0])) / YEAR_OF_WEEKS_MS)
    return years * YEAR_OF_WEEKS_MS


def _read(series: FileSeries, path: Path) -> tuple[NDArray[np.int64], Floats]:
    try:
        table = pl.read_csv(path, infer_schema_length=0)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise fault(str(path), "", f"cannot be read as CSV: {error}", "give a readable CSV file") from error
    for column in (series.time_column, series.value_column):
        if column not in table.columns:
            mend = f"name one of {', '.join(table.columns)}"
            raise fault(str(path), column, "the file has no such column", mend)
    table = table.filter(pl.col(series.value_column).str.strip_chars() != "")
    zone = ZoneInfo(series.zone)
    back = series.resolution_min * MINUTE_MS if series.stamp == "end" else 0
    times = [_moment(text, zone, path, row) - back for row, text in enumerate(_texts(table, series.time_column), 2)]
    values = [_number(text, path, series, row) for row, text in enumerate(_texts(table, series.value_column), 2)]
    if not times:
        raise fault(str(path), series.value_column, "holds no value", "give a file with at least one row")
    order = np.argsort(np.array(times, dtype=np.int64), kind="stable")
    return np.array(times, dtype=np.int64)[order], np.array(values)[order]


def _texts(table: pl.DataFrame, column: str) -> list[str]:
    return cast("list[str]", table[column].to_list())


def _moment(text: str, zone: ZoneInfo, path: Path, row: int) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        problem = f"{text!r} is no date and time"
        raise fault(f"{path} row {row}", "time", problem, "write times as 2026-01-31T12:00:00Z") from error
    return utc_ms(moment if moment.tzinfo else moment.replace(tzinfo=zone).astimezone(UTC))


def _number(text: str, path: Path, series: FileSeries, row: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise fault(f"{path} row {row}", series.value_column, f"{text!r} is no number", "write a plain number")
    return value
