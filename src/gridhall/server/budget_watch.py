"""Budgets watched: what every project has spent this month, and how it and its organisation stand because of it.

What is over is rated once and remembered; what goes on is rated anew at every look. A project stands as the worse of
its own budget and its organisation's. Without rates nothing is spent.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gridhall.errors import InputError
from gridhall.money.budgets import Budget, Standing, standing
from gridhall.money.intervals import UsageInterval
from gridhall.money.months import month_of
from gridhall.money.rates import RateBook
from gridhall.money.rating import rate
from gridhall.server.live.loop import ReadOnly
from gridhall.server.live.service import Service
from gridhall.server.live.world import Directory, Resource
from gridhall.server.objects.tenancy import BudgetSpec
from gridhall.server.queries.intervals import Span, UsageFilter, list_intervals
from gridhall.server.queries.scopes import Scope
from gridhall.server.tenants.budgets import KIND, SetStanding
from gridhall.server.tenants.owners import id_of
from gridhall.server.views.open_usage import open_intervals
from gridhall.server.views.usage import within_span

log = logging.getLogger("gridhall.budgets")

PERIOD_S = 30.0
BATCH = 1000
WORSE: tuple[Standing, ...] = ("open", "warned", "blocked", "preempt")
EVERYBODY = UsageFilter()


@dataclass
class BudgetWatch:
    """`closed` is what was rated this month of usage that is over, by project, up to the cursor `after`."""

    service: Service
    month_ms: int = -1
    after: tuple[int, str] = (0, "")
    closed: Counter[str] = field(default_factory=Counter[str])

    async def watch(self) -> None:
        """Look again and again."""
        while True:
            try:
                await self.look()
            except ReadOnly as problem:
                log.warning("budgets wait: %s", problem)
            await asyncio.sleep(PERIOD_S)

    async def look(self) -> None:
        """Bring every standing up to date."""
        book = self.service.settings.rates
        if book is None:
            return
        now_ms = self.service.loop.now_ms()
        spent = await self._spent(book, now_ms)
        for owner, stands, micro in standings(self.service.world.directory, spent):
            if _told(self.service.world.directory, owner) != (stands, micro):
                await self.service.loop.happen(SetStanding(owner, stands, micro))

    async def _spent(self, book: RateBook, now_ms: int) -> Counter[str]:
        """Money by project, month to date."""
        first_ms = month_of(now_ms)[0]
        if first_ms != self.month_ms:
            self.month_ms, self.after, self.closed = first_ms, (0, ""), Counter()
        span = Span(first_ms, now_ms)
        while True:
            page = await list_intervals(self.service.database, [Scope()], EVERYBODY, span, self.after, BATCH)
            inside = [within_span(each, span, self.service.world.meters) for each in page]
            self.closed += money_by_project(inside, book)
            if page:
                self.after = (page[-1].end_ms, page[-1].id)
            if len(page) < BATCH:
                break
        opened = open_intervals(self.service.world, lambda organisation, project: True, EVERYBODY, span)
        return self.closed + money_by_project(opened, book)


def money_by_project(intervals: Iterable[UsageInterval], book: RateBook) -> Counter[str]:
    """The charges of some intervals in micro-units; usage that has no price counts nothing, and is said."""
    spent: Counter[str] = Counter()
    for each in intervals:
        try:
            spent[each.project] += sum(charge.amount_micro for charge in rate([each], book))
        except InputError as problem:
            log.warning("usage %s counts for no budget: %s", each.id, problem)
    return spent


def standings(directory: Directory, spent: Mapping[str, int]) -> Iterator[tuple[Resource, Standing, int]]:
    """How every organisation and project stands that has a budget, or whose organisation has one."""
    of_organisation: dict[str, Standing] = {}
    for owner in directory.all("organisation"):
        mine = sum(spent.get(each.id, 0) for each in directory.all("project") if each.organisation == owner.id)
        stands = _stands(directory, owner, mine)
        if stands is not None:
            of_organisation[owner.id] = stands
            yield owner, stands, mine
    for owner in directory.all("project"):
        own, above = _stands(directory, owner, spent.get(owner.id, 0)), of_organisation.get(owner.organisation)
        if own is not None or above is not None:
            worse: Standing = WORSE[max(WORSE.index(own or "open"), WORSE.index(above or "open"))]
            yield owner, worse, spent.get(owner.id, 0)


def _stands(directory: Directory, owner: Resource, micro: int) -> Standing | None:
    """Where an owner's own budget stands; None where none was set."""
    part = directory.get(KIND, id_of(KIND, owner))
    if part is None or not part.spec:
        return None
    spec = BudgetSpec.model_validate(part.spec)
    if spec.limit_micro is None:
        return "open"
    found = standing(Budget(spec.limit_micro, spec.warn_percent, spec.at_limit == "pre-empt"), micro)
    if spec.at_limit == "warn" and found == "blocked":
        return "warned"
    return found


def _told(directory: Directory, owner: Resource) -> tuple[object, object]:
    """What was said last of an owner."""
    part = directory.get(KIND, id_of(KIND, owner))
    return ("open", 0) if part is None else (part.status.get("standing"), part.status.get("spent_micro"))
