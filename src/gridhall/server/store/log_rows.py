"""The log in the database: a `LogReader` over its tables, and the writing of an append inside an open transaction."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select

from gridhall.ledger.store import Append
from gridhall.server.store.database import Database
from gridhall.server.store.insert import insert_rows
from gridhall.server.store.tables import checkpoint, entry, tile


def write_append(connection: Connection, append: Append, note: str, time_ms: int) -> None:
    """Write entries, full tiles and the checkpoint. An append without entries writes nothing."""
    if not append.bodies:
        return
    rows = [{"place": append.first + place, "body": body} for place, body in enumerate(append.bodies)]
    insert_rows(connection, entry, rows)
    tiles = [{"level": each.level, "place": each.index, "hashes": each.hashes} for each in append.tiles]
    insert_rows(connection, tile, tiles)
    connection.execute(insert(checkpoint).values(size=append.size, time_ms=time_ms, note=note))


class LogRows:
    """The log as it stands in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def size(self) -> int:
        """Number of entries."""
        async with self._database.read() as connection:
            last = (await connection.execute(select(func.max(entry.c.place)))).scalar_one()
        return 0 if last is None else last + 1

    async def entries(self, first: int, last: int) -> Sequence[bytes]:
        """The bytes of entries `first` up to (not including) `last`."""
        found = select(entry.c.body).where(entry.c.place >= first, entry.c.place < last).order_by(entry.c.place)
        async with self._database.read() as connection:
            # SQLite keeps whatever type somebody wrote; a text there is a damaged entry like any other
            bodies = (await connection.execute(found)).scalars()
            return [body if type(body) is bytes else str(body).encode() for body in bodies]

    async def tile(self, level: int, index: int) -> bytes:
        """The bytes of a full tile; none where it is missing."""
        found = select(tile.c.hashes).where(tile.c.level == level, tile.c.place == index)
        async with self._database.read() as connection:
            return (await connection.execute(found)).scalar_one_or_none() or b""

    async def checkpoints(self, above: int, most: int) -> Sequence[str]:
        """At most `most` signed checkpoints of sizes larger than `above`."""
        found = select(checkpoint.c.note).where(checkpoint.c.size > above).order_by(checkpoint.c.size).limit(most)
        async with self._database.read() as connection:
            return list((await connection.execute(found)).scalars())

    async def last_checkpoint(self) -> str | None:
        """The signed checkpoint of the largest size."""
        found = select(checkpoint.c.note).order_by(checkpoint.c.size.desc()).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(found)).scalar_one_or_none()
