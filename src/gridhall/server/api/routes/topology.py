"""The topology as a tree."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from gridhall.server.api.answer import answer_object
from gridhall.server.api.caller import Asking, needs
from gridhall.server.objects.topology import Topology
from gridhall.server.views.topology import WholeTopology, topology

router = APIRouter()


@router.get("/v1/topology", response_model=Topology, **needs("read", "topology"))
async def read_topology(request: Request, caller: Asking) -> Response:
    """Sites, halls, pods, racks and nodes: all of it for who may drain nodes or audit everything.

    Everybody else sees the racks that work stands in which they may read.
    """

    def may(organisation: str, project: str) -> bool:
        return caller.may(organisation, project, "read", "job")

    if may("", ""):
        whole: WholeTopology = request.app.state.topology
        return Response(whole.json, media_type="application/json")
    return answer_object(topology(caller.world, False, may))
