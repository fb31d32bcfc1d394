"""Opening the database: SQLite that never loses a commit, or PostgreSQL by URL."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gridhall.errors import fault

READERS = 4
CONNECT_S, ANSWER_S = 10, 60
"""How long PostgreSQL may take to let us in, and for one statement."""
SQLITE_SETTINGS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=10000",
    "PRAGMA cache_size=-65536",
)

_Made = TypeVar("_Made")


class StoreAway(Exception):
    """The database does not answer, or not with what was asked for; the text says what it said."""


class Database:
    """Doors: `write` for the one writer, `fetch` and `read` for everyone else.

    SQLite's writer works in a thread of its own, a whole transaction at a time, and `fetch` in one of a few, a whole
    read at a time: a hop for each statement would cost more than the statements.
    """

    def __init__(self, writer: Engine | AsyncEngine, reader: AsyncEngine, fetcher: Engine | AsyncEngine) -> None:
        self._writer, self._reader, self._fetcher = writer, reader, fetcher
        self._thread = ThreadPoolExecutor(1, "gridhall-writer")
        self._fetching = ThreadPoolExecutor(READERS, "gridhall-reader")

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._writer.dialect.name

    @property
    def name(self) -> str:
        """The database's URL without its password, for people."""
        return self._writer.url.render_as_string(hide_password=True)

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database."""
        return Path(self._writer.url.database or "") if self.kind == "sqlite" else None

    async def write(self, work: Callable[[Connection], _Made]) -> _Made:
        """Do some work in one transaction: durable when it has returned, undone when it raises."""
        if isinstance(self._writer, AsyncEngine):
            async with self._writer.begin() as connection:
                return await connection.run_sync(work)
        return await asyncio.get_running_loop().run_in_executor(self._thread, _transact, self._writer, work)

    async def fetch(self, work: Callable[[Connection], _Made]) -> _Made:
        """What some work reads, each statement by itself. Raises StoreAway when the database does not answer."""
        if isinstance(self._fetcher, AsyncEngine):
            async with _reading(self._fetcher) as connection:
                return await connection.run_sync(work)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._fetching, _look, self._fetcher, work)
        except (DBAPIError, TimeoutError) as problem:
            raise StoreAway(in_short(problem)) from problem

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """A connection to read with. Raises StoreAway when the database does not answer."""
        async with _reading(self._reader) as connection:
            yield connection

    async def connect(self) -> AsyncConnection:
        """A connection of its own, for a lock that lasts; the caller closes it."""
        return await self._reader.connect()

    async def close(self) -> None:
        """Close every connection; whoever asks afterwards gets a new one."""
        await self._reader.dispose()
        for engine, threads in ((self._writer, self._thread), (self._fetcher, self._fetching)):
            if isinstance(engine, Engine):
                await asyncio.get_running_loop().run_in_executor(threads, engine.dispose)


async def open_database(url: str) -> Database:
    """Open a database. Raises InputError when it is not to be had. Taking its lead brings its tables up to date."""
    database = connect(url)
    try:
        await ping(database)
    except StoreAway as problem:
        await database.close()
        mend = "is it there and running?"
        raise fault("store", "url", f"{database.name} cannot be opened: {problem}", mend) from problem
    return database


def connect(url: str) -> Database:
    """A database as it is; nothing is connected yet. Raises InputError for a URL that names none.

    `url` is `sqlite:///PATH` or `postgresql://USER@HOST/NAME`.
    """
    mend = "give sqlite:///PATH or postgresql://..."
    try:
        parsed = make_url(url)
    except ArgumentError as problem:
        raise fault("store", "url", f"{url!r} is no database URL", mend) from problem
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(Path(parsed.database or ""))
    if parsed.get_backend_name() != "postgresql":
        raise fault("store", "url", f"{url!r} is neither SQLite nor PostgreSQL", mend)
    address, patience = parsed.set(drivername="postgresql+asyncpg"), {"timeout": CONNECT_S, "command_timeout": ANSWER_S}
    engine = create_async_engine(address, pool_size=READERS + 2, connect_args=patience)
    return Database(engine, engine, engine.execution_options(isolation_level="AUTOCOMMIT"))


def _open_sqlite(path: Path) -> Database:
    if not path.parent.is_dir():
        raise fault("store", "url", f"the folder {path.parent} is not there", "make it, or name another place")
    writer = create_engine(f"sqlite:///{path}", pool_size=1, max_overflow=0)
    reader = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=READERS)
    fetcher = create_engine(f"sqlite:///{path}", pool_size=READERS)
    for engine in (writer, reader.sync_engine, fetcher):
        event.listen(engine, "connect", _prepare)
    event.listen(writer, "begin", _begin_at_once)
    return Database(writer, reader, fetcher)


@asynccontextmanager
async def _reading(engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
    connection = engine.connect()
    try:
        await connection.start()
    except Exception as problem:  # drivers raise all kinds of things
        raise StoreAway(in_short(problem)) from problem
    try:
        yield connection
    except (DBAPIError, TimeoutError) as problem:
        raise StoreAway(in_short(problem)) from problem
    finally:
        await connection.close()


def _transact(engine: Engine, work: Callable[[Connection], _Made]) -> _Made:
    with engine.begin() as connection:
        return work(connection)


def _look(engine: Engine, work: Callable[[Connection], _Made]) -> _Made:
    with engine.connect() as connection:
        return work(connection)


def _prepare(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's own BEGIN is the only one
    cursor = connection.cursor()
    for setting in SQLITE_SETTINGS:
        cursor.execute(setting)
    cursor.close()


def _begin_at_once(connection: Any) -> None:
    """Take the write lock first: a transaction that reads and then writes can otherwise fail half-way."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def in_short(problem: BaseException) -> str:
    """A failure in one line, without the statement that failed and its values."""
    cause = getattr(problem, "orig", None) or problem
    return f"{type(cause).__name__}: {cause}".partition("\n")[0]


async def ping(database: Database) -> None:
    """Raise when the database does not answer."""
    async with database.read() as connection:
        await connection.execute(text("SELECT 1"))
