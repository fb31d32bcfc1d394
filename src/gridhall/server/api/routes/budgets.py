"""Budgets: money for a month. An organisation's is set by the operator, a project's by its organisation."""

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.server.api.caller import Asking, Writing, needs
from gridhall.server.api.paging import Paging
from gridhall.server.api.resources import answer_many, answer_one, metadata_of, put, target_of, version_seen
from gridhall.server.api.routes.quotas import found_part, readable_parts
from gridhall.server.live.world import Resource
from gridhall.server.objects.page import Page
from gridhall.server.objects.part import Id
from gridhall.server.objects.tenancy import Budget, BudgetRequest, BudgetSpec, BudgetStatus
from gridhall.server.tenants.budgets import FRESH, KIND, SetBudget

router = APIRouter()


@router.get("/v1/budgets", response_model=Page[Budget], **needs("read", KIND))
async def read_budgets(
    caller: Asking, cut: Paging, organisation: Id | None = None, project: Id | None = None
) -> Response:
    """The budgets that the caller may see."""
    return answer_many(readable_parts(caller, organisation, project, dict(FRESH)), cut, view)


@router.get("/v1/budgets/{budget}", response_model=Budget, **needs("read", KIND))
async def read_budget(budget: str, caller: Asking) -> Response:
    """One budget: `budget.` and the id of its organisation or project."""
    return answer_one(found_part(caller, budget, dict(FRESH)), view)


@router.put("/v1/budgets/{budget}", response_model=Budget, **needs("update", KIND))
async def set_budget(budget: str, asked: BudgetRequest, caller: Writing) -> Response:
    """Set a budget; the next metering acts on it."""
    old = found_part(caller, budget, dict(FRESH))
    if not old.project:
        caller.must_everywhere(budget)
    return await put(caller, target_of(old), SetBudget(old.id, version_seen(caller), asked.spec), view)


def view(resource: Resource) -> Budget:
    """How a budget is shown."""
    return Budget(
        metadata=metadata_of(resource),
        spec=BudgetSpec.model_validate(resource.spec),
        status=BudgetStatus.model_validate(resource.status),
    )
