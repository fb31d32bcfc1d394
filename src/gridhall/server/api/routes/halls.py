"""The halls of the sites."""

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.server.api.answer import answer_object
from gridhall.server.api.caller import Asking, missing, needs
from gridhall.server.api.paging import Paging, answer_page, cut_names
from gridhall.server.objects.fleet import Hall
from gridhall.server.objects.page import Page
from gridhall.server.objects.part import Id
from gridhall.server.views.fleet import hall_object

router = APIRouter()


@router.get("/v1/halls", response_model=Page[Hall], **needs("read", "hall"))
async def read_halls(caller: Asking, cut: Paging, site: Id = "") -> Response:
    """The halls, of one site or of all."""
    fleet = caller.world.fleet
    found = sorted(hall.id for hall in fleet.halls.values() if site in ("", fleet.fleet.sites[hall.site].id))
    page, following = cut_names(found, cut)
    return answer_page([hall_object(caller.world, fleet.halls[id]) for id in page], following)


@router.get("/v1/halls/{hall}", response_model=Hall, **needs("read", "hall"))
async def read_hall(hall: str, caller: Asking) -> Response:
    """One hall."""
    found = caller.world.fleet.halls.get(hall)
    if found is None:
        raise missing("hall", hall)
    return answer_object(hall_object(caller.world, found))
