"""Is it there, and does it decide?"""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from gridhall.server.api.problem import Problem
from gridhall.server.live.service import Service
from gridhall.server.objects.part import Part

router = APIRouter()


class Health(Part):
    """`deciding` is false while the server only answers reads; `reason` says why."""

    deciding: bool
    reason: str
    epoch: int
    log_entries: int


@router.get("/healthz", response_model=Health)
async def health(request: Request) -> Response:
    """Whether the server is alive, and whether it decides."""
    return JSONResponse(_health(request.app.state.desk.service).model_dump())


@router.get("/readyz", response_model=Health)
async def ready(request: Request) -> Response:
    """Whether the server takes writes; 503 where it does not."""
    found = _health(request.app.state.desk.service)
    if not found.deciding:
        raise Problem(503, "read-only", found.reason, headers={"Retry-After": "5"})
    return JSONResponse(found.model_dump())


def _health(service: Service) -> Health:
    stopped = service.loop.stopped
    return Health(deciding=not stopped, reason=stopped, epoch=service.world.epoch, log_entries=service.loop.log.size)
