"""Jobs and their attempts from the store, a page at a time, newest first.

Of every scope that the caller may read one page of numbers is read along an index, and the pages are merged: so a
tenant with few jobs among very many finds them as fast as the operator finds everybody's.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from heapq import merge
from typing import Any

from sqlalchemy import Connection, Select, String, cast, func, select

from gridhall.server.live.recover import read_attempt
from gridhall.server.live.work import Attempt, Job
from gridhall.server.queries.scopes import Scope
from gridhall.server.store import Database
from gridhall.server.store.tables import attempt, job

Held = Mapping[int, Job]
"""The jobs that the core holds, by number."""
MOST_NUMBERS = 500
"""Most jobs in one query: SQLite takes only so many parameters."""


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs; empty = any."""

    state: str = ""
    user: str = ""
    name: str = ""


async def list_jobs(
    database: Database, scopes: Collection[Scope], wanted: JobFilter, below: int | None, most: int, held: Held
) -> list[Job]:
    """At most `most` jobs of the scopes with a number under `below` (None = from the newest), newest first.

    A job that the core still holds is the one in memory, whose row is not read.
    """
    queries = [_query(scope, wanted, below, most) for scope in scopes]

    def work(connection: Connection) -> list[Job]:
        found = merge(*(_numbers(connection, query) for query in queries), reverse=True)
        return _jobs(connection, list(dict.fromkeys(found))[:most], held)

    return await database.fetch(work)


def _query(scope: Scope, wanted: JobFilter, below: int | None, most: int) -> Select[Any]:
    """One page of one scope. What is not the most selective condition is written so that no index serves it."""
    organisation = "" if scope.project else scope.organisation
    asked = (
        (job.c.name, wanted.name, False),
        (job.c.user, wanted.user, bool(wanted.name)),
        (job.c.project, scope.project, bool(wanted.user) and not wanted.name),
        (job.c.organisation, organisation, bool(wanted.user or wanted.name)),
        (job.c.state, wanted.state, bool(wanted.user or wanted.name)),
    )
    query = select(job.c.number).order_by(job.c.number.desc()).limit(most)
    for column, value, unindexed in asked:
        if value:
            query = query.where((column.concat("") if unindexed else column) == value)
    return query if below is None else query.where(job.c.number < below)


def _numbers(connection: Connection, query: Select[Any]) -> list[int]:
    """The numbers that a query finds, newest first, as one row: SQLite lets the interpreter go at each row."""
    number = query.subquery().c.number
    found: str | None = connection.execute(select(func.aggregate_strings(cast(number, String), ","))).scalar()
    return sorted(map(int, found.split(",")), reverse=True) if found else []


_COLUMNS = tuple(job.c[each.name] for each in fields(Job) if each.name in job.c)
"""In the order in which a job is made of them."""


def _jobs(connection: Connection, numbers: Sequence[int], held: Held) -> list[Job]:
    found = {number: held.get(number) for number in numbers}
    missing = [number for number, each in found.items() if each is None]
    for at in range(0, len(missing), MOST_NUMBERS):
        some = select(*_COLUMNS).where(job.c.number.in_(missing[at : at + MOST_NUMBERS]))
        found.update((row[0], Job(*row)) for row in connection.execute(some))
    return [each for each in found.values() if each is not None]


async def find_job(database: Database, id: str) -> Job | None:
    """A job by its id."""
    async with database.read() as connection:
        found = (await connection.execute(select(job).where(job.c.id == id))).mappings().one_or_none()
    return None if found is None else Job(**found)


async def attempts_of(database: Database, number: int) -> list[Attempt]:
    """Every attempt of a job, oldest first."""
    query = select(attempt).where(attempt.c.job == number).order_by(attempt.c.attempt)
    async with database.read() as connection:
        return [read_attempt(row) for row in (await connection.execute(query)).mappings()]


async def owners_of(database: Database, numbers: Sequence[int]) -> dict[int, tuple[str, str, str]]:
    """Id, organisation and project of jobs by their numbers."""
    columns = (job.c.id, job.c.organisation, job.c.project)
    return {row[0]: (row[1], row[2], row[3]) for row in await _of(database, columns, numbers)}


async def names_of(database: Database, numbers: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Id and name of jobs by their numbers."""
    return {row[0]: (row[1], row[2]) for row in await _of(database, (job.c.id, job.c.name), numbers)}


async def _of(database: Database, columns: Sequence[Any], numbers: Sequence[int]) -> list[Any]:
    rows: list[Any] = []
    async with database.read() as connection:
        for at in range(0, len(numbers), MOST_NUMBERS):
            some = job.c.number.in_(numbers[at : at + MOST_NUMBERS])
            rows += (await connection.execute(select(job.c.number, *columns).where(some))).all()
    return rows
