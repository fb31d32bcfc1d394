"""Snapshots: the whole state at a place in the log, by named columns, so that a restart need not replay everything."""

import hashlib
import json
import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sqlalchemy import Connection, RowMapping, delete, insert, select

from gridhall.controller.record import kernels_hash
from gridhall.controller.restore import restore
from gridhall.controller.state import ControllerState
from gridhall.ledger.malformed import Malformed
from gridhall.server.store import Database
from gridhall.server.store.tables import snapshot

log = logging.getLogger("gridhall.live")

FAST = 1
"""zlib's quickest level: most of a state is zeros."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a snapshot is, whose it is, and of what."""

    entries: int
    kernels: str
    state_hash: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state after `entries` entries and `decisions` decisions of the log, as bytes."""

    entries: int
    decisions: int
    time_ms: int
    kernels: str
    state_hash: str
    sizes: dict[str, int]
    lengths: dict[str, int]  # of each column, in the order in which they stand in `columns`
    columns: bytes

    @property
    def same_kernels(self) -> bool:
        """Whether the kernels that decided up to here are those that are running."""
        return self.kernels == kernels_hash()

    def state(self, fresh: ControllerState | None = None) -> ControllerState:
        """The state. Columns that did not exist then get their default; one that is 0 is taken from a `fresh` state.

        Raises Malformed when it was altered.
        """
        values = np.frombuffer(zlib.decompress(self.columns), dtype=np.int64)
        ends = np.cumsum(list(self.lengths.values()))[:-1]
        columns = dict(zip(self.lengths, np.split(values, ends), strict=True))
        w = restore((fresh.sizes if fresh else {}) | self.sizes, columns)
        for name, column in fresh.columns().items() if fresh else ():
            if name not in columns and not w.view(name).any():
                w.load({name: column[: len(w.view(name))]})
        if self.same_kernels and w.digest() != self.state_hash:
            raise Malformed(f"has a snapshot at {self.entries:,} entries whose state is not the one that was written")
        return w


def take(w: ControllerState, entries: int, decisions: int, time_ms: int) -> Snapshot:
    """A snapshot of a state that nothing changes meanwhile."""
    columns = w.columns()
    lengths = {name: len(values) for name, values in columns.items()}
    packed = zlib.compress(np.concatenate(list(columns.values())).tobytes(), FAST)
    return Snapshot(entries, decisions, time_ms, kernels_hash(), w.digest(), dict(w.sizes), lengths, packed)


def write(connection: Connection, taken: Snapshot) -> None:
    """Keep a snapshot; of the earlier ones only the last, and the first of every version's kernels, to replay from."""
    about = {
        "decisions": taken.decisions,
        "sizes": taken.sizes,
        "lengths": taken.lengths,
        "sha256": hashlib.sha256(taken.columns).hexdigest(),
    }
    row = {
        "entries": taken.entries,
        "time_ms": taken.time_ms,
        "kernels": taken.kernels,
        "state_hash": taken.state_hash,
        "about": json.dumps(about),
        "columns": taken.columns,
    }
    stay = {mark.entries for mark in to_keep([each for each in _marks(connection) if each.entries < taken.entries])}
    connection.execute(delete(snapshot).where(snapshot.c.entries.not_in([*stay, -1])))
    connection.execute(insert(snapshot), row)


def to_keep(marks: Sequence[Mark]) -> list[Mark]:
    """Of snapshots in order those that stay when another is taken: where other kernels begin, and the last."""
    return [mark for place, mark in enumerate(marks) if place in (0, len(marks) - 1) or _begins(marks, place)]


def _begins(marks: Sequence[Mark], place: int) -> bool:
    return marks[place].kernels != marks[place - 1].kernels


async def marks(database: Database) -> list[Mark]:
    """Every snapshot, in order."""
    async with database.read() as connection:
        return await connection.run_sync(_marks)


def _marks(connection: Connection) -> list[Mark]:
    table = snapshot.c
    found = connection.execute(select(table.entries, table.kernels, table.state_hash).order_by(table.entries))
    return [Mark(*row) for row in found]


async def last(database: Database) -> Snapshot | None:
    """The last snapshot that is whole; a damaged one costs a longer replay. Raises Malformed where all are damaged."""
    damage: Malformed | None = None
    for mark in reversed(await marks(database)):
        try:
            return await at(database, mark.entries)
        except Malformed as problem:
            log.error("%s %s", database.name, problem)
            damage = damage or problem
    if damage is not None:
        raise damage
    return None


async def at(database: Database, entries: int) -> Snapshot:
    """The snapshot after so many entries. Raises Malformed when its bytes were altered."""
    async with database.read() as connection:
        return _read((await connection.execute(select(snapshot).where(snapshot.c.entries == entries))).mappings().one())


def _read(row: RowMapping) -> Snapshot:
    about = cast("dict[str, Any]", json.loads(row["about"]))
    if hashlib.sha256(row["columns"]).hexdigest() != about["sha256"]:
        raise Malformed(f"has a damaged snapshot at {row['entries']:,} entries")
    return Snapshot(
        row["entries"],
        int(about["decisions"]),
        row["time_ms"],
        row["kernels"],
        row["state_hash"],
        about["sizes"],
        about["lengths"],
        row["columns"],
    )
