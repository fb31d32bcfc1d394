"""The sites of the fleet."""

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.server.api.answer import answer_object
from gridhall.server.api.caller import Asking, missing, needs
from gridhall.server.api.paging import Paging, answer_page, cut_names
from gridhall.server.objects.fleet import FleetCapacity, Site
from gridhall.server.objects.page import Page
from gridhall.server.views.capacity import fleet_capacity
from gridhall.server.views.fleet import site_object

router = APIRouter()


@router.get("/v1/sites", response_model=Page[Site], **needs("read", "site"))
async def read_sites(caller: Asking, cut: Paging) -> Response:
    """Every site with what is free and what it may draw."""
    names = caller.world.fleet.arrays.site_names
    page, following = cut_names(sorted(names), cut)
    return answer_page([site_object(caller.world, names.index(name)) for name in page], following)


@router.get("/v1/sites/{site}", response_model=Site, **needs("read", "site"))
async def read_site(site: str, caller: Asking) -> Response:
    """One site."""
    names = caller.world.fleet.arrays.site_names
    if site not in names:
        raise missing("site", site)
    return answer_object(site_object(caller.world, names.index(site)))


@router.get("/v1/capacity", response_model=FleetCapacity, **needs("read", "site"))
async def read_capacity(caller: Asking) -> Response:
    """GPUs delivered, healthy, reserved and in use; by tenant for those whose usage the caller may read."""
    found = fleet_capacity(caller.world, caller.service.loop.now_ms())
    seen = tuple(each for each in found.tenants if caller.may(each.organisation, each.project, "read", "usage"))
    return answer_object(found.model_copy(update={"tenants": seen}))
