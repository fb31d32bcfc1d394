"""Does it fit? Asked before anything is submitted."""

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.server.api.answer import answer_object
from gridhall.server.api.caller import Asking, needs
from gridhall.server.api.jobs import new_jobs
from gridhall.server.api.rehearse import fits_alone
from gridhall.server.objects.fit import FitRequest, Fits

router = APIRouter()


@router.post("/v1/fit", response_model=Fits, **needs("create", "job"))
async def fit(asked: FitRequest, caller: Asking) -> Response:
    """Where and when each of some jobs would start if it alone were submitted now, at what price and with what energy.

    Nothing is written down, not even that somebody asked.
    """
    return answer_object(Fits(items=tuple(await fits_alone(caller, new_jobs(caller, asked.jobs)))))
