"""Recovering: the world as the store holds it, and the proof that the log leads to it.

The state is that of the last snapshot, with every decision after it fed to `step` again: each effect must come out as
it was recorded. Jobs, attempts and resources are read from their tables, which were written with the log.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from gridhall.controller.feed import feed_and_compare
from gridhall.controller.record import kernels_hash
from gridhall.controller.state import ControllerState
from gridhall.engines.protocol import Place
from gridhall.errors import InputError, fault
from gridhall.ledger.log import Log, open_log
from gridhall.ledger.malformed import Malformed
from gridhall.server.live import snapshots
from gridhall.server.live.draft import OrderRow
from gridhall.server.live.recorded import Tape
from gridhall.server.live.snapshots import Snapshot
from gridhall.server.live.work import Attempt, Job
from gridhall.server.live.world import Directory, Resource, World
from gridhall.server.store import Database, tables
from gridhall.server.store.log_rows import LogRows

BATCH = 4096
MEND = "restore a backup (docs/backup.md); the log is not touched"


@dataclass(frozen=True, slots=True)
class Recovered:
    """The world, the log that leads to it, and what was in the outbox.

    `replayed` is the number of decisions fed; `same_kernels` says whether the last segment's kernels run here;
    `snapshot_ms` is the time of the snapshot.
    """

    world: World
    log: Log
    orders: tuple[OrderRow, ...]
    replayed: int
    same_kernels: bool
    snapshot_ms: int


async def recover(database: Database, first: World) -> Recovered | None:
    """The world of a store; None when nothing was ever decided. `first` is the world before any decision.

    Raises InputError when log and state do not agree.
    """
    try:
        log = await open_log(LogRows(database))
        snapshot = await snapshots.last(database)
        if snapshot is None:
            if log.size:
                raise Malformed("has entries but no snapshot to begin with")
            return None
        state, decisions = await _replay_tail(database, snapshot, first.state, log.size)
    except Malformed as problem:
        raise fault(database.name, "log", f"the log {problem}", MEND) from problem
    jobs = await _jobs(database)
    orders = await _orders(database)
    world = World(
        first.fleet,
        state,
        jobs,
        await _directory(database),
        first.epoch,
        1 + max([0, *(order.number for order in orders)]),
        decisions,
    )
    world.job_of_id.update({job.id: job.number for job in jobs.values()})
    return Recovered(world, log, orders, decisions - snapshot.decisions, snapshot.same_kernels, snapshot.time_ms)


async def _replay_tail(
    database: Database, snapshot: Snapshot, fresh: ControllerState, size: int
) -> tuple[ControllerState, int]:
    """The state after every entry, and the number of decisions in all."""
    rows, tape, state, decisions = LogRows(database), Tape(), snapshot.state(fresh), snapshot.decisions
    for first in range(snapshot.entries, size, BATCH):
        tail = tape.read(await rows.entries(first, min(first + BATCH, size)))
        if tail is None:
            continue
        state, differs = feed_and_compare(state, tail.events, tail.effects, tail.counts)
        if differs >= 0:
            raise _mismatch(snapshot, tail.seqs[differs], database.name)
        decisions = tail.seqs[-1] + 1
    return state, decisions


def _mismatch(snapshot: Snapshot, seq: int, name: str) -> InputError:
    if snapshot.kernels != kernels_hash():
        problem = f"decision {seq:,} was made by another version, which was not shut down; this one differs"
        return fault(name, "log", problem, "start the earlier version once and stop it: that closes its segment")
    return fault(name, "log", f"decision {seq:,} does not follow from the state before it", MEND)


async def _jobs(database: Database) -> dict[int, Job]:
    """The jobs that the core holds, each with its open attempt."""
    async with database.read() as connection:
        found = await connection.execute(select(tables.job).where(tables.job.c.slot >= 0))
        jobs = {row["number"]: Job(**row) for row in found.mappings()}
        opened = await connection.execute(select(tables.attempt).where(tables.attempt.c.ended_ms == 0))
        for row in opened.mappings():
            jobs[row["job"]].open_attempt = read_attempt(row)
    return jobs


def read_attempt(row: Mapping[Any, Any]) -> Attempt:
    """An attempt from its row."""
    places = tuple(Place(site, node, tuple(gpus), row["gpu_milli"]) for site, node, gpus in json.loads(row["places"]))
    values: dict[str, Any] = {**row, "places": places}
    return Attempt(**values)


async def _orders(database: Database) -> tuple[OrderRow, ...]:
    async with database.read() as connection:
        found = await connection.execute(select(tables.outbox).order_by(tables.outbox.c.number))
        return tuple(OrderRow(**{**row, "body": json.loads(row["body"])}) for row in found.mappings())


async def _directory(database: Database) -> Directory:
    async with database.read() as connection:
        found = await connection.execute(select(tables.resource).order_by(tables.resource.c.created_ms))
        return Directory(
            Resource(**{**row, "spec": json.loads(row["spec"]), "status": json.loads(row["status"])})
            for row in found.mappings()
        )
