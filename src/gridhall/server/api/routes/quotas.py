"""Quotas: an organisation's is set by the operator, a project's by its organisation."""

from collections.abc import Iterator

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.server.api.caller import Asking, Caller, Writing, missing, needs
from gridhall.server.api.paging import Paging
from gridhall.server.api.resources import View, answer_many, answer_one, metadata_of, put, target_of, version_seen
from gridhall.server.live.world import Resource, World
from gridhall.server.objects.page import Page
from gridhall.server.objects.part import Id
from gridhall.server.objects.tenancy import Quota, QuotaRequest, QuotaSpec
from gridhall.server.tenants.owners import OWNER_KINDS, owner_of, part_of
from gridhall.server.tenants.quotas import KIND, SetQuota, usage_of

router = APIRouter()


@router.get("/v1/quotas", response_model=Page[Quota], **needs("read", KIND))
async def read_quotas(
    caller: Asking, cut: Paging, organisation: Id | None = None, project: Id | None = None
) -> Response:
    """The quotas that the caller may see."""
    return answer_many(readable_parts(caller, organisation, project, {}), cut, view_in(caller.world))


@router.get("/v1/quotas/{quota}", response_model=Quota, **needs("read", KIND))
async def read_quota(quota: str, caller: Asking) -> Response:
    """One quota: `quota.` and the id of its organisation or project."""
    return answer_one(found_part(caller, quota, {}), view_in(caller.world))


@router.put("/v1/quotas/{quota}", response_model=Quota, **needs("update", KIND))
async def set_quota(quota: str, asked: QuotaRequest, caller: Writing) -> Response:
    """Set a quota. 409 where running work would be left without any."""
    old = found_part(caller, quota, {})
    if not old.project:
        caller.must_everywhere(quota)
    change = SetQuota(old.id, version_seen(caller), asked.spec)
    return await put(caller, target_of(old), change, view_in(caller.world))


def found_part(caller: Caller, id: str, status: dict[str, object]) -> Resource:
    """A quota or budget on which the caller may do what the route does."""
    owner = owner_of(caller.world.directory, id, caller.kind)
    if owner is None:
        raise missing(caller.kind, id)
    part = part_of(caller.world.directory, caller.kind, owner, status)
    caller.must(part.organisation, part.project, what=id)
    return part


def readable_parts(
    caller: Caller, organisation: str | None, project: str | None, status: dict[str, object]
) -> Iterator[Resource]:
    """The quotas or budgets that the caller may see."""
    directory = caller.world.directory
    for kind in OWNER_KINDS:
        for owner in directory.all(kind):
            part = part_of(directory, caller.kind, owner, status)
            here = organisation in (None, part.organisation) and project in (None, part.project)
            if here and caller.may(part.organisation, part.project):
                yield part


def view_in(world: World) -> View:
    """How a quota is shown."""

    def view(resource: Resource) -> Quota:
        return Quota(
            metadata=metadata_of(resource),
            spec=QuotaSpec.model_validate(resource.spec),
            status=usage_of(world, resource),
        )

    return view
