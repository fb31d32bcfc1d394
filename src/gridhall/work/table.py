"""Jobs as columns: what every reader and generator produces and the twin consumes, in order of submission."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

OUTCOMES = ("completed", "failed", "cancelled", "timeout")
"""How a job ends when left to itself; the index is the value of `outcome`."""
TIERS = ("rigid", "slow10", "slow25", "slow50", "deferrable", "movable")
"""Flex tiers, DESIGN and energy.md: the index is the value of `tier`."""
RIGID, SLOW50, DEFERRABLE = (TIERS.index(tier) for tier in ("rigid", "slow50", "deferrable"))
ANYWHERE = (1 << 60) - 1


@dataclass(frozen=True)
class JobTable:
    """A run of jobs sorted by `submit_ms`; every column is int64 and has one entry a job."""

    job_id: Ints  # unique, >= 0
    submit_ms: Ints
    duration_ms: Ints  # true run time at full speed without interruption: known to the twin, never to the core
    limit_ms: Ints  # time limit that the user asked for; 0 = none
    gpus: Ints  # GPUs of the whole gang; 1 for a shared GPU
    gpus_per_node: Ints  # least GPUs on one node; 0 = as many as the hardware has
    gpu_milli: Ints  # 1000 = whole GPUs; below that, the share of one GPU
    cpu_milli: Ints  # 1/1000 core, for shared-GPU and single-node work; 0 = in proportion to GPUs
    mem_mib: Ints  # as above
    project: Ints  # index into `Workload.projects`
    user: Ints  # index, unique over projects
    name: Ints  # job name as an index, unique within a user: what the predictor may learn from
    priority: Ints  # 0 scavenger (pre-emptible), 1 normal, 2 high, 3 urgent (may pre-empt 0 and pre-emptible 1)
    preemptible: Ints  # 1 = may be stopped at a checkpoint for higher work
    tier: Ints  # index into TIERS
    checkpoint_ms: Ints  # interval of checkpoints; 0 = none
    checkpoint_cost_ms: Ints  # time to write one checkpoint
    places: Ints  # bit mask of allowed sites (bit = site index of the fleet); ANYWHERE = no restriction
    hardware: Ints  # bit mask of allowed hardware types (bit = hw index of the fleet); ANYWHERE
    deadline_ms: Ints  # 0 = none
    min_gpus: Ints  # elasticity: 0 = not elastic
    max_gpus: Ints
    power_milli: Ints  # share of a GPU's dynamic power (max - idle) that the job draws, per mille
    outcome: Ints  # index into OUTCOMES

    def __len__(self) -> int:
        return len(self.job_id)

    def take(self, rows: slice | NDArray[np.int64] | NDArray[np.bool_]) -> "JobTable":
        """The chosen rows, as views where `rows` is a slice."""
        return JobTable(**{column.name: getattr(self, column.name)[rows] for column in fields(self)})


@dataclass(frozen=True)
class Workload:
    """Jobs to run and the names behind their indexes.

    `chunks()` gives JobTables in order of submission, again from the start at each call, so that a year of ten
    million jobs
    never stands in memory at once. `origin` says where the jobs come from: `synthetic` or the trace's attribution.
    """

    title: str
    origin: str
    projects: tuple[str, ...]
    organisations: tuple[str, ...]
    project_organisation: Ints  # index into organisations, one a project
    chunks: Callable[[], Iterator[JobTable]]
