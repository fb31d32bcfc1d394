"""What a request about usage asks for: a span of time, a filter, whose usage, and where a page begins."""

from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated

from fastapi import Depends, Query

from gridhall.money.intervals import UsageInterval
from gridhall.money.months import month_of
from gridhall.server.api.caller import Asking, Caller
from gridhall.server.api.paging import Cut
from gridhall.server.api.problem import Problem
from gridhall.server.api.scopes import scopes_of
from gridhall.server.objects.part import Id
from gridhall.server.queries.intervals import Span, UsageFilter, list_intervals
from gridhall.server.queries.jobs import find_job
from gridhall.server.queries.scopes import Scope
from gridhall.server.views.open_usage import open_intervals
from gridhall.server.views.usage import within_span

BATCH = 1000
BEFORE_ALL = (0, "")

When = Annotated[int | None, Query(ge=0, le=1 << 50)]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose usage, of what, when."""

    caller: Caller
    scopes: list[Scope]
    wanted: UsageFilter
    span: Span

    async def page(self, after: tuple[int, str], most: int) -> list[UsageInterval]:
        """Intervals that are over, as they stand in the book, in the order of their ends."""
        return await list_intervals(self.caller.service.database, self.scopes, self.wanted, self.span, after, most)

    async def cut(self, cut: Cut) -> "Part":
        """A page of what is over and then of what goes on, in the order of the jobs' numbers. Raises Problem."""
        after = read_cursor(cut.after)
        opened = list(islice(self.opened(_open_number(after)), cut.limit + 1))
        page = await self.page(after, cut.limit) if after[0] < OPEN else []
        shown = opened[: cut.limit - len(page)]
        following = None
        if len(shown) < len(opened):
            following = cursor_of(*_open_place(shown[-1])) if shown else cursor_of(page[-1].end_ms, page[-1].id)
        elif len(page) == cut.limit:
            following = cursor_of(page[-1].end_ms, page[-1].id)
        return Part(self.inside(page), shown, following)

    def inside(self, page: Iterable[UsageInterval]) -> list[UsageInterval]:
        """Intervals cut to the span."""
        meters = self.caller.world.meters
        return [within_span(each, self.span, meters) for each in page]

    def opened(self, after: int = 0) -> Iterator[UsageInterval]:
        """What goes on, until the end of the span, of jobs with a number above `after`, in the order of the numbers."""
        return open_intervals(self.caller.world, self.may, self.wanted, self.span, after)

    def may(self, organisation: str, project: str) -> bool:
        """Whether something of such an owner is asked for."""
        return any(scope.holds(organisation, project) for scope in self.scopes)

    async def batches(self) -> AsyncGenerator[list[UsageInterval]]:
        """Everything, a batch at a time; what goes on comes last."""
        opened, after = list(self.opened()), BEFORE_ALL
        while True:
            page = await self.page(after, BATCH)
            yield self.inside(page)
            if len(page) < BATCH:
                break
            after = (page[-1].end_ms, page[-1].id)
        yield opened


async def _asked(
    caller: Asking,
    project: Id = "",
    organisation: Id = "",
    site: Id = "",
    sku: Id = "",
    tier: Id = "",
    job: Id = "",
    from_ms: When = None,
    until_ms: When = None,
) -> Asked:
    now_ms = caller.service.loop.now_ms()
    first_ms = month_of(now_ms)[0] if from_ms is None else from_ms
    last_ms = now_ms if until_ms is None else min(until_ms, now_ms)
    if last_ms < first_ms:
        raise Problem(422, "invalid", "until_ms is before from_ms", "query.until_ms", "give a later time")
    wanted = UsageFilter(site, sku, tier, await _number(caller, job) if job else None)
    return Asked(caller, scopes_of(caller, project, organisation), wanted, Span(first_ms, last_ms))


async def _number(caller: Caller, id: str) -> int:
    """The number of a job; one that is nobody's where the caller may not see it."""
    found = caller.world.job_named(id) or await find_job(caller.service.database, id)
    return -1 if found is None or not caller.may(found.organisation, found.project) else found.number


AskedUsage = Annotated[Asked, Depends(_asked)]


@dataclass(frozen=True, slots=True)
class Part:
    """A page: what is over, what goes on, and the cursor of the next page."""

    closed: list[UsageInterval]
    opened: list[UsageInterval]
    following: str | None


OPEN = 1 << 52
"""Stands for the end of what goes on: after every real one."""


def _open_place(interval: UsageInterval) -> tuple[int, str]:
    return OPEN, f"{interval.job:019d}"


def _open_number(after: tuple[int, str]) -> int:
    """After the interval of which job a page of what goes on begins."""
    return int(after[1]) if after[0] >= OPEN else 0


def cursor_of(end_ms: int, id: str) -> str:
    """Where the page after an interval begins."""
    return f"{end_ms}:{id}"


def read_cursor(after: str) -> tuple[int, str]:
    """Where a page begins. Raises Problem."""
    end, _, id = after.partition(":")
    if not after:
        return BEFORE_ALL
    if not end.isdecimal() or len(end) > 16 or (int(end) >= OPEN and not id.isdecimal()):
        raise Problem(422, "invalid", "this is no cursor of a page of usage", "query.after", "give `next` of a page")
    return int(end), id
