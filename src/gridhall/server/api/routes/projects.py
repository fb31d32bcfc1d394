"""Projects: what an organisation divides its work and its share into."""

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
from gridhall.server.objects.part import Id
from gridhall.server.objects.tenancy import Project, ProjectChange, ProjectRequest, TenantSpec, TenantStatus
from gridhall.server.tenants.tenants import ChangeTenant, CloseTenant, MakeTenant, live_jobs

router = APIRouter()
KIND = "project"


@router.get("/v1/projects", response_model=Page[Project], **needs("read", KIND))
async def read_projects(caller: Asking, cut: Paging, organisation: Id | None = None) -> Response:
    """The projects that the caller may see."""
    return answer_many(readable(caller, organisation), cut, view_in(caller.world))


@router.post("/v1/projects", status_code=201, response_model=Project, **needs("create", KIND))
async def create_project(asked: ProjectRequest, caller: Writing) -> Response:
    """Make a project of an organisation."""
    organisation = asked.organisation or caller.principal.organisation
    caller.must(organisation, "")
    id = new_id("prj")
    new = fresh(caller, id, asked.name, organisation, id, asked.spec)
    return await put(caller, Target(id, organisation, id), MakeTenant(new), view_in(caller.world), 201)


@router.get("/v1/projects/{project}", response_model=Project, **needs("read", KIND))
async def read_project(project: str, caller: Asking) -> Response:
    """One project."""
    return answer_one(found(caller, KIND, project), view_in(caller.world))


@router.put("/v1/projects/{project}", response_model=Project, **needs("update", KIND))
async def change_project(project: str, asked: ProjectChange, caller: Writing) -> Response:
    """Give a project another name or weight."""
    old = found(caller, KIND, project)
    change = ChangeTenant(KIND, old.id, version_seen(caller), asked.name, asked.spec.model_dump())
    return await put(caller, target_of(old), change, view_in(caller.world))


@router.delete("/v1/projects/{project}", response_model=Project, **needs("delete", KIND))
async def close_project(project: str, caller: Writing) -> Response:
    """Close a project that has no jobs that wait or run."""
    old = found(caller, KIND, project)
    return await put(caller, target_of(old), CloseTenant(KIND, old.id, caller.expected), view_in(caller.world))


def view_in(world: World) -> View:
    """How a project is shown."""

    def view(resource: Resource) -> Project:
        return Project(
            metadata=metadata_of(resource),
            spec=TenantSpec.model_validate(resource.spec),
            status=TenantStatus(number=resource.number, live_jobs=live_jobs(world, resource)),
        )

    return view
