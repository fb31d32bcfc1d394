"""Organisations: made and closed by the operator, named and weighed by the operator too."""

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.server.api.caller import Asking, Writing, needs
from gridhall.server.api.paging import Paging
from gridhall.server.api.resources import (
    View,
    answer_many,
    answer_one,
    found,
    fresh,
    metadata_of,
    put,
    readable,
    target_of,
    version_seen,
)
from gridhall.server.api.write import Target
from gridhall.server.ids import new_id
from gridhall.server.live.world import Resource, World
from gridhall.server.objects.page import Page
from gridhall.server.objects.tenancy import Organisation, OrganisationRequest, TenantSpec, TenantStatus
from gridhall.server.tenants.tenants import ChangeTenant, CloseTenant, MakeTenant, live_jobs

router = APIRouter()
KIND = "organisation"


@router.get("/v1/organisations", response_model=Page[Organisation], **needs("read", KIND))
async def read_organisations(caller: Asking, cut: Paging) -> Response:
    """The organisations that the caller may see."""
    return answer_many(readable(caller, None), cut, view_in(caller.world))


@router.post("/v1/organisations", status_code=201, response_model=Organisation, **needs("create", KIND))
async def create_organisation(asked: OrganisationRequest, caller: Writing) -> Response:
    """Make an organisation."""
    caller.must_everywhere()
    id = new_id("org")
    new = fresh(caller, id, asked.name, id, "", asked.spec)
    return await put(caller, Target(id, id), MakeTenant(new), view_in(caller.world), 201)


@router.get("/v1/organisations/{organisation}", response_model=Organisation, **needs("read", KIND))
async def read_organisation(organisation: str, caller: Asking) -> Response:
    """One organisation."""
    return answer_one(found(caller, KIND, organisation), view_in(caller.world))


@router.put("/v1/organisations/{organisation}", response_model=Organisation, **needs("update", KIND))
async def change_organisation(organisation: str, asked: OrganisationRequest, caller: Writing) -> Response:
    """Give an organisation another name or weight."""
    old = found(caller, KIND, organisation)
    if asked.spec != TenantSpec.model_validate(old.spec):
        caller.must_everywhere(organisation)  # its weight beside others is not its own affair
    change = ChangeTenant(KIND, old.id, version_seen(caller), asked.name, asked.spec.model_dump())
    return await put(caller, target_of(old), change, view_in(caller.world))


@router.delete("/v1/organisations/{organisation}", response_model=Organisation, **needs("delete", KIND))
async def close_organisation(organisation: str, caller: Writing) -> Response:
    """Close an organisation that has no projects any more. Its principals' tokens are not accepted from then on."""
    old = found(caller, KIND, organisation)
    return await put(caller, target_of(old), CloseTenant(KIND, old.id, caller.expected), view_in(caller.world))


def view_in(world: World) -> View:
    """How an organisation is shown."""

    def view(resource: Resource) -> Organisation:
        return Organisation(
            metadata=metadata_of(resource),
            spec=TenantSpec.model_validate(resource.spec),
            status=TenantStatus(number=resource.number, live_jobs=live_jobs(world, resource)),
        )

    return view
