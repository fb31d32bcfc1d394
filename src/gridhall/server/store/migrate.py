"""Bringing a database up to this version: a new one is made whole, an older one by the steps in `migrations`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect

from gridhall.errors import fault
from gridhall.server.store.tables import metadata

FOLDER = Path(__file__).with_name("migrations")


def migrate(connection: Connection, name: str) -> None:
    """Make or upgrade the tables of the store `name` within the connection's transaction.

    Raises InputError where the database is not a store, or one of a later version.
    """
    config = alembic_config(connection)
    found, head = revision(connection), ScriptDirectory.from_config(config).get_current_head()
    if found == head:
        return
    if found is not None:
        _upgrade(config, found, name)
    elif inspect(connection).get_table_names():
        raise fault(name, "", "has tables, but is not a store of Gridhall", "name an empty database")
    else:
        metadata.create_all(connection)
        command.stamp(config, "head")


def _upgrade(config: Config, found: str, name: str) -> None:
    try:
        command.upgrade(config, "head")
    except CommandError as problem:
        mend = "start that version, or restore a backup made by this one"
        raise fault(name, "", f"was upgraded by a later version (step {found})", mend) from problem


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings for a connection that is open already."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def revision(connection: Connection) -> str | None:
    """The step that the database stands at."""
    return MigrationContext.configure(connection).get_current_revision()
