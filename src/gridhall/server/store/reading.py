"""Opening a store to read: nothing is migrated, no lead is taken, a server that runs on it is not disturbed."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from gridhall.errors import fault
from gridhall.server.store.database import Database, connect

FILE = "gridhall.db"


def url_of(where: str) -> str:
    """The database's URL: given as one, or that of a server's folder. Raises InputError where no store is there."""
    if "://" in where:
        return where
    folder = Path(where)
    for path in (folder, folder / FILE, folder / "twin" / FILE):
        if path.is_file():
            return f"sqlite:///{path}"
    raise fault(str(folder), "", f"holds no {FILE}", "name a server's folder, a database URL or an exported log")


@asynccontextmanager
async def open_to_read(where: str) -> AsyncGenerator[Database]:
    """The store at a place, until the block is left."""
    database = connect(url_of(where))
    try:
        yield database
    finally:
        await database.close()
