"""Rehearsing: what the API answers to `dryRun=true` and to `POST /v1/fit`, from copies of the durable state."""

from collections.abc import Sequence

from gridhall.controller.state import ControllerState
from gridhall.server.api.caller import Caller
from gridhall.server.live.draft import Refusal
from gridhall.server.live.forecast import FORECAST_NUMBER, foresee, foresee_reservation, room_for
from gridhall.server.live.reservations import Reserve, check_times, refused
from gridhall.server.live.submit import NewJob
from gridhall.server.objects.fit import Fit, ReservationFit
from gridhall.server.views.fits import Estimator, fit_object, refused_fit, refused_reservation, reservation_fit
from gridhall.server.views.reservations import held_nodes
from gridhall.server.views.why import helps_for


async def fits_together(caller: Caller, jobs: Sequence[NewJob]) -> list[Fit]:
    """What would become of jobs that are submitted one after the other."""
    state, _, _ = await caller.service.loop.frozen()
    copy = room_for(state, len(jobs))
    return [_fit(caller, copy, job, place) for place, job in enumerate(jobs)]


async def fits_alone(caller: Caller, jobs: Sequence[NewJob]) -> list[Fit]:
    """What would become of each of some jobs if it alone were submitted."""
    state, _, _ = await caller.service.loop.frozen()
    return [_fit(caller, room_for(state.fork(), 1), job, 0) for job in jobs]


def _fit(caller: Caller, copy: ControllerState, job: NewJob, place: int) -> Fit:
    world, now_ms = caller.world, caller.service.loop.now_ms()
    try:
        seen = foresee(copy, world.fleet, job, FORECAST_NUMBER + place, now_ms)
    except Refusal as refusal:
        return refused_fit(refusal)
    waits = seen.refused is None and not seen.places
    helps = list(helps_for(copy, world.fleet, seen.slot, seen.reason)) if waits else []
    return fit_object(estimator_of(caller), job.spec, seen, helps, now_ms)


async def fit_reservation(caller: Caller, wish: Reserve) -> ReservationFit:
    """What would become of a reservation."""
    state, _, _ = await caller.service.loop.frozen()
    now_ms, fleet = caller.service.loop.now_ms(), caller.world.fleet
    try:
        check_times(wish.spec, now_ms)
        kept = foresee_reservation(state, fleet, wish.spec, wish.project_number, now_ms)
    except Refusal as refusal:
        return refused_reservation(wish.spec, refusal)
    if kept is None:
        return refused_reservation(wish.spec, refused(wish.spec))
    return reservation_fit(estimator_of(caller), wish.spec, kept, held_nodes(state, kept.hold))


def estimator_of(caller: Caller) -> Estimator:
    """Estimates at the rates that are set."""
    return Estimator(caller.world.meters, caller.service.settings.rates)
