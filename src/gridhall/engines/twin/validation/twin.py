"""The twin itself under the lens: goodput of a gang that keeps losing nodes, and the balance of energy and GPU time.

Unlike the other sections, these rows run the real thing: `step`, the simulated world and its meters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np

from gridhall.energy import node_power
from gridhall.engines.twin.run import run
from gridhall.engines.twin.settings import Plan, Totals, WorldSettings
from gridhall.engines.twin.tables import TABLES, Ints
from gridhall.engines.twin.validation.goodput import RATES_PER_1000_NODE_DAYS, SECTION, Gang, renewal_ettr
from gridhall.engines.twin.validation.row import Row
from gridhall.fleet.arrays import FleetArrays
from gridhall.fleet.synthetic import uniform_fleet
from gridhall.scheduling.policy import Failures, Policy, load_policy
from gridhall.tenancy import even_tenancy
from gridhall.units import DAY_MS, HOUR_MS, SECOND_MS
from gridhall.work.generator import generate
from gridhall.work.profiles import PROFILES
from gridhall.work.table import ANYWHERE, JobTable, Workload

SPARE_SHARE = 1 / 8
"""Nodes beside the gang's own, so that a failed one is replaced at once, as the closed form supposes."""
LIVES = 10_000
WITHIN_ETTR = 2e-2
ONE_WATT = 1e-5
"""Minute means are rounded down to a watt, of about a megawatt."""
EXACT = 1e-9
COMPUTED_BY = "the twin: step, world and meters"


def twin_rows() -> list[Row]:
    """Goodput against the closed form, then a week of a small fleet whose sums must agree."""
    policy = load_policy()
    gangs = [Gang("RSC-1", 16_384, 3600, 60, 600), Gang("Llama-3", 16_384, 1800, 60, 600)]
    return [*(_ettr_row(gang, policy) for gang in gangs), *_balance_rows(policy)]


# --- goodput --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TwinEttr:
    """Share of a gang's allocated time in which it made lasting progress, and how often it lost a node."""

    ettr: float
    failures: int


def twin_ettr(gang: Gang, policy: Policy, lives: int = LIVES, seed: int = 1) -> TwinEttr:
    """Run one endless gang through the twin for about `lives` failures.

    The policy decides, but for its crash-loop brake, which would give the gang up: the closed form knows none.
    """
    gpus = round(gang.gpus * (1 + SPARE_SHARE))
    fleet = uniform_fleet(gpus, shares=(100,), hardware="h100", nodes_per_rack=4)
    end_ms = round(lives / gang.failures_per_s * SECOND_MS)
    restart_ms = round(gang.restart_s * SECOND_MS)
    world = WorldSettings(
        failures_per_1000_node_days=RATES_PER_1000_NODE_DAYS[gang.rate],
        repair_median_ms=HOUR_MS,
        repair_sigma=0.0,
        start_delay_ms=restart_ms,
        restart_delay_ms=restart_ms,
        power_by_minute=False,
    )
    tenancy = even_tenancy(("organisation",), ("project",), (0,))
    totals = run(Plan(fleet, _endless(gang, end_ms), tenancy, without_brake(policy), world, 0, end_ms, seed), None)
    return TwinEttr(totals.work_gpu_ms / totals.allocated_gpu_ms, totals.decided["failure"])


def without_brake(policy: Policy) -> Policy:
    """The policy with a brake that does not bite for a thousand failures in a row."""
    return policy.model_copy(update={"failures": Failures(stuck_limit=1000, backoff_minutes=0.0)})


def _endless(gang: Gang, end_ms: int) -> Workload:
    """One gang that would run for ten times the span."""
    column = {item.name: np.zeros(1, np.int64) for item in fields(JobTable)}
    values = {
        "duration_ms": 10 * end_ms,
        "gpus": gang.gpus,
        "gpu_milli": 1000,
        "priority": 1,
        "checkpoint_ms": round(gang.interval_s * SECOND_MS),
        "checkpoint_cost_ms": round(gang.write_s * SECOND_MS),
        "places": ANYWHERE,
        "hardware": ANYWHERE,
        "power_milli": 800,
    }
    table = JobTable(**column | {name: np.array([value], np.int64) for name, value in values.items()})
    owner = np.zeros(1, np.int64)
    return Workload("one gang", "synthetic", ("project",), ("organisation",), owner, lambda: iter([table]))


def _ettr_row(gang: Gang, policy: Policy) -> Row:
    name = f"ETTR of the twin, {gang.rate}, {gang.gpus:,} GPUs, dt {gang.interval_s:.0f} s, u0 {gang.restart_s:.0f} s"
    source = "exact renewal L dt exp(-L u0) / (exp(L (dt + w)) - 1)"
    ours = twin_ettr(gang, policy)
    computed_by = f"{COMPUTED_BY}, {ours.failures:,} failures"
    return Row(SECTION, name, renewal_ettr(gang), ours.ettr, "ratio", WITHIN_ETTR, source, computed_by)


# --- balances -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """A sink that keeps every table in memory."""

    batches: dict[str, list[Mapping[str, Ints]]] = field(default_factory=lambda: {name: [] for name in TABLES})

    def write(self, table: str, columns: Mapping[str, Ints]) -> None:
        """Keep a batch."""
        self.batches[table].append({name: values.copy() for name, values in columns.items()})

    def column(self, table: str, name: str) -> Ints:
        """One column of all batches."""
        return np.concatenate([np.zeros(0, np.int64), *(batch[name] for batch in self.batches[table])])


def _balance_rows(policy: Policy) -> list[Row]:
    """A week of 1,152 GPUs under heavy failures: metered, charged and counted must be the same."""
    fleet = uniform_fleet(1_152, shares=(60, 40), hardware="h100", nodes_per_rack=4)
    end_ms = 7 * DAY_MS
    work = generate(PROFILES["acme-seren"], seed=1, start_ms=0, end_ms=6 * DAY_MS, fleet=fleet, load=0.8)
    tenancy = even_tenancy(work.organisations, work.projects, work.project_organisation.tolist())
    kept, world = Kept(), WorldSettings(failures_per_1000_node_days=65.0)
    totals = run(Plan(fleet, work, tenancy, policy, world, 0, end_ms, 1), kept)
    intervals = {name: kept.column("intervals", name) for name in TABLES["intervals"]}
    held_gpu_ms = int((intervals["gpus"] * (intervals["end_ms"] - intervals["start_ms"])).sum())
    accounted = totals.work_gpu_ms + sum(totals.lost_gpu_ms.values())
    charged_mj = (int(intervals["energy_j"].sum()) + _idle_j(fleet, totals)) / 1e6
    by_minute_mj = int(kept.column("site_power", "it_w").sum()) * 60 / 1e6
    metered_mj, racks_mj = totals.feed_joules / 1e6, totals.rack_joules / 1e6
    hours = 1 / HOUR_MS
    return [
        _balance("site meters against racks", racks_mj, metered_mj, "MJ", EXACT, "sum of every rack's energy"),
        _balance("site meters against the minute table", metered_mj, by_minute_mj, "MJ", ONE_WATT, "site meters"),
        _balance("intervals and idle GPUs against site meters", metered_mj, charged_mj, "MJ", ONE_WATT, "site meters"),
        _balance(
            "GPU time of intervals",
            totals.allocated_gpu_ms * hours,
            held_gpu_ms * hours,
            "GPU h",
            0.0,
            "allocated GPU time",
        ),
        _balance(
            "useful and lost GPU time",
            totals.allocated_gpu_ms * hours,
            accounted * hours,
            "GPU h",
            0.0,
            "allocated GPU time",
        ),
    ]


def _idle_j(fleet: FleetArrays, totals: Totals) -> int:
    """Energy of the GPUs that were on line and nobody's: what no interval is charged for."""
    node = node_power(fleet, 0)
    return (totals.online_gpu_ms - totals.allocated_gpu_ms) * node.idle_w // (node.gpus * 1000)


def _balance(name: str, stated: float, ours: float, unit: str, tolerance: float, source: str) -> Row:
    return Row("Balance of a week", name, stated, ours, unit, tolerance, f"the same run: {source}", COMPUTED_BY)
