"""The book of usage in the store: its intervals page by page, and its sums.

Sums are split in two, because those of a large fleet's year would overflow 64 bits sooner than the intervals do.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from heapq import merge
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from gridhall.money.intervals import UsageInterval
from gridhall.server.queries.scopes import Scope, within
from gridhall.server.store import Database
from gridhall.server.store.tables import interval

PART = 1_000_000
GROUP = ("organisation", "project", "site", "country", "sku", "tier", "energy_basis", "carbon_basis")
SUMMED = ("gpu_milli_ms", "energy_mj", "carbon_mg")
COLUMNS = tuple(each.name for each in fields(UsageInterval))


@dataclass(frozen=True, slots=True)
class Span:
    """From a time until a time, ms UTC."""

    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Which intervals; empty = any."""

    site: str = ""
    sku: str = ""
    tier: str = ""
    job: int | None = None

    def holds(self, each: UsageInterval) -> bool:
        """Whether an interval is meant."""
        here = self.site in ("", each.site) and self.sku in ("", each.sku)
        return here and self.tier in ("", each.tier) and self.job in (None, each.job)


@dataclass(frozen=True, slots=True)
class Sum:
    """Sums over one group of intervals, whose names are in the order of GROUP."""

    group: tuple[str, ...]
    intervals: int
    gpu_milli_ms: int
    energy_mj: int
    carbon_mg: int


async def list_intervals(
    database: Database,
    scopes: Collection[Scope],
    wanted: UsageFilter,
    span: Span,
    after: tuple[int, str],
    most: int,
) -> list[UsageInterval]:
    """At most `most` intervals that overlap a span, in the order of end and id, after such a pair."""
    async with database.read() as connection:
        pages: list[list[UsageInterval]] = []
        for scope in scopes:
            rows = await connection.execute(_page(scope, wanted, span, after, most))
            pages.append([UsageInterval(*row) for row in rows])
    found = {each.id: each for each in merge(*pages, key=lambda each: (each.end_ms, each.id))}
    return list(found.values())[:most]


def _page(scope: Scope, wanted: UsageFilter, span: Span, after: tuple[int, str], most: int) -> Select[Any]:
    end, id = interval.c.end_ms, interval.c.id
    query = select(*(interval.c[name] for name in COLUMNS)).where(
        within(interval, [scope]), *_conditions(wanted), _overlap(span)
    )
    later = or_(end > after[0], and_(end == after[0], id > after[1]))
    return query.where(end >= after[0], later).order_by(end, id).limit(most)


async def sum_inside(database: Database, scopes: Collection[Scope], wanted: UsageFilter, span: Span) -> Sequence[Sum]:
    """Sums over the intervals that lie wholly inside a span."""
    keys = [interval.c[name] for name in GROUP]
    sums = [part for name in SUMMED for part in _split(interval.c[name])]
    query = select(*keys, func.count(), *sums).where(within(interval, scopes), *_conditions(wanted), _inside(span))
    async with database.read() as connection:
        rows = (await connection.execute(query.group_by(*keys))).all()
    return [_sum(tuple(row)) for row in rows]


def _split(column: Any) -> tuple[Any, Any]:
    return func.sum(column // PART), func.sum(column % PART)


def _sum(row: tuple[Any, ...]) -> Sum:
    width = len(GROUP)
    halves = [int(value) for value in row[width + 1 :]]
    totals = [halves[at] * PART + halves[at + 1] for at in range(0, len(halves), 2)]
    return Sum(row[:width], int(row[width]), *totals)


async def list_straddling(
    database: Database, scopes: Collection[Scope], wanted: UsageFilter, span: Span
) -> list[UsageInterval]:
    """The intervals that reach over the beginning or the end of a span."""
    query = select(*(interval.c[name] for name in COLUMNS)).where(
        within(interval, scopes), *_conditions(wanted), _overlap(span)
    )
    over = or_(interval.c.start_ms < span.from_ms, interval.c.end_ms > span.until_ms)
    async with database.read() as connection:
        return [UsageInterval(*row) for row in await connection.execute(query.where(over))]


async def kinds_used(database: Database, scopes: Collection[Scope], span: Span) -> list[tuple[str, str, int]]:
    """SKU, tier and first start of the intervals that overlap a span."""
    kind = (interval.c.sku, interval.c.tier)
    query = select(*kind, func.min(interval.c.start_ms)).where(within(interval, scopes), _overlap(span))
    async with database.read() as connection:
        return [(row[0], row[1], row[2]) for row in await connection.execute(query.group_by(*kind))]


def _inside(span: Span) -> ColumnElement[bool]:
    return and_(
        interval.c.end_ms > span.from_ms, interval.c.end_ms <= span.until_ms, interval.c.start_ms >= span.from_ms
    )


def _overlap(span: Span) -> ColumnElement[bool]:
    return and_(interval.c.end_ms > span.from_ms, interval.c.start_ms < span.until_ms)


def _conditions(wanted: UsageFilter) -> list[ColumnElement[bool]]:
    asked = ((interval.c.site, wanted.site), (interval.c.sku, wanted.sku), (interval.c.tier, wanted.tier))
    found = [column == value for column, value in asked if value]
    return found if wanted.job is None else [*found, interval.c.job == wanted.job]
