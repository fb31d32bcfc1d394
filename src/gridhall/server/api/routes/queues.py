"""The queues: one for each priority."""

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.server.api.answer import answer_object
from gridhall.server.api.caller import Asking, Caller, missing, needs
from gridhall.server.api.paging import answer_page
from gridhall.server.objects.job import PRIORITIES
from gridhall.server.objects.page import Page
from gridhall.server.objects.queue import Queue
from gridhall.server.views.queues import queue_object

router = APIRouter()


@router.get("/v1/queues", response_model=Page[Queue], **needs("read", "queue"))
async def read_queues(caller: Asking) -> Response:
    """Every queue, the most urgent last."""
    return answer_page([_queue(caller, place) for place in range(len(PRIORITIES))], None)


@router.get("/v1/queues/{queue}", response_model=Queue, **needs("read", "queue"))
async def read_queue(queue: str, caller: Asking) -> Response:
    """One queue."""
    place = next((place for place, name in enumerate(PRIORITIES) if name == queue), None)
    if place is None:
        raise missing("queue", queue)
    return answer_object(_queue(caller, place))


def _queue(caller: Caller, place: int) -> Queue:
    def may(organisation: str, project: str) -> bool:
        return caller.may(organisation, project, "read", "job")

    return queue_object(caller.world, place, may, caller.service.loop.now_ms())
