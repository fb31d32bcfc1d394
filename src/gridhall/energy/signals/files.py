"""Signals from CSV and parquet files, read as a declaration says. The one file of this folder that opens files.

The declaration states what a file cannot say of itself: unit, resolution, time zone, whether a time is the start or
the end of its period, and when its values became known.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal, cast
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import Field, field_validator

from gridhall.energy.signals.clock import local_instants
from gridhall.energy.signals.readings import Basis, Readings, Row, Unit, readings_of
from gridhall.errors import fault
from gridhall.fleet.figures import Part
from gridhall.units import MINUTE_MS, known_zone, utc_ms

FIRST_ROW = 2
"""Row of a CSV file's first value: the names stand in row 1."""


class DayAhead(Part):
    """Every value of a local day becomes known on the day before, at `hour` o'clock of the file's zone."""

    kind: Literal["day-ahead"]
    hour: int = Field(ge=0, le=23)


class Lag(Part):
    """A value becomes known `minutes` after the end of its period."""

    kind: Literal["lag"]
    minutes: int = Field(ge=0, le=100_000)


class Column(Part):
    """A column of the file says when each value became known."""

    kind: Literal["column"]
    column: str


Publication = Annotated[DayAhead | Lag | Column, Field(discriminator="kind")]


class SignalFile(Part):
    """A file with a column of times and a column of values; times without an offset are local to `zone`.

    Empty cells and missing rows are gaps, refused when longer than `longest_gap_min`.
    """

    path: str
    time_column: str
    value_column: str
    unit: Unit
    resolution_min: int = Field(ge=5, le=1440, multiple_of=5)
    zone: str
    stamp: Literal["start", "end"] = "start"
    published: Publication
    longest_gap_min: int = Field(default=0, ge=0)
    basis: Basis = "measured"
    source: str = Field(min_length=1)  # the attribution to print

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        return known_zone(zone)


def read_signal(declared: SignalFile, base: Path) -> Readings:
    """The file's readings; its path is read from the folder `base`. Raises InputError with every fault."""
    path = base / declared.path
    table = _table(path)
    starts = _starts(declared, table, path)
    values = _values(declared, table, path)
    published = _published(declared, table, starts, path)
    rows = [Row(row, *cells) for row, cells in enumerate(zip(starts, values, published, strict=True), FIRST_ROW)]
    return readings_of(
        rows,
        declared.unit,
        declared.resolution_min,
        str(path),
        declared.longest_gap_min,
        declared.basis,
        declared.source,
    )


def _table(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema_length=0)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise fault(str(path), "", f"cannot be read: {error}", "give a readable CSV or parquet file") from error


def _cells(table: pl.DataFrame, column: str, path: Path) -> Sequence[object]:
    if column not in table.columns:
        raise fault(str(path), column, "the file has no such column", f"name one of {', '.join(table.columns)}")
    return cast("list[object]", table[column].to_list())


def _starts(declared: SignalFile, table: pl.DataFrame, path: Path) -> list[int]:
    zone = ZoneInfo(declared.zone)
    cells = _cells(table, declared.time_column, path)
    moments = [_moment(cell, path, declared.time_column, row) for row, cell in enumerate(cells, FIRST_ROW)]
    back_ms = declared.resolution_min * MINUTE_MS if declared.stamp == "end" else 0
    starts: list[int] = []
    for row, instant in enumerate(local_instants(moments, zone), FIRST_ROW):
        if instant is None:
            problem = f"{moments[row - FIRST_ROW]} never happens in {declared.zone}: the clock jumps over it"
            raise fault(f"{path} row {row}", declared.time_column, problem, "drop the row, or write times in UTC")
        starts.append(instant - back_ms)
    return starts


def _moment(cell: object, path: Path, column: str, row: int) -> datetime:
    if isinstance(cell, datetime):
        return cell
    try:
        return datetime.fromisoformat(str(cell).strip())
    except ValueError as error:
        problem = f"{cell!r} is no date and time"
        raise fault(f"{path} row {row}", column, problem, "write times as 2026-01-31T12:00:00Z") from error


def _values(declared: SignalFile, table: pl.DataFrame, path: Path) -> list[float | None]:
    cells = _cells(table, declared.value_column, path)
    return [_number(cell, path, declared.value_column, row) for row, cell in enumerate(cells, FIRST_ROW)]


def _number(cell: object, path: Path, column: str, row: int) -> float | None:
    text = "" if cell is None else str(cell).strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError as error:
        raise fault(f"{path} row {row}", column, f"{text!r} is no number", "write a plain number") from error


def _published(declared: SignalFile, table: pl.DataFrame, starts: Sequence[int], path: Path) -> list[int]:
    rule = declared.published
    if isinstance(rule, Lag):
        late_ms = (declared.resolution_min + rule.minutes) * MINUTE_MS
        return [start + late_ms for start in starts]
    if isinstance(rule, DayAhead):
        return _day_before(starts, rule.hour, ZoneInfo(declared.zone))
    cells = _cells(table, rule.column, path)
    moments = [_moment(cell, path, rule.column, row) for row, cell in enumerate(cells, FIRST_ROW)]
    zone = ZoneInfo(declared.zone)
    return [utc_ms(moment if moment.tzinfo else moment.replace(tzinfo=zone)) for moment in moments]


def _day_before(starts: Sequence[int], hour: int, zone: ZoneInfo) -> list[int]:
    days: dict[date, int] = {}
    published: list[int] = []
    for start in starts:
        day = datetime.fromtimestamp(start / 1000, zone).date()
        if day not in days:
            days[day] = utc_ms(datetime.combine(day - timedelta(days=1), time(hour), zone))
        published.append(days[day])
    return published
