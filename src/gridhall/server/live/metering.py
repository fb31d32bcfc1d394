"""Metering: the usage interval of an attempt, from what the attempt's row and its job's say.

An attempt is metered from the decision that gave it its GPUs to the decision that took them back. Of what is open the
same function says what it would be if it ended now. A host without GPUs is counted in its units of allocation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from gridhall.money.attribution import SiteEnergy, attribute
from gridhall.money.intervals import Cause, UsageInterval
from gridhall.server.live.fleet_map import FleetMap
from gridhall.server.live.work import Attempt, Job
from gridhall.server.objects.job import JobSpec

ON_DEMAND, CURTAILABLE, SPOT = "on-demand", "curtailable", "spot"
"""Tiers of a rate book."""


@dataclass(frozen=True)
class Meters:
    """The fleet, and what is known about the energy of its sites, by site id (empty = nothing)."""

    fleet: FleetMap
    energy: Mapping[str, SiteEnergy] = field(default_factory=dict[str, SiteEnergy])

    def interval(self, job: Job, attempt: Attempt, end_ms: int) -> UsageInterval:
        """An attempt's usage from its decision until a time."""
        return self.usage(job, attempt, price_tier(JobSpec.model_validate_json(job.spec)), end_ms)

    def usage(self, job: Job, attempt: Attempt, tier: str, end_ms: int) -> UsageInterval:
        """As `interval`, for a job whose tier is known."""
        arrays, cell = self.fleet.arrays, attempt.cell
        site, hardware = int(arrays.cell_site[cell]), int(arrays.cell_hw[cell])
        taken_milli = max(1, len(attempt.places[0].gpus)) * attempt.gpu_milli
        per_node = int(arrays.hw_gpus_per_node[hardware])
        idle_w = self._idle_w(hardware) * taken_milli // (1000 * per_node)
        found = UsageInterval(
            job=job.number,
            attempt=attempt.attempt,
            organisation=job.organisation,
            project=job.project,
            site=arrays.site_names[site],
            country=arrays.site_country[site],
            sku=arrays.hw_names[hardware],
            tier=tier,
            state="allocated",
            start_ms=attempt.decided_ms,
            end_ms=end_ms,
            gpu_milli=taken_milli * len(attempt.places),
            draw_w=idle_w * len(attempt.places) + attempt.watts,
            cause=cause_of(attempt),
        )
        known = self.energy.get(found.site)
        return found if known is None else attribute(found, known)

    def _idle_w(self, hardware: int) -> int:
        """Watts of a whole node that does nothing."""
        arrays = self.fleet.arrays
        gpus_w = int(arrays.hw_gpus_per_node[hardware] * arrays.hw_gpu_idle_w[hardware])
        return int(arrays.hw_node_fixed_w[hardware]) + gpus_w


def closed_intervals(meters: Meters, jobs: Mapping[int, Job], closed: Iterable[Attempt]) -> list[UsageInterval]:
    """The intervals of attempts that are over; one that had no length has none."""
    lasted = (each for each in closed if each.ended_ms > each.decided_ms)
    return [meters.interval(jobs[each.job], each, each.ended_ms) for each in lasted]


def price_tier(spec: JobSpec) -> str:
    """The tier of the rate book that a job is charged by: what the operator may do to it decides."""
    if spec.tier > 0:
        return CURTAILABLE
    return SPOT if spec.preemptible else ON_DEMAND


def cause_of(attempt: Attempt) -> Cause:
    """What opened an attempt's interval."""
    if attempt.swapped:
        return "swap"
    return "start" if attempt.attempt == 1 else "restart"


def interval_row(interval: UsageInterval) -> dict[str, object]:
    """An interval as its table keeps it."""
    return {"id": interval.id, "gpu_milli_ms": interval.gpu_milli_ms, **asdict(interval)}
