"""Metrics for Prometheus."""

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import PlainTextResponse, Response

router = APIRouter()


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """What Prometheus scrapes. It names sites, feeds and engines, never a tenant."""
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE_LATEST)
