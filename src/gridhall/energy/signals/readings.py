"""Readings: the values of a signal as they were published, checked row by row.

A period may be published more than once (a forecast, then its revision); every version is kept with its own instant of
publication, and the latest one known counts. Anything that would make the series ambiguous is refused with its row.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gridhall.errors import Fault, InputError
from gridhall.units import MICRO, MINUTE_MS, iso_utc

Ints = NDArray[np.int64]
Unit = Literal["GBP/MWh", "EUR/MWh", "USD/MWh", "g/kWh"]
Basis = Literal["measured", "published", "assumed", "synthetic"]

MOST_FAULTS = 20
LARGEST = 1_000_000
"""No price or intensity is larger, in the unit of the file: a slip of the pen."""


@dataclass(frozen=True)
class Row:
    """One published value. `row` is where it stands in its source; `value` None stands for an empty cell."""

    row: int
    start_ms: int
    value: float | None
    published_ms: int


@dataclass(frozen=True)
class Readings:
    """A checked signal: columns of equal length, in order of period and then of publication.

    Values are micro-units of `unit`. A period of `period_ms` without a row is a gap.
    """

    unit: Unit
    period_ms: int
    start_ms: Ints
    value_micro: Ints
    published_ms: Ints
    basis: Basis
    source: str


def readings_of(
    rows: Sequence[Row],
    unit: Unit,
    period_min: int,
    where: str,
    longest_gap_min: int = 0,
    basis: Basis = "published",
    source: str = "",
) -> Readings:
    """Rows in the order of their source as readings.

    Empty cells and missing rows are gaps: accepted up to `longest_gap_min` minutes, refused beyond. Raises InputError
    with every fault, at most the first twenty: row, field, problem and mend.
    """
    period_ms = period_min * MINUTE_MS
    held = [row for row in rows if row.value is not None]
    faults = [*_values(held, where), *_order(rows, period_ms, where), *_gaps(held, period_ms, where, longest_gap_min)]
    if not held:
        faults = [Fault(where, "value", "holds no value", "give at least one row with a value")]
    if faults:
        raise InputError(faults[:MOST_FAULTS])
    held.sort(key=lambda row: (row.start_ms, row.published_ms))
    columns = [(row.start_ms, round((row.value or 0.0) * MICRO), row.published_ms) for row in held]
    starts, values, published = np.array(columns, dtype=np.int64).T.copy()
    return Readings(unit, period_ms, starts, values, published, basis, source)


def _values(rows: Sequence[Row], where: str) -> list[Fault]:
    faults: list[Fault] = []
    for row in rows:
        value = row.value or 0.0
        if not math.isfinite(value):
            mend = "write a number, or leave the cell empty and allow a gap"
            faults.append(Fault(f"{where} row {row.row}", "value", f"{value} is no number", mend))
        elif abs(value) > LARGEST:
            mend = f"write a number between -{LARGEST:,} and {LARGEST:,}, in the unit declared"
            faults.append(Fault(f"{where} row {row.row}", "value", f"{value:g} is too large", mend))
    return faults


def _order(rows: Sequence[Row], period_ms: int, where: str) -> list[Fault]:
    faults: list[Fault] = []
    for before, row in pairwise(rows):
        found = _misplaced(before, row, period_ms)
        if found:
            problem, mend = found
            faults.append(Fault(f"{where} row {row.row}", "time", problem, mend))
    return faults


def _misplaced(before: Row, row: Row, period_ms: int) -> tuple[str, str] | None:
    """What is wrong with the place of a row after the one before it, and the mend."""
    step_ms = row.start_ms - before.start_ms
    if step_ms < 0:
        return f"{iso_utc(row.start_ms)} comes after {iso_utc(before.start_ms)}: unsorted", "sort the rows by time"
    if step_ms == 0 and row.published_ms <= before.published_ms:
        return f"{iso_utc(row.start_ms)} stands twice", "keep one row, or say when each version was published"
    if 0 < step_ms < period_ms:
        problem = f"starts {step_ms // MINUTE_MS} min after the row before: periods overlap"
        return problem, f"declare the true resolution (now {period_ms // MINUTE_MS} min), or drop the row"
    if step_ms % period_ms:
        return f"{iso_utc(row.start_ms)} is no whole number of periods after the row before", "mend the row's time"
    return None


def _gaps(held: Sequence[Row], period_ms: int, where: str, longest_gap_min: int) -> list[Fault]:
    faults: list[Fault] = []
    for before, row in pairwise(held):
        gap_min = (row.start_ms - before.start_ms - period_ms) // MINUTE_MS
        if gap_min > longest_gap_min:
            problem = f"{gap_min} min without a value before {iso_utc(row.start_ms)}"
            mend = f"give the missing values, or allow the gap: longest_gap_min: {gap_min}"
            faults.append(Fault(f"{where} row {row.row}", "value", problem, mend))
    return faults
