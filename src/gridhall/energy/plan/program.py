"""A linear program under construction: columns and rows are added in blocks, mostly of one entry for each time step.

The blocks stay known, so that a program of few long steps and one of many short steps can be laid over each other.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

Term = tuple[Ints, Floats | float]
"""One entry in each row of a block: its column, and its factor. With one column fewer it is left out of the first row:
the value of the step before."""


@dataclass(frozen=True)
class Program:
    """Minimise cost x over low <= x <= high and row_low <= A x <= row_high; `matrix` is A in compressed columns."""

    cost: Floats
    low: Floats
    high: Floats
    row_low: Floats
    row_high: Floats
    matrix: Any
    column_blocks: tuple[Ints, ...]
    row_blocks: tuple[Ints, ...]


class Draft:
    """Collects blocks of columns and rows."""

    def __init__(self) -> None:
        self._columns: list[tuple[Floats, Floats, Floats]] = []
        self._rows: list[tuple[Floats, Floats]] = []
        self._entries: list[tuple[Ints, Ints, Floats]] = []
        self._column_blocks: list[Ints] = []
        self._row_blocks: list[Ints] = []

    def columns(self, count: int, low: Floats | float, high: Floats | float, cost: Floats | float) -> Ints:
        """Adds `count` variables and gives their numbers."""
        self._columns.append((_spread(low, count), _spread(high, count), _spread(cost, count)))
        return _next_block(self._column_blocks, count)

    def rows(self, count: int, low: Floats | float, high: Floats | float, *terms: Term) -> Ints:
        """Adds `count` rows and gives their numbers."""
        numbers = _next_block(self._row_blocks, count)
        self._rows.append((_spread(low, count), _spread(high, count)))
        for columns, factor in terms:
            first = count - len(columns)
            self._entries.append((numbers[first:], columns, _spread(factor, count)[first:]))
        return numbers

    def program(self) -> Program:
        """The program as arrays."""
        from scipy.sparse import csc_array  # pyright: ignore[reportMissingTypeStubs]

        low, high, cost = (np.concatenate(parts) for parts in zip(*self._columns, strict=True))
        row_low, row_high = (np.concatenate(parts) for parts in zip(*self._rows, strict=True))
        row, column, factor = (np.concatenate(parts) for parts in zip(*self._entries, strict=True))
        matrix: Any = csc_array((factor, (row, column)), shape=(len(row_low), len(low)))
        blocks = tuple(self._column_blocks), tuple(self._row_blocks)
        return Program(cost, low, high, row_low, row_high, matrix, *blocks)


def _next_block(blocks: list[Ints], count: int) -> Ints:
    start = int(blocks[-1][-1]) + 1 if blocks else 0
    blocks.append(np.arange(start, start + count))
    return blocks[-1]


def _spread(value: Floats | float, count: int) -> Floats:
    return np.broadcast_to(np.asarray(value, dtype=np.float64), (count,))
