"""What other schedulers make of the same jobs on the same fleet: FIFO, EASY, oracle SJF, oracle pre-emptive SRTF.

All four place jobs alike (`cluster`: best fit, one cell for a gang, no topology) and know nothing of power limits,
quotas, fair share, priorities, failures or racks, so they are held to less than Gridhall is. They are not like for like
in its favour. `fifo` and `easy` know what a scheduler knows; `sjf` and `srtf` know every true duration.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.blocking import run_blocking
from benchmarks.peers.cluster import SLOTS, Asked, Cluster, build
from benchmarks.peers.easy import run_easy
from benchmarks.peers.running import Running, running, waiting
from benchmarks.peers.srtf import run_shortest
from gridhall.fleet.arrays import FleetArrays
from gridhall.units import DAY_MS
from gridhall.work.table import JobTable

Ints = NDArray[np.int64]
NEVER = -1
NO_LIMIT_MS = 7 * DAY_MS
"""What EASY believes of a job without a time limit: Meta's longest job life on RSC (HPCA 2025)."""


@dataclass(frozen=True)
class Schedule:
    """One entry a job, in ms; NEVER where the job fits no allowed cell even when it is empty."""

    start_ms: Ints  # first start
    end_ms: Ints
    wait_ms: Ints  # all the time between submission and end in which the job did not run
    stops: int = 0  # pre-emptions


def fifo(fleet: FleetArrays, jobs: JobTable) -> Schedule:
    """First in, first out; the head blocks the jobs that have the same allowed cells."""
    return _blocking(fleet, jobs, jobs.submit_ms)


def sjf(fleet: FleetArrays, jobs: JobTable, *, blocking: bool = False) -> Schedule:
    """Shortest true duration first. With `blocking` the shortest job holds up the rest of its queue until it fits."""
    if blocking:
        return _blocking(fleet, jobs, jobs.duration_ms)
    return _shortest(fleet, jobs, stop=False)


def srtf(fleet: FleetArrays, jobs: JobTable) -> Schedule:
    """Shortest remaining time first; stopping and resuming are free."""
    return _shortest(fleet, jobs, stop=True)


def easy(fleet: FleetArrays, jobs: JobTable, *, no_limit_ms: int = NO_LIMIT_MS) -> Schedule:
    """EASY back-filling by the users' limits, one reservation for each cell."""
    cluster, asked = build(fleet, jobs, no_limit_ms)
    start_ms = np.full(len(jobs), NEVER)
    run_easy(cluster, asked, _room(cluster, asked), waiting(jobs.submit_ms), start_ms)
    return _unbroken(jobs, start_ms)


def concat(tables: Iterable[JobTable]) -> JobTable:
    """One table of several, in their order."""
    kept = list(tables)
    columns = {column.name: np.concatenate([getattr(t, column.name) for t in kept]) for column in fields(JobTable)}
    return JobTable(**columns)


def _blocking(fleet: FleetArrays, jobs: JobTable, key: Ints) -> Schedule:
    cluster, asked = build(fleet, jobs, NO_LIMIT_MS)
    start_ms = np.full(len(jobs), NEVER)
    run_blocking(cluster, asked, key, int(asked.queue.max()) + 1, start_ms)
    return _unbroken(jobs, start_ms)


def _shortest(fleet: FleetArrays, jobs: JobTable, *, stop: bool) -> Schedule:
    cluster, asked = build(fleet, jobs, NO_LIMIT_MS)
    start_ms, end_ms = np.full(len(jobs), NEVER), np.full(len(jobs), NEVER)
    room = _room(cluster, asked)
    stops = run_shortest(cluster, asked, room, waiting(jobs.duration_ms), stop, start_ms, end_ms)
    wait_ms = np.where(end_ms == NEVER, NEVER, end_ms - jobs.submit_ms - jobs.duration_ms)
    return Schedule(start_ms, end_ms, wait_ms, stops)


def _room(cluster: Cluster, asked: Asked) -> Running:
    """Running jobs of each cell: no more than all jobs, nor than shares of every GPU can be."""
    gpus = np.diff(cluster.node0) * cluster.gpus_per_node
    return running(np.minimum(len(asked.gpus), gpus * SLOTS + len(asked.gpus[asked.gpus == 0])))


def _unbroken(jobs: JobTable, start_ms: Ints) -> Schedule:
    never = start_ms == NEVER
    end_ms = np.where(never, NEVER, start_ms + jobs.duration_ms)
    return Schedule(start_ms, end_ms, np.where(never, NEVER, start_ms - jobs.submit_ms))
