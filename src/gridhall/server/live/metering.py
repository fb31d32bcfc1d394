"""Metering: the usage interval of an attempt, from what the attempt's row and its job's say.

An attempt is metered from the decision that gave it its GPUs to the decision that took them back. Of what is open the
same function says what it would be if it ended now. A host without GPUs is counted in its units of allocation.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from gridhall.money.attribution import SiteEnergy, Steps, attribute
from gridhall.money.intervals import Cause, UsageInterval
from gridhall.server.live.fleet_map import FleetMap
from gridhall.server.live.work import Attempt, Job
from gridhall.units import HOUR_MS
from gridhall.work import TIERS


@dataclass(frozen=True, slots=True)
class Taken:
    """An allocation: so many nodes of a cell, on each so many GPUs with a share of each in 1/1000.

    `watts` are what all of it is charged for above idle.
    """

    cell: int
    nodes: int
    gpus: int
    gpu_milli: int
    watts: int


@dataclass(frozen=True)
class Meters:
    """The fleet, and what is known about the energy of its sites, by site id (a site that is not there: nothing)."""

    fleet: FleetMap
    energy: Mapping[str, SiteEnergy] = field(default_factory=dict[str, SiteEnergy])

    def interval(self, job: Job, attempt: Attempt, end_ms: int) -> UsageInterval:
        """An attempt's usage from its decision until a time."""
        taken = Taken(attempt.cell, len(attempt.places), attempt.units, attempt.gpu_milli, attempt.watts)
        whose: dict[str, Any] = {
            "job": job.number,
            "attempt": attempt.attempt,
            "organisation": job.organisation,
            "project": job.project,
            "cause": cause_of(attempt),
        }
        return self.usage(taken, price_tier(job), attempt.decided_ms, end_ms, **whose)

    def usage(self, taken: Taken, tier: str, start_ms: int, end_ms: int, **whose: Any) -> UsageInterval:
        """The usage of an allocation; without `whose`, of one that is nobody's yet."""
        arrays, cell = self.fleet.arrays, taken.cell
        site, hardware = int(arrays.cell_site[cell]), int(arrays.cell_hw[cell])
        taken_milli = taken.gpus * taken.gpu_milli
        idle_w = self._idle_w(hardware) * taken_milli // (1000 * int(arrays.hw_gpus_per_node[hardware]))
        found = UsageInterval(
            site=arrays.site_names[site],
            country=arrays.site_country[site],
            sku=arrays.hw_names[hardware],
            tier=tier,
            state="allocated",
            start_ms=start_ms,
            end_ms=end_ms,
            gpu_milli=taken_milli * taken.nodes,
            draw_w=idle_w * taken.nodes + taken.watts,
            **(NOBODY | whose),
        )
        return self.attributed(found)

    def attributed(self, interval: UsageInterval) -> UsageInterval:
        """An interval with its energy and carbon, as far as they are known."""
        site = self.fleet.arrays.site_names.index(interval.site)
        return attribute(interval, self.energy.get(interval.site) or self._overhead_only(site))

    def _overhead_only(self, site: int) -> SiteEnergy:
        """A site of whose grid nothing is known: its declared overhead, and carbon that is assumed 0."""
        return SiteEnergy(int(self.fleet.arrays.site_pue_milli[site]), "declared", UNKNOWN)

    def _idle_w(self, hardware: int) -> int:
        """Watts of a whole node that does nothing."""
        arrays = self.fleet.arrays
        gpus_w = int(arrays.hw_gpus_per_node[hardware] * arrays.hw_gpu_idle_w[hardware])
        return int(arrays.hw_node_fixed_w[hardware]) + gpus_w


NOBODY: dict[str, Any] = {"job": 0, "attempt": 0, "organisation": "", "project": "", "cause": "start"}
UNKNOWN = Steps(0, HOUR_MS, np.zeros(1, dtype=np.int64), "assumed")


def closed_intervals(meters: Meters, jobs: Mapping[int, Job], closed: Iterable[Attempt]) -> list[UsageInterval]:
    """The intervals of attempts that are over; one that had no length has none."""
    lasted = (each for each in closed if each.ended_ms > each.decided_ms)
    return [meters.interval(jobs[each.job], each, each.ended_ms) for each in lasted]


def price_tier(job: Job) -> str:
    """The tier of the rate book that a job is charged by: its flex tier."""
    asked: dict[str, int] = json.loads(job.spec)
    return TIERS[asked.get("tier", 0)]


def cause_of(attempt: Attempt) -> Cause:
    """What opened an attempt's interval."""
    if attempt.swapped:
        return "swap"
    return "start" if attempt.attempt == 1 else "restart"


def interval_row(interval: UsageInterval) -> dict[str, object]:
    """An interval as its table keeps it."""
    return {"id": interval.id, "gpu_milli_ms": interval.gpu_milli_ms, **asdict(interval)}
