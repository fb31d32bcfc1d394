"""Bringing a database up to this version: a new one is made whole, an older one by the steps in `migrations`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect

from gridhall.server.store.tables import metadata

FOLDER = Path(__file__).with_name("migrations")


def migrate(connection: Connection) -> None:
    """Make or upgrade the tables within the connection's transaction."""
    config = alembic_config(connection)
    if inspect(connection).get_table_names():
        command.upgrade(config, "head")
    else:
        metadata.create_all(connection)
        command.stamp(config, "head")


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings for a connection that is open already."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def revision(connection: Connection) -> str | None:
    """The step that the database stands at."""
    return MigrationContext.configure(connection).get_current_revision()
