"""Budgets: money for a month, and where a project stands. What was spent is told from outside (`SetStanding`).

Metering works the standing out from charges; here it reaches the core, which starts nothing of a blocked project.
"""

from dataclasses import dataclass, replace

from gridhall.controller.events import BLOCKED, OPEN, STANDING, STOPPED_FOR_BUDGET
from gridhall.controller.live import row
from gridhall.money.budgets import Standing
from gridhall.server.live.draft import Draft
from gridhall.server.live.world import Resource, World
from gridhall.server.objects.tenancy import BudgetSpec
from gridhall.server.tenants.core import tell_core
from gridhall.server.tenants.owners import id_of, part_of, seen_part

KIND = "budget"
IN_CORE: dict[Standing, int] = {"open": OPEN, "warned": OPEN, "blocked": BLOCKED, "preempt": STOPPED_FOR_BUDGET}
FRESH: dict[str, object] = {"standing": "open", "spent_micro": 0, "since_ms": 0}


@dataclass(frozen=True, slots=True)
class SetBudget:
    """A budget becomes what is wanted, if it is at the version that was seen. The next metering acts on it."""

    id: str
    expected: int | None
    spec: BudgetSpec

    def plan(self, world: World, now_ms: int) -> Resource:
        """What it will be."""
        seen = seen_part(world, KIND, self.id, self.expected, dict(FRESH))
        return replace(seen, spec=self.spec.model_dump(), modified_ms=now_ms, version=seen.version + 1)

    def decide(self, draft: Draft) -> Resource:
        """What it is afterwards."""
        planned = self.plan(draft.world, draft.now_ms)
        draft.put(planned)
        return planned


@dataclass(frozen=True, slots=True)
class SetStanding:
    """An organisation or project stands so, having spent so much this month.

    Of a project the core is told; an organisation's standing counts through those of its projects.
    """

    owner: Resource
    standing: Standing
    spent_micro: int

    def decide(self, draft: Draft) -> Resource:
        """The budget with its new status. Its version is that of the spec and stays."""
        part = part_of(draft.world.directory, KIND, self.owner, dict(FRESH))
        since_ms = part.status["since_ms"] if part.status["standing"] == self.standing else draft.now_ms
        if self.owner.kind == "project":
            _tell(draft, self.owner.number, IN_CORE[self.standing])
        status = {"standing": self.standing, "spent_micro": self.spent_micro, "since_ms": since_ms}
        after = replace(part, id=id_of(KIND, self.owner), status=status)
        draft.put(after)
        return after


def _tell(draft: Draft, project: int, standing: int) -> None:
    """Tell the core, unless it knows."""
    if int(draft.world.state.project_standing[project]) != standing:
        tell_core(draft, row(STANDING, draft.now_ms, project, standing))
