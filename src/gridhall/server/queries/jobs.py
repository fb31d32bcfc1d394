"""Jobs and their attempts from the store, a page at a time, newest first.

Of every scope that the caller may read one page is read along an index, and the pages are merged: so a tenant with few
jobs among very many finds them as fast as the operator finds everybody's.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gridhall.server.live.recover import read_attempt
from gridhall.server.live.work import Attempt, Job
from gridhall.server.queries.scopes import Scope
from gridhall.server.store import Database
from gridhall.server.store.tables import attempt, job


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs; empty = any."""

    state: str = ""
    user: str = ""
    name: str = ""


async def list_jobs(
    database: Database, scopes: Collection[Scope], wanted: JobFilter, below: int | None, most: int
) -> list[Job]:
    """At most `most` jobs of the scopes with a number under `below` (None = from the newest), newest first."""
    async with database.read() as connection:
        pages = [await _page(connection, _query(scope, wanted, below, most)) for scope in scopes]
    found = {each.number: each for each in merge(*pages, key=lambda each: -each.number)}
    return list(found.values())[:most]


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
    query = select(job).order_by(job.c.number.desc()).limit(most)
    for column, value, unindexed in asked:
        if value:
            query = query.where((column.concat("") if unindexed else column) == value)
    return query if below is None else query.where(job.c.number < below)


async def _page(connection: AsyncConnection, query: Select[Any]) -> list[Job]:
    return [Job(**row) for row in (await connection.execute(query)).mappings()]


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


MOST_NUMBERS = 500
"""Most jobs in one query: SQLite takes only so many parameters."""


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
