"""What a job did and said: its attempts, and the output of its processes."""

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from gridhall.server.api.caller import Asking, needs
from gridhall.server.api.jobs import find_job
from gridhall.server.api.log_stream import Output, stream
from gridhall.server.api.paging import answer_page
from gridhall.server.objects.job import AttemptStatus
from gridhall.server.objects.page import Page
from gridhall.server.queries.jobs import attempts_of
from gridhall.server.views.jobs import attempt_object

router = APIRouter()

TEXT = "text/plain; charset=utf-8"


@router.get("/v1/jobs/{job}/attempts", response_model=Page[AttemptStatus], **needs("read", "job"))
async def read_attempts(job: str, caller: Asking) -> Response:
    """Every attempt of a job, oldest first."""
    found = await find_job(caller, job)
    attempts = await attempts_of(caller.service.database, found.number)
    return answer_page([attempt_object(each) for each in attempts], None)


@router.get(
    "/v1/jobs/{job}/log",
    response_class=StreamingResponse,
    responses={200: {"content": {TEXT: {"schema": {"type": "string"}}}, "description": "the output as it comes"}},
    **needs("read", "job"),
)
async def read_log(
    job: str,
    caller: Asking,
    rank: int = Query(default=0, ge=0, le=1 << 20, description="Which process of the gang."),
    attempt: int = Query(default=0, ge=0, le=1 << 30, description="0 = the latest."),
    offset: int = Query(default=0, ge=0, le=1 << 50, description="Bytes to pass over."),
    follow: bool = Query(default=False, description="Go on until the job has ended."),
) -> Response:
    """What a process of a job wrote, both streams together, as chunks of text."""
    found = await find_job(caller, job)
    output = Output(caller.service, found, rank, follow)
    return StreamingResponse(stream(output, attempt or found.attempt, offset), media_type=TEXT)
