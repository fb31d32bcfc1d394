"""Snapshots: the whole state at a place in the log, by named columns, so that a restart need not replay everything."""

import hashlib
import io
import json
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gridhall.controller.record import kernels_hash
from gridhall.controller.state import ControllerState
from gridhall.controller.state import snapshot as columns_of
from gridhall.ledger.malformed import Malformed
from gridhall.server.store import Database
from gridhall.server.store.tables import snapshot

KEPT = 3


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state after `entries` entries and `decisions` decisions of the log, as bytes."""

    entries: int
    decisions: int
    time_ms: int
    kernels: str
    state_hash: str
    sizes: dict[str, int]
    columns: bytes

    @property
    def same_kernels(self) -> bool:
        """Whether the kernels that decided up to here are those that are running."""
        return self.kernels == kernels_hash()

    def state(self) -> ControllerState:
        """The state. Columns that did not exist then keep their default. Raises Malformed when it was altered."""
        w = ControllerState(self.sizes)
        with np.load(io.BytesIO(self.columns)) as columns:
            w.load({name: columns[name] for name in columns.files if name in w.declared})
        if self.same_kernels and w.digest() != self.state_hash:
            raise Malformed(f"has a snapshot at {self.entries:,} entries whose state is not the one that was written")
        return w


def take(w: ControllerState, entries: int, decisions: int, time_ms: int) -> Snapshot:
    """A snapshot of a state that nothing changes meanwhile."""
    packed = io.BytesIO()
    columns: dict[str, Any] = dict(columns_of(w))
    np.savez_compressed(packed, **columns)
    return Snapshot(entries, decisions, time_ms, kernels_hash(), w.digest(), dict(w.sizes), packed.getvalue())


async def write(connection: AsyncConnection, taken: Snapshot) -> None:
    """Keep a snapshot, and only the last few."""
    about = {"sizes": taken.sizes, "decisions": taken.decisions, "sha256": hashlib.sha256(taken.columns).hexdigest()}
    row = {
        "entries": taken.entries,
        "time_ms": taken.time_ms,
        "kernels": taken.kernels,
        "state_hash": taken.state_hash,
        "about": json.dumps(about),
        "columns": taken.columns,
    }
    places = select(snapshot.c.entries).order_by(snapshot.c.entries.desc())
    kept = list((await connection.execute(places)).scalars())[: KEPT - 1]
    await connection.execute(delete(snapshot).where(snapshot.c.entries.not_in([*kept, -1])))
    await connection.execute(delete(snapshot).where(snapshot.c.entries == taken.entries))
    await connection.execute(insert(snapshot), row)


async def last(database: Database) -> Snapshot | None:
    """The last snapshot. Raises Malformed when its bytes were altered."""
    async with database.read() as connection:
        found = await connection.execute(select(snapshot).order_by(snapshot.c.entries.desc()).limit(1))
        row = found.mappings().one_or_none()
    if row is None:
        return None
    about = cast("dict[str, Any]", json.loads(row["about"]))
    if hashlib.sha256(row["columns"]).hexdigest() != about["sha256"]:
        raise Malformed(f"has a damaged snapshot at {row['entries']:,} entries")
    sizes = {name: int(size) for name, size in about["sizes"].items()}
    return Snapshot(
        row["entries"],
        int(about["decisions"]),
        row["time_ms"],
        row["kernels"],
        row["state_hash"],
        sizes,
        row["columns"],
    )
