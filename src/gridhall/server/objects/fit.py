"""What would become of work that is not submitted: where, when, at what price, with how much energy, and what binds.

Nothing of it is a promise: others may come first, and machines fail.
"""

from typing import Literal

from pydantic import Field

from gridhall.server.objects.job import JobRequest, PlaceStatus
from gridhall.server.objects.part import Part

Verdict = Literal["starts-now", "waits", "refused"]
StartBasis = Literal["now", "hold", "plan", "back-off", "none"]


class Estimate(Part):
    """What a run of `duration_ms` would cost, draw and emit, on the hardware named in the fit.

    `price_micro` is None where no rates are set or the rate book has no price for it, `carbon_g` where nothing is known
    of the site's grid. Energy is declared: the allocation's share of idle power and its full charge, with the overhead.
    """

    duration_ms: int
    gpu_ms: int
    price_micro: int | None
    currency: str
    energy_kwh: float
    carbon_g: float | None


class Fit(Part):
    """The answer for one job.

    `constraint` says in words what binds. While it would wait, `places` is empty and the estimates are for `site` and
    `hardware`, the first place that could take it. `for_limit` is a run up to the time limit, `for_prediction` one as
    long as similar work took in the median.
    """

    verdict: Verdict
    reason: str
    constraint: str
    start_ms: int | None
    start_basis: StartBasis
    site: str
    hardware: str
    places: tuple[PlaceStatus, ...]
    for_limit: Estimate | None
    for_prediction: Estimate | None


class FitRequest(Part):
    """Specs to be tried, each by itself on the fleet as it is now."""

    jobs: tuple[JobRequest, ...] = Field(min_length=1, max_length=20)


class Fits(Part):
    """One answer for each spec, in their order."""

    items: tuple[Fit, ...]


class ReservationFit(Part):
    """The answer for a reservation: whether it could be made, and which nodes it would keep."""

    verdict: Literal["kept", "refused"]
    reason: str
    constraint: str
    site: str
    hardware: str
    nodes: tuple[str, ...]
    from_ms: int
    until_ms: int
    for_span: Estimate | None
