"""One controller leads a store at a time: it holds a lock while it lives, and an epoch that grows with every lead.

The lock (a file beside SQLite, an advisory lock in PostgreSQL) falls when its holder dies, however it dies. The epoch
guards against a holder that lost its lock and does not know: its transactions end with LostLead.
"""

import asyncio
import contextlib
import fcntl
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from gridhall.errors import fault
from gridhall.server.store.database import Database
from gridhall.server.store.migrate import migrate
from gridhall.server.store.tables import leader

LOCK_NUMBER = 0x67726964  # "grid": the advisory lock's name in PostgreSQL

LONGEST_NAME = 400
TRIES, TRY_S = 10, 0.1
"""The lock of a server that was killed stands until a child that it was just starting has become itself."""


class LostLead(Exception):
    """Another controller leads this store by now."""


@dataclass
class Lead:
    """The lead over a store, until it is given up."""

    epoch: int
    _lock: int | None
    _connection: AsyncConnection | None

    async def alive(self) -> bool:
        """Whether the lock is still held."""
        if self._connection is None:
            return self._lock is not None and os.fstat(self._lock).st_nlink > 0
        try:
            await self._connection.execute(text("SELECT 1"))
        except Exception:
            return False
        return True

    async def give_up(self) -> None:
        """Let another lead."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if self._connection is not None:
            with contextlib.suppress(Exception):  # it may be broken; then the lock has fallen already
                await self._connection.invalidate()
            await self._connection.close()


async def take_lead(database: Database, now_ms: int) -> Lead:
    """Lead a store under the next epoch, with its tables brought up to date before it is used.

    Raises InputError when another controller that lives leads it, or a later version has led it.
    """
    holder = f"process {os.getpid()} on {socket.gethostname()}"
    lock = await _lock_file(database.file, holder) if database.file is not None else None
    connection = None if lock is not None else await _lock_row(database)
    lead = Lead(0, lock, connection)
    try:
        lead.epoch = await database.write(lambda connection: _begin_epoch(connection, database.name, holder, now_ms))
    except BaseException:
        await lead.give_up()
        raise
    return lead


def _begin_epoch(transaction: Connection, name: str, holder: str, now_ms: int) -> int:
    migrate(transaction, name)
    last = (transaction.execute(select(leader.c.epoch))).scalar_one_or_none()
    epoch = (last or 0) + 1
    values = {"epoch": epoch, "holder": holder, "beat_ms": now_ms}
    transaction.execute(insert(leader).values(id=1, **values) if last is None else update(leader).values(values))
    return epoch


def stay_leader(connection: Connection, epoch: int, now_ms: int) -> None:
    """Make a transaction one of the leader's. Raises LostLead when the epoch is not the last one."""
    done = connection.execute(update(leader).where(leader.c.epoch == epoch).values(beat_ms=now_ms))
    if done.rowcount != 1:
        raise LostLead(f"epoch {epoch} is over: another controller leads this store")


async def _lock_file(path: Path, holder: str) -> int:
    """The descriptor of the lock, which stands as long as it is open."""
    lock = os.open(path.with_name(path.name + ".lead"), os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(TRY_S)
        else:
            os.ftruncate(lock, 0)
            os.pwrite(lock, holder.encode(), 0)
            return lock
    other = os.pread(lock, LONGEST_NAME, 0).decode(errors="replace").strip() or "another process"
    os.close(lock)
    raise fault(str(path), "", f"{other} leads this store", "stop it first, or give --folder another folder")


async def _lock_row(database: Database) -> AsyncConnection:
    connection = await database.connect()
    await connection.execution_options(isolation_level="AUTOCOMMIT")  # no transaction stays open with the lock
    for _ in range(TRIES):
        if (await connection.execute(text(f"SELECT pg_try_advisory_lock({LOCK_NUMBER})"))).scalar_one():
            return connection
        await asyncio.sleep(TRY_S)
    holder = None
    with contextlib.suppress(DBAPIError):  # it has just begun, and its tables are not there yet
        holder = (await connection.execute(select(leader.c.holder))).scalar_one_or_none()
    await connection.close()
    raise fault(database.name, "", f"{holder or 'another server'} leads this store", "stop it first")
