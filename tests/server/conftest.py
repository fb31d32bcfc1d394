"""Stores for the tests: whoever asks for `store_url` is run on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.live.house import store_in
from tests.server.postgres import Postgres, postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return store_in(tmp_path)
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.new_database()
