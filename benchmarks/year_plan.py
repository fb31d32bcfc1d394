"""What the year benchmark runs: everything on, and each thing tight enough to decide now and then.

Sixty thousand GPUs at six sites (GB300 NVL72 racks, all figures synthetic), a million jobs of the generator's
`training-cloud` profile, quotas with borrowing and lending in two levels, power limits on feeds, transformers and row
PDUs, failures at the rate of Meta's RSC-2, four advance reservations, prices and carbon by site and quarter of an hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gridhall.engines.twin.series import Sampled, SyntheticSeries, sample
from gridhall.engines.twin.settings import Plan, Reservation, WorldSettings
from gridhall.fleet.arrays import FleetArrays
from gridhall.fleet.synthetic import uniform_fleet
from gridhall.scheduling.policy import load_policy
from gridhall.tenancy import Organisation, Project, Tenancy
from gridhall.units import DAY_MS, HOUR_MS
from gridhall.work.generator import SyntheticWorkload, generate
from gridhall.work.profiles import profile
from gridhall.work.table import Workload

Ints = NDArray[np.int64]

LOAD = 0.88
DENSE_LOAD = 0.86
YEAR_DAYS = 365
FEED_HEADROOM, NODE_HEADROOM = 850, 940
"""Per mille of what the racks below could commit: feeds bind when hot work meets a full site, row PDUs now and then."""
RSC2_FAILURES = 2.34
"""Per 1,000 node-days, Meta RSC-2 (arXiv 2410.21680)."""
BORROW_SHARE, LEND_SHARE = 0.15, 0.75
"""What an organisation may borrow, of the fleet; what it lends, of its own."""
RATE_USD_PER_GPU_HOUR = 3.0
MINUTES_PER_HOUR = 60


def year_plan(gpus: int, jobs: int | None, days: int, seed: int = 1) -> tuple[Plan, SyntheticWorkload]:
    """The plan of one case; `jobs` None = as many as fill the fleet with runs as long as published."""
    fleet = uniform_fleet(gpus, feed_headroom=FEED_HEADROOM, node_headroom=NODE_HEADROOM)
    laws = profile("training-cloud" if gpus < 300_000 else "training-cloud-16k")
    load = DENSE_LOAD if jobs is None else LOAD
    end_ms = days * DAY_MS
    work = generate(laws, seed=seed, start_ms=0, end_ms=end_ms, fleet=fleet, jobs=jobs, load=load)
    world = WorldSettings(failures_per_1000_node_days=RSC2_FAILURES)
    kept = reservations(fleet, end_ms)
    return Plan(fleet, work, tenancy_of(work, fleet.gpus), load_policy(), world, 0, end_ms, seed, kept), work


def tenancy_of(work: Workload, gpus: int) -> Tenancy:
    """Quotas that add up to the fleet, half even and half by how busy a project is; organisations borrow and lend."""
    busy = np.arange(1, len(work.projects) + 1) ** -0.7
    share = 0.5 / len(work.projects) + 0.5 * busy / busy.sum()
    owners = work.project_organisation.tolist()
    projects = tuple(
        Project(name, work.organisations[owner], quota_gpus=int(gpus * part))
        for name, owner, part in zip(work.projects, owners, share, strict=True)
    )
    own = np.bincount(owners, share, len(work.organisations)) * gpus
    organisations = tuple(
        Organisation(name, borrow_gpus=int(BORROW_SHARE * gpus), lend_gpus=int(LEND_SHARE * total))
        for name, total in zip(work.organisations, own, strict=True)
    )
    return Tenancy(organisations, projects)


def reservations(fleet: FleetArrays, end_ms: int) -> tuple[Reservation, ...]:
    """Four times over the span: 64 nodes at one of the two largest sites, asked for a week ahead, kept for two days."""
    asked = [end_ms * (2 * quarter + 1) // 8 for quarter in range(4)]
    nodes = min(64, len(fleet.rack_cell) * 4)
    week, stay = min(7 * DAY_MS, end_ms // 16), min(48 * HOUR_MS, end_ms // 16)
    return tuple(
        Reservation(place, 0b11, nodes, asked_ms + week, asked_ms + week + stay, asked_ms)
        for place, asked_ms in enumerate(asked)
    )


@dataclass
class Meter:
    """A sink that adds up and keeps nothing: energy, its cost and carbon by site and minute, GPU-hours sold."""

    pue: NDArray[np.float64]  # by power node, 0 where it is no feed
    site: Ints  # by power node
    prices: NDArray[np.float64]  # site, slot; USD per MWh
    carbon: NDArray[np.float64]  # site, slot; g per kWh
    slots: Sampled
    rows: dict[str, int] = field(default_factory=dict)
    site_mwh: float = 0.0
    cost_usd: float = 0.0
    carbon_t: float = 0.0
    revenue_usd: float = 0.0
    attempts_mwh: float = 0.0

    def write(self, table: str, columns: Mapping[str, Ints]) -> None:
        """Take a batch of a table into the sums."""
        first = next(iter(columns.values()))
        self.rows[table] = self.rows.get(table, 0) + len(first)
        if table == "site_power":
            feed = columns["feed"]
            mwh = columns["it_w"] * self.pue[feed] / (MINUTES_PER_HOUR * 1e6)
            slot = (columns["minute_ms"] - self.slots.start_ms) // (15 * 60_000)
            place = self.site[feed] * self.prices.shape[1] + slot
            self.site_mwh += float(mwh.sum())
            self.cost_usd += float((mwh * self.prices.reshape(-1)[place]).sum())
            self.carbon_t += float((mwh * self.carbon.reshape(-1)[place]).sum()) / 1000
        elif table == "intervals":
            gpu_ms = int((columns["gpus"] * (columns["end_ms"] - columns["start_ms"])).sum())
            self.revenue_usd += gpu_ms / HOUR_MS * RATE_USD_PER_GPU_HOUR
            self.attempts_mwh += int(columns["energy_j"].sum()) / 3.6e9


def meter(plan: Plan) -> Meter:
    """A meter for the sites of a plan, with a synthetic price and carbon series a site."""
    fleet, sites = plan.fleet, range(len(plan.fleet.site_names))
    price = SyntheticSeries(kind="synthetic", mean=80.0, day_swing=25.0, season_swing=15.0, noise=12.0)
    carbon = SyntheticSeries(kind="synthetic", mean=150.0, day_swing=40.0, season_swing=30.0, noise=15.0)
    prices = [sample(price, plan.start_ms, plan.end_ms, plan.seed + site, Path()) for site in sites]
    carbons = [sample(carbon, plan.start_ms, plan.end_ms, plan.seed + 100 + site, Path()) for site in sites]
    return Meter(
        fleet.site_pue_milli[fleet.power_site] / 1000,
        fleet.power_site,
        np.stack([each.values for each in prices]),
        np.stack([each.values for each in carbons]),
        prices[0],
    )
