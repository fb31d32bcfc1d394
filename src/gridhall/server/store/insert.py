"""Inserting rows: many of them go to PostgreSQL as one COPY, which costs both sides a fraction of as many inserts."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, insert

MANY = 64
"""From so many rows on a COPY is worth the question that it asks first."""


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same columns, in a transaction that something was done in already."""
    if len(rows) >= MANY and connection.dialect.name == "postgresql":
        _copy(connection, table, rows)
    elif rows:
        connection.execute(insert(table), rows)


def _copy(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    names = tuple(rows[0])
    records = [tuple(row[name] for name in names) for row in rows]
    adapted: Any = connection.connection.dbapi_connection

    def copy(driver: Any) -> Any:
        return driver.copy_records_to_table(table.name, records=records, columns=names)

    adapted.run_async(copy)
