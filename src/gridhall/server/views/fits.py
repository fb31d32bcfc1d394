"""Forecasts as answers: placement, start, price, energy, carbon, and what binds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gridhall.errors import InputError
from gridhall.money.attribution import MJ_PER_KWH
from gridhall.money.rates import RateBook
from gridhall.money.rating import rate
from gridhall.scheduling.jobs import R_NONE
from gridhall.server.live.draft import Refusal
from gridhall.server.live.forecast import Foreseen, Kept
from gridhall.server.live.metering import Meters, Taken
from gridhall.server.live.submit import refusal_of
from gridhall.server.objects.fit import Estimate, Fit, ReservationFit
from gridhall.server.objects.job import JobSpec, PlaceStatus
from gridhall.server.objects.reservation import ReservationSpec
from gridhall.server.views.queues import reason_word
from gridhall.work import TIERS

NOTHING_BINDS = "nothing: it would start at once"


@dataclass(frozen=True, slots=True)
class Estimator:
    """What runs would cost, draw and emit; `book` None = no rates are set."""

    meters: Meters
    book: RateBook | None

    def estimate(self, taken: Taken, tier: str, start_ms: int, duration_ms: int) -> Estimate:
        """An allocation from a time on."""
        usage = self.meters.usage(taken, tier, start_ms, start_ms + max(1, duration_ms))
        try:
            charges = rate([usage], self.book) if self.book else None
        except InputError:
            charges = None
        return Estimate(
            duration_ms=duration_ms,
            gpu_ms=usage.gpu_milli_ms // 1000,
            price_micro=None if charges is None else sum(charge.amount_micro for charge in charges),
            currency=self.book.currency if self.book else "",
            energy_kwh=usage.energy_mj / MJ_PER_KWH,
            carbon_g=usage.carbon_mg / 1000 if usage.site in self.meters.energy else None,
        )

    def names(self, taken: Taken) -> tuple[str, str]:
        """Site and hardware of an allocation."""
        arrays = self.meters.fleet.arrays
        return arrays.site_names[int(arrays.cell_site[taken.cell])], arrays.hw_names[int(arrays.cell_hw[taken.cell])]


def fit_object(estimator: Estimator, spec: JobSpec, seen: Foreseen, helps: Sequence[str], now_ms: int) -> Fit:
    """The answer for a job; `helps` says what would let it start sooner."""
    if seen.refused is not None:
        return refused_fit(refusal_of(seen.refused))
    assert seen.taken is not None
    site, hardware = estimator.names(seen.taken)
    start_ms = seen.start_ms or now_ms
    estimates = [
        estimator.estimate(seen.taken, TIERS[spec.tier], start_ms, duration_ms)
        for duration_ms in (spec.limit_ms, min(spec.limit_ms, seen.predicted_ms or spec.limit_ms))
    ]
    return Fit(
        verdict="starts-now" if seen.places else "waits",
        reason=reason_word(seen.reason) if seen.reason != R_NONE else "none",
        constraint="; it would help to ".join([seen.words or NOTHING_BINDS, *helps[:1]]),
        start_ms=seen.start_ms,
        start_basis="now" if seen.places else seen.basis,
        site=site,
        hardware=hardware,
        places=tuple(PlaceStatus(site=each.site, node=each.node, gpus=each.gpus) for each in seen.places),
        for_limit=estimates[0],
        for_prediction=estimates[1],
    )


def refused_fit(refusal: Refusal) -> Fit:
    """The answer for a job that can never run."""
    return Fit(
        verdict="refused",
        reason=refusal.reason,
        constraint=refusal.detail,
        start_ms=None,
        start_basis="none",
        site="",
        hardware="",
        places=(),
        for_limit=None,
        for_prediction=None,
    )


def reservation_fit(estimator: Estimator, spec: ReservationSpec, kept: Kept, nodes: Iterator[int]) -> ReservationFit:
    """The answer for a reservation that could be made; it is priced as if rigid work used all of it."""
    fleet = estimator.meters.fleet
    arrays, hardware = fleet.arrays, int(fleet.arrays.cell_hw[kept.cell])
    per_node = int(arrays.hw_gpus_per_node[hardware])
    span_w = int(arrays.hw_gpu_max_w[hardware] - arrays.hw_gpu_idle_w[hardware])
    taken = Taken(kept.cell, spec.nodes, per_node, 1000, spec.nodes * per_node * span_w)
    site, name = estimator.names(taken)
    return ReservationFit(
        verdict="kept",
        reason="none",
        constraint=NOTHING_BINDS,
        site=site,
        hardware=name,
        nodes=tuple(fleet.node_ids[node] for node in nodes),
        from_ms=kept.from_ms,
        until_ms=spec.until_ms,
        for_span=estimator.estimate(taken, TIERS[0], kept.from_ms, spec.until_ms - kept.from_ms),
    )


def refused_reservation(spec: ReservationSpec, refusal: Refusal) -> ReservationFit:
    """The answer for a reservation that could not be made."""
    return ReservationFit(
        verdict="refused",
        reason=refusal.reason,
        constraint=refusal.detail,
        site="",
        hardware="",
        nodes=(),
        from_ms=spec.from_ms,
        until_ms=spec.until_ms,
        for_span=None,
    )
