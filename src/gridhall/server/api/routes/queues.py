"""The queues: one for each priority."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from gridhall.server.api.answer import answer_object
from gridhall.server.api.caller import Asking, Caller, missing, needs
from gridhall.server.api.paging import answer_page
from gridhall.server.objects.job import PRIORITIES
from gridhall.server.objects.page import Page
from gridhall.server.objects.queue import Queue
from gridhall.server.views.queues import QueueCounts, queue_object

router = APIRouter()


@router.get("/v1/queues", response_model=Page[Queue], **needs("read", "queue"))
async def read_queues(request: Request, caller: Asking) -> Response:
    """Every queue, the most urgent last."""
    return answer_page([_queue(request, caller, place) for place in range(len(PRIORITIES))], None)


@router.get("/v1/queues/{queue}", response_model=Queue, **needs("read", "queue"))
async def read_queue(request: Request, queue: str, caller: Asking) -> Response:
    """One queue."""
    place = next((place for place, name in enumerate(PRIORITIES) if name == queue), None)
    if place is None:
        raise missing("queue", queue)
    return answer_object(_queue(request, caller, place))


def _queue(request: Request, caller: Caller, place: int) -> Queue:
    def may(organisation: str, project: str) -> bool:
        return caller.may(organisation, project, "read", "job")

    counts: QueueCounts = request.app.state.queues
    return queue_object(caller.world, counts.of(caller.world), place, may, caller.service.loop.now_ms())
