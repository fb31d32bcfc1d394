"""Making a draft durable: entries, outbox and tables in one transaction, which only the leader can end."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from gridhall.ledger.store import Append
from gridhall.server.live.draft import AuditRow, Draft, OrderRow
from gridhall.server.live.metering import closed_intervals, interval_row
from gridhall.server.live.work import Attempt, Job
from gridhall.server.live.world import Resource
from gridhall.server.store import tables
from gridhall.server.store.insert import insert_rows
from gridhall.server.store.leadership import stay_leader
from gridhall.server.store.log_rows import write_append

Row = dict[str, Any]


def write_draft(connection: Connection, draft: Draft, append: Append, checkpoint: str) -> None:
    """Write everything on a draft. Raises LostLead when another controller leads by now."""
    stay_leader(connection, draft.world.epoch, draft.now_ms)
    write_append(connection, append, checkpoint, draft.now_ms)
    insert_rows(connection, tables.job, [job_row(job) for job in draft.new_jobs.values()])
    _update(connection, tables.job, ("number",), [job_row(job) for job in draft.changed_jobs.values()])
    insert_rows(connection, tables.attempt, [attempt_row(each) for each in draft.new_attempts.values()])
    changed = [attempt_row(each) for each in draft.changed_attempts.values()]
    _update(connection, tables.attempt, ("job", "attempt"), changed)
    insert_rows(connection, tables.interval, _intervals(draft))
    insert_rows(connection, tables.outbox, [order_row(order) for order in draft.orders])
    insert_rows(connection, tables.audit, [audit_row(each) for each in draft.audits])
    upsert(connection, tables.resource, [resource_row(each) for each in draft.resources.values()])
    for name, row in draft.rows:
        upsert(connection, tables.metadata.tables[name], [row])
    if draft.delivered:
        connection.execute(
            delete(tables.outbox).where(tables.outbox.c.number == bindparam("done")),
            [{"done": number} for number in draft.delivered],
        )


def _intervals(draft: Draft) -> list[Row]:
    jobs = {**draft.new_jobs, **draft.changed_jobs}
    return [interval_row(each) for each in closed_intervals(draft.world.meters, jobs, draft.closed)]


def _update(connection: Connection, table: Table, keys: Sequence[str], rows: Sequence[Row]) -> None:
    if not rows:
        return
    statement = update(table).values({name: bindparam(f"v_{name}") for name in rows[0] if name not in keys})
    for key in keys:
        statement = statement.where(table.c[key] == bindparam(f"k_{key}"))
    marked = [{("k_" if name in keys else "v_") + name: value for name, value in row.items()} for row in rows]
    connection.execute(statement, marked)


def upsert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, or replace those of the same key."""
    if not rows:
        return
    make = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
    statement = make(table)
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def job_row(job: Job) -> Row:
    """A job as its table keeps it."""
    return {name: getattr(job, name) for name in _JOB_COLUMNS}


_JOB_COLUMNS = tuple(column.name for column in tables.job.columns)


def attempt_row(attempt: Attempt) -> Row:
    """An attempt as its table keeps it."""
    row = {name: getattr(attempt, name) for name in _ATTEMPT_COLUMNS}
    row["places"] = json.dumps([[each.site, each.node, list(each.gpus)] for each in attempt.places])
    return row


_ATTEMPT_COLUMNS = tuple(column.name for column in tables.attempt.columns)


def order_row(order: OrderRow) -> Row:
    """An order as the outbox keeps it."""
    return {**_fields(order), "body": json.dumps(order.body)}


def audit_row(audit: AuditRow) -> Row:
    """A line of the audit table."""
    return _fields(audit)


def resource_row(resource: Resource) -> Row:
    """A resource as its table keeps it."""
    row: Row = asdict(resource)
    return {**row, "spec": json.dumps(resource.spec), "status": json.dumps(resource.status)}


def _fields(each: OrderRow | AuditRow) -> Row:
    fields: Mapping[str, Any] = {name: getattr(each, name) for name in each.__slots__}
    return dict(fields)
