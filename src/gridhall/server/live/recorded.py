"""Recorded decisions read back from the log in bulk, as the arrays that the kernels compare.

The log's own reader (`ledger.entries.read`) checks every field of an entry; `gridhall ledger verify` uses it. Here a
million entries are read in seconds from a log whose hashes were checked: only what is needed is taken out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from pydantic_core import from_json

from gridhall.controller.events import EVENT_WIDTH
from gridhall.kernel import Ints
from gridhall.ledger.malformed import Malformed
from gridhall.scheduling.decisions import EFFECT_WIDTH

Row = list[int | str]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Decisions in a row. `seqs` are their numbers, `effects` has one row an effect, `counts` how many each has."""

    seqs: list[int]
    events: Ints
    effects: Ints
    counts: Ints
    digest: tuple[int, int]
    """The running digest after the last of them."""


class Tape:
    """Reads entries batch by batch; effects that stand before their decision are kept from one batch to the next."""

    def __init__(self) -> None:
        self._parts: list[Row] = []

    def read(self, bodies: Sequence[bytes]) -> Recorded | None:
        """The decisions among some entries; None when there is none. Raises Malformed for what is no log of ours."""
        try:
            return self._decisions([from_json(body) for body in bodies])
        except (ValueError, KeyError, TypeError) as problem:
            raise Malformed(f"holds an entry that cannot be read: {problem}") from problem

    def _decisions(self, entries: list[dict[str, Any]]) -> Recorded | None:
        decisions: list[dict[str, Any]] = []
        effects: list[list[Row]] = []
        for entry in entries:
            if entry["kind"] == "part":
                self._parts.extend(entry["effects"])
            elif entry["kind"] == "decision":
                decisions.append(entry)
                effects.append([*self._parts, *entry["effects"]] if self._parts else entry["effects"])
                self._parts = []
        if not decisions:
            return None
        low, high = decisions[-1]["digest"]
        return Recorded(
            [each["seq"] for each in decisions],
            _table([each["event"] for each in decisions], EVENT_WIDTH),
            _table(list(chain.from_iterable(effects)), EFFECT_WIDTH),
            np.array([len(rows) for rows in effects], dtype=np.int64),
            (low, high),
        )


def _table(rows: list[Row], width: int) -> Ints:
    """Rows with their trailing zeros back; integers beyond 2^53 were written as text."""
    table = np.zeros((len(rows), width), dtype=np.int64)
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    if lengths.size and int(lengths.max()) > width:
        raise ValueError(f"a row of {int(lengths.max())} integers, {width} are the most")
    values = list(chain.from_iterable(rows))
    table[np.arange(width) < lengths[:, None]] = [*map(int, values)] if str in set(map(type, values)) else values
    return table
