"""A small busy twin for tests: quotas, failures, reservations and too few GPUs, over a few days."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gridhall.engines.twin.settings import Plan, Reservation, WorldSettings
from gridhall.engines.twin.tables import TABLES, Ints
from gridhall.fleet.synthetic import uniform_fleet
from gridhall.scheduling.policy import load_policy
from gridhall.tenancy import Organisation, Project, Tenancy
from gridhall.units import DAY_MS, HOUR_MS
from gridhall.work.generator import generate
from gridhall.work.profiles import profile

GPUS = 1_152


FEED_HEADROOM, LOAD = 850, 1.6


def small_plan(days: int = 4, seed: int = 1, gpus: int = GPUS, record: Path | None = None, jobs: int = 1_200) -> Plan:
    """Two sites of H100 racks whose power feeds are tight, offered more work than they can do."""
    fleet = uniform_fleet(gpus, shares=(60, 40), hardware="h100", nodes_per_rack=4, feed_headroom=FEED_HEADROOM)
    end_ms = days * DAY_MS
    work = generate(profile("training-cloud"), seed=seed, start_ms=0, end_ms=end_ms, fleet=fleet, jobs=jobs, load=LOAD)
    owners = work.project_organisation.tolist()
    quota = gpus // len(work.organisations)
    tenancy = Tenancy(
        tuple(Organisation(name, quota_gpus=quota, borrow_gpus=quota * 4) for name in work.organisations),
        tuple(Project(name, work.organisations[owner]) for name, owner in zip(work.projects, owners, strict=True)),
    )
    world = WorldSettings(failures_per_1000_node_days=20.0)
    kept = Reservation(project=0, cells=3, nodes=8, from_ms=30 * HOUR_MS, until_ms=60 * HOUR_MS, asked_ms=6 * HOUR_MS)
    return Plan(fleet, work, tenancy, load_policy(), world, 0, end_ms, seed, (kept,), record)


def without_failures(plan: Plan) -> Plan:
    """The same in a world where nothing breaks."""
    return replace(plan, world=replace(plan.world, failures_per_1000_node_days=0.0))


@dataclass
class Kept:
    """A sink that keeps all tables."""

    batches: dict[str, list[dict[str, Ints]]]

    def __init__(self) -> None:
        self.batches = {name: [] for name in TABLES}

    def write(self, table: str, columns: dict[str, Ints]) -> None:
        """Keep a batch."""
        self.batches[table].append({name: values.copy() for name, values in columns.items()})

    def column(self, table: str, name: str) -> Ints:
        """One column of all batches."""
        return np.concatenate([np.zeros(0, np.int64), *(batch[name] for batch in self.batches[table])])
