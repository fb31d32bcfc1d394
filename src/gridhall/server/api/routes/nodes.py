"""The nodes of the racks: reading them, and taking them out of service and back."""

from bisect import bisect_right
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from gridhall.server.api.answer import answer_object
from gridhall.server.api.caller import Asking, Caller, Writing, missing, needs
from gridhall.server.api.paging import Paging, answer_page
from gridhall.server.api.write import Answer, Target, write
from gridhall.server.live.nodes import Mark, MarkNode
from gridhall.server.live.world import Resource
from gridhall.server.objects.fleet import Node, NodeHealth, NodeNote, NodeProvisioning
from gridhall.server.objects.page import Page
from gridhall.server.objects.part import Id
from gridhall.server.views.nodes import Chosen, NodeViews, choose

router = APIRouter()

NO_NOTE = NodeNote()


async def _chosen(
    site: Id = "",
    hall: Id = "",
    rack: Id = "",
    hardware: Id = "",
    provisioning: NodeProvisioning | None = None,
    health: NodeHealth | None = None,
) -> Chosen:
    return Chosen(site, hall, rack, hardware, provisioning or "", health or "")


@router.get("/v1/nodes", response_model=Page[Node], **needs("read", "node"))
async def read_nodes(caller: Asking, cut: Paging, chosen: Annotated[Chosen, Depends(_chosen)]) -> Response:
    """The nodes in the order of the fleet; of work that the caller may not read only the GPUs are told."""
    fleet, now_ms = caller.world.fleet, caller.service.loop.now_ms()
    found = choose(caller.world, chosen, now_ms)
    begin = bisect_right(found, fleet.node_of_id.get(cut.after, -1)) if cut.after else 0
    page = found[begin : begin + cut.limit]
    more = begin + len(page) < len(found)
    views = _views(caller)
    return answer_page([views.object(node) for node in page], fleet.node_ids[page[-1]] if more else None)


@router.get("/v1/nodes/{node}", response_model=Node, **needs("read", "node"))
async def read_node(node: str, caller: Asking) -> Response:
    """One node."""
    found = _views(caller).object(find_node(caller, node))
    return answer_object(found, found.metadata.version)


@router.post("/v1/nodes/{node}:cordon", response_model=Node, **needs("drain", "node"))
async def cordon(node: str, caller: Writing, asked: NodeNote = NO_NOTE) -> Response:
    """Let no new work onto a node; what runs on it goes on."""
    return await _mark(caller, node, "cordon", asked)


@router.post("/v1/nodes/{node}:uncordon", response_model=Node, **needs("drain", "node"))
async def uncordon(node: str, caller: Writing, asked: NodeNote = NO_NOTE) -> Response:
    """Let work onto a node again."""
    return await _mark(caller, node, "uncordon", asked)


@router.post("/v1/nodes/{node}:drain", status_code=202, response_model=Node, **needs("drain", "node"))
async def drain(node: str, caller: Writing, asked: NodeNote = NO_NOTE) -> Response:
    """Cordon a node and tell all that runs on it to stop; it saves its work if it can, and waits for another turn."""
    return await _mark(caller, node, "drain", asked, 202)


async def _mark(caller: Caller, node: str, mark: Mark, asked: NodeNote, status: int = 200) -> Response:
    caller.must_everywhere(node)
    place = find_node(caller, node)
    change = MarkNode(place, mark, asked.note, caller.principal.id, caller.expected)

    def answer(kept: Resource) -> Answer:
        return Answer(status, _views(caller).object(place), kept.version)

    def rehearse() -> Answer:
        planned = change.plan(caller.world, caller.service.loop.now_ms())
        return Answer(status, _views(caller).rehearsed(place, planned), planned.version)

    return await write(caller, Target(node, ""), change, answer, rehearse)


def find_node(caller: Caller, node: str) -> int:
    """The index of a node by its id. Raises the problem (404)."""
    place = caller.world.fleet.node_of_id.get(node)
    if place is None:
        raise missing("node", node)
    return place


def _views(caller: Caller) -> NodeViews:
    def may(organisation: str, project: str) -> bool:
        return caller.may(organisation, project, "read", "job")

    return NodeViews(caller.world, may, caller.service.loop.now_ms())
