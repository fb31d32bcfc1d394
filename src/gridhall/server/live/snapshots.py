"""Snapshots: the whole state at a place in the log, by named columns, so that a restart need not replay everything."""

import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sqlalchemy import RowMapping, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gridhall.controller.record import kernels_hash
from gridhall.controller.state import ControllerState
from gridhall.ledger.malformed import Malformed
from gridhall.server.store import Database
from gridhall.server.store.tables import snapshot

FAST = 1
"""zlib's quickest level: most of a state is zeros."""


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

    def state(self) -> ControllerState:
        """The state. Columns that did not exist then keep their default. Raises Malformed when it was altered."""
        w = ControllerState(self.sizes)
        values = np.frombuffer(zlib.decompress(self.columns), dtype=np.int64)
        ends = np.cumsum(list(self.lengths.values()))[:-1]
        columns = dict(zip(self.lengths, np.split(values, ends), strict=True))
        w.load({name: column for name, column in columns.items() if name in w.declared})
        if self.same_kernels and w.digest() != self.state_hash:
            raise Malformed(f"has a snapshot at {self.entries:,} entries whose state is not the one that was written")
        return w


def take(w: ControllerState, entries: int, decisions: int, time_ms: int) -> Snapshot:
    """A snapshot of a state that nothing changes meanwhile."""
    columns = w.columns()
    lengths = {name: len(values) for name, values in columns.items()}
    packed = zlib.compress(np.concatenate(list(columns.values())).tobytes(), FAST)
    return Snapshot(entries, decisions, time_ms, kernels_hash(), w.digest(), dict(w.sizes), lengths, packed)


async def write(connection: AsyncConnection, taken: Snapshot) -> None:
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
    kept = select(snapshot.c.entries, snapshot.c.kernels).order_by(snapshot.c.entries)
    earlier = [(each.entries, each.kernels) for each in await connection.execute(kept) if each.entries < taken.entries]
    firsts = {kernels: place for place, kernels in reversed(earlier)}.values()
    stay = {*firsts, *(place for place, _ in earlier[-1:])}
    await connection.execute(delete(snapshot).where(snapshot.c.entries.not_in([*stay, -1])))
    await connection.execute(insert(snapshot), row)


async def last(database: Database) -> Snapshot | None:
    """The last snapshot. Raises Malformed when its bytes were altered."""
    async with database.read() as connection:
        found = await connection.execute(select(snapshot).order_by(snapshot.c.entries.desc()).limit(1))
        row = found.mappings().one_or_none()
    return None if row is None else _read(row)


async def first_of_these_kernels(database: Database) -> Snapshot | None:
    """The earliest snapshot that the running kernels wrote. Raises Malformed when its bytes were altered."""
    mine = select(snapshot).where(snapshot.c.kernels == kernels_hash()).order_by(snapshot.c.entries).limit(1)
    async with database.read() as connection:
        row = (await connection.execute(mine)).mappings().one_or_none()
    return None if row is None else _read(row)


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
