"""Reservations: nodes kept for a project from a time until a time."""

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.server.api.caller import Asking, Writing, needs
from gridhall.server.api.paging import Paging
from gridhall.server.api.rehearse import fit_reservation
from gridhall.server.api.resources import View, answer_many, answer_one, found, readable
from gridhall.server.api.scopes import only_project, project_named
from gridhall.server.api.write import Answer, Target, write
from gridhall.server.ids import new_id
from gridhall.server.live.draft import Refusal
from gridhall.server.live.reservations import Reserve
from gridhall.server.live.world import Resource
from gridhall.server.objects.fit import ReservationFit
from gridhall.server.objects.page import Page
from gridhall.server.objects.part import Id
from gridhall.server.objects.reservation import Reservation, ReservationRequest
from gridhall.server.views.reservations import reservation_object

router = APIRouter()


@router.post(
    "/v1/reservations",
    status_code=201,
    response_model=Reservation,
    responses={200: {"model": ReservationFit, "description": "dryRun: what would become of it"}},
    **needs("create", "reservation"),
)
async def reserve(asked: ReservationRequest, caller: Writing) -> Response:
    """Reserve nodes of one kind at one site. Work that may be stopped makes room when the time comes."""
    project = asked.project or only_project(caller)
    organisation, number = project_named(caller, project)
    wish = Reserve(new_id("res"), asked.name, organisation, project, number, caller.principal.id, asked.spec)
    view = _view(caller)

    def answer(decided: Resource | Refusal) -> Answer:
        if isinstance(decided, Refusal):
            raise decided
        return Answer(201, view(decided), decided.version, f"/v1/reservations/{decided.id}")

    async def rehearse() -> Answer:
        return Answer(200, await fit_reservation(caller, wish))

    return await write(caller, Target(wish.id, organisation, project), wish, answer, rehearse)


@router.get("/v1/reservations", response_model=Page[Reservation], **needs("read", "reservation"))
async def read_reservations(
    caller: Asking, cut: Paging, project: Id | None = None, organisation: Id | None = None
) -> Response:
    """Reservations that the caller may read, also those that are over."""
    return answer_many(readable(caller, organisation, project), cut, _view(caller))


@router.get("/v1/reservations/{reservation}", response_model=Reservation, **needs("read", "reservation"))
async def read_reservation(reservation: str, caller: Asking) -> Response:
    """One reservation."""
    return answer_one(found(caller, "reservation", reservation), _view(caller))


def _view(caller: Asking) -> View:
    def view(kept: Resource) -> Reservation:
        return reservation_object(caller.world, kept, caller.service.loop.now_ms())

    return view
