"""Recorded decisions read back from the log in bulk, as the arrays that the kernels compare.

The log's own reader (`ledger.entries.read`) checks every field of an entry; `gridhall ledger verify` uses it. Here a
million entries are read in seconds from a log whose hashes were checked: only what is needed is taken out.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from gridhall.controller.events import EVENT_WIDTH
from gridhall.kernel import Ints
from gridhall.ledger.malformed import Malformed
from gridhall.scheduling.decisions import EFFECT_WIDTH

ZEROS = [0] * max(EVENT_WIDTH, EFFECT_WIDTH)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Decisions in a row. `seqs` are their numbers, `effects` has one row an effect, `counts` how many each has."""

    seqs: list[int]
    events: Ints
    effects: Ints
    counts: Ints
    digest: tuple[int, int]
    """The running digest after the last of them."""


def read_decisions(bodies: Sequence[bytes]) -> Recorded | None:
    """The decisions among some entries; None when there is none. Raises Malformed for what is no log of ours."""
    try:
        return _taken_out([entry for entry in map(json.loads, bodies) if entry["kind"] == "decision"])
    except (ValueError, KeyError, TypeError) as problem:
        raise Malformed(f"holds an entry that cannot be read: {problem}") from problem


def _taken_out(decisions: list[dict[str, Any]]) -> Recorded | None:
    if not decisions:
        return None
    events: list[int] = []
    effects: list[int] = []
    counts: list[int] = []
    for each in decisions:
        _widen(events, each["event"], EVENT_WIDTH)
        rows = cast("list[list[int | str]]", each["effects"])
        counts.append(len(rows))
        for row in rows:
            _widen(effects, row, EFFECT_WIDTH)
    low, high = decisions[-1]["digest"]
    return Recorded(
        [each["seq"] for each in decisions],
        np.array(events, dtype=np.int64).reshape(-1, EVENT_WIDTH),
        np.array(effects, dtype=np.int64).reshape(-1, EFFECT_WIDTH),
        np.array(counts, dtype=np.int64),
        (low, high),
    )


def _widen(to: list[int], row: list[int | str], width: int) -> None:
    """Add a row with its trailing zeros back; integers beyond 2^53 were written as text."""
    if len(row) > width:
        raise ValueError(f"a row of {len(row)} integers, {width} are the most")
    to.extend(value if isinstance(value, int) else int(value) for value in row)
    to.extend(ZEROS[: width - len(row)])
