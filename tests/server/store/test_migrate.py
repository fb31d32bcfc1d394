"""A store is made whole, brought up from an older step, and never touched by a version that does not know it."""

import asyncio
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from gridhall.errors import InputError
from gridhall.server.store import migrate, open_database
from gridhall.server.store.leadership import take_lead
from gridhall.server.store.tables import metadata

STEP = """
    import sqlalchemy as sa
    from alembic import op

    revision = "0003"
    down_revision = "0002"

    def upgrade():
        op.add_column("tile", sa.Column("made_ms", sa.BigInteger(), nullable=False, server_default="7"))
"""


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))


def in_store(store_url: str, *stories: Callable[[Connection], object]) -> list[object]:
    """What functions of a connection give, each in a transaction of its own."""

    async def run() -> list[object]:
        database = await open_database(store_url)
        try:
            return [await database.write(story) for story in stories]
        finally:
            await database.close()

    return asyncio.run(run())


def up(connection: Connection) -> None:
    migrate.migrate(connection, "the store")


def test_a_new_store_has_the_tables_that_the_code_speaks_of(store_url: str) -> None:
    _, found, revision, _, again = in_store(store_url, up, differences, migrate.revision, up, differences)
    assert (found, revision, again) == ([], "0002", [])


def test_a_store_of_an_older_step_is_brought_up(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_store(store_url, up, lambda connection: connection.execute(text("INSERT INTO tile VALUES (0, 0, 'x')")))
    steps = tmp_path / "migrations"
    (steps / "versions").mkdir(parents=True)
    for path in (migrate.FOLDER / "env.py", *sorted((migrate.FOLDER / "versions").glob("*.py"))):
        (steps / path.relative_to(migrate.FOLDER)).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (steps / "versions" / "0003_later.py").write_text(textwrap.dedent(STEP), encoding="utf-8")
    monkeypatch.setattr(migrate, "FOLDER", steps)
    _, revision, made_ms = in_store(
        store_url,
        up,
        migrate.revision,
        lambda connection: connection.execute(text("SELECT made_ms FROM tile")).scalar_one(),
    )
    assert (revision, made_ms) == ("0003", 7)


def to_first(connection: Connection) -> None:
    """What the first step made."""
    for column in ("pause", "pause_feed"):
        connection.execute(text(f"ALTER TABLE attempt DROP COLUMN {column}"))
    for index in ("token_by_end", "idempotency_by_time"):
        connection.execute(text(f"DROP INDEX {index}"))
    connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))


def test_a_store_of_the_first_step_becomes_like_a_new_one(store_url: str) -> None:
    assert in_store(store_url, up, to_first, up, differences, migrate.revision)[3:] == [[], "0002"]


def test_a_store_of_a_later_version_is_left_alone(store_url: str) -> None:
    in_store(store_url, up, lambda each: each.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(InputError, match=r"later version \(step 9999\)(.|\n)*backup"):
        in_store(store_url, up)


def test_somebody_elses_database_is_left_alone(store_url: str) -> None:
    in_store(store_url, lambda connection: connection.execute(text("CREATE TABLE theirs (id INTEGER)")))

    async def lead() -> None:
        database = await open_database(store_url)
        try:
            await take_lead(database, 0)
        finally:
            await database.close()

    with pytest.raises(InputError, match="is not a store of Gridhall"):
        asyncio.run(lead())
    assert in_store(store_url, lambda connection: inspect(connection).get_table_names()) == [["theirs"]]
