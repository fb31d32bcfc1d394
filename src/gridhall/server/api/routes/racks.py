"""The racks of the halls."""

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.server.api.answer import answer_object
from gridhall.server.api.caller import Asking, missing, needs
from gridhall.server.api.paging import Paging, answer_page, cut_names
from gridhall.server.objects.fleet import Rack
from gridhall.server.objects.page import Page
from gridhall.server.objects.part import Id
from gridhall.server.views.fleet import rack_object

router = APIRouter()


@router.get("/v1/racks", response_model=Page[Rack], **needs("read", "rack"))
async def read_racks(caller: Asking, cut: Paging, hall: Id = "", site: Id = "") -> Response:
    """The racks, of one site or hall or of all."""
    fleet = caller.world.fleet
    found = [
        id
        for id, of_hall in zip(fleet.rack_ids, fleet.rack_hall_ids, strict=True)
        if hall in ("", of_hall) and site in ("", id.partition(":")[0])
    ]
    page, following = cut_names(sorted(found), cut)
    return answer_page([rack_object(caller.world, fleet.rack_of_id[id]) for id in page], following)


@router.get("/v1/racks/{rack}", response_model=Rack, **needs("read", "rack"))
async def read_rack(rack: str, caller: Asking) -> Response:
    """One rack."""
    place = caller.world.fleet.rack_of_id.get(rack)
    if place is None:
        raise missing("rack", rack)
    return answer_object(rack_object(caller.world, place))
