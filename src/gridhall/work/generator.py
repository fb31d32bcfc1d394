"""Synthetic work: a profile's laws, fitted to a fleet and a span of time, as a stream of job tables.

`generate` first fits: it solves the run times' scale so that the expected GPU-time is the load asked for, and reports
the factor over the published mean run as `stretch`. The stream is then made in chunks of CHUNK jobs. Chunk k holds the
k-th share of the arrivals, drawn from words keyed by (seed, stream, k): any chunk can be made by itself, a year of ten
million jobs never stands in memory, and the same seed gives the same jobs on every machine (see `draws.py`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gridhall.errors import fault
from gridhall.work.fitting import Fit, fit
from gridhall.work.hosts import Hosts
from gridhall.work.making import CHUNK, Stream, make, recipe
from gridhall.work.people import people
from gridhall.work.profiles import Profile
from gridhall.work.table import JobTable, Workload


@dataclass(frozen=True)
class SyntheticWorkload(Workload):
    """A generated workload: what was asked for, what fitting found, and any chunk of it by number."""

    profile: Profile
    seed: int
    start_ms: int
    end_ms: int
    jobs: int
    load: float  # expected GPU-time of the jobs over the online GPU-time of the span
    stretch: float  # expected mean run time over the profile's published (or stated) mean
    mean_run_s: float  # expected
    mean_gpus: float  # expected
    chunk_count: int
    chunk: Callable[[int], JobTable]


def generate(
    profile: Profile,
    *,
    seed: int,
    start_ms: int,
    end_ms: int,
    fleet: Hosts,
    jobs: int | None = None,
    load: float | None = None,
    users_seed: int | None = None,
) -> SyntheticWorkload:
    """Jobs of `profile` for `fleet`, submitted from `start_ms` to `end_ms` (ms UTC).

    `jobs` and `load` (share of the online GPU-time that is offered) together stretch the run times. With one of them,
    run times are as published and the other follows; with neither, the load is the profile's. `users_seed` draws the
    users and their job names apart from the jobs, so that many seeds can share one population.
    Raises InputError for an empty span, a fleet that is never on line, or figures that are not positive.
    """
    for number in (seed, users_seed or 0):
        _check(profile, number, start_ms, end_ms, jobs, load)
    population = people(profile, seed if users_seed is None else users_seed, Stream.NAMES)
    fitted = fit(profile, population, fleet, start_ms, end_ms, jobs=jobs, load=load)
    made_from = recipe(profile, seed, fitted, population)
    return _workload(profile, seed, start_ms, end_ms, fitted, lambda index: make(made_from, index))


def _workload(
    profile: Profile, seed: int, start_ms: int, end_ms: int, fitted: Fit, chunk: Callable[[int], JobTable]
) -> SyntheticWorkload:
    chunk_count = -(-fitted.jobs // CHUNK)
    origin = f"synthetic: generator profile {profile.name}, seed {seed}, run times stretched {fitted.stretch:.2f} times"

    def chunks() -> Iterator[JobTable]:
        return (chunk(index) for index in range(chunk_count))

    return SyntheticWorkload(
        title=profile.title,
        origin=origin,
        projects=tuple(f"project-{index:03d}" for index in range(profile.projects)),
        organisations=tuple(f"organisation-{index:02d}" for index in range(profile.organisations)),
        project_organisation=np.arange(profile.projects, dtype=np.int64) % profile.organisations,
        chunks=chunks,
        profile=profile,
        seed=seed,
        start_ms=start_ms,
        end_ms=end_ms,
        jobs=fitted.jobs,
        load=fitted.load,
        stretch=fitted.stretch,
        mean_run_s=fitted.mean_run_s,
        mean_gpus=fitted.mean_gpus,
        chunk_count=chunk_count,
        chunk=chunk,
    )


def _check(profile: Profile, seed: int, start_ms: int, end_ms: int, jobs: int | None, load: float | None) -> None:
    where = f"generator profile {profile.name}"
    if not 0 <= seed < 1 << 63:
        raise fault(where, "seed", f"{seed} is out of range", "give a whole number from 0 to 2^63 - 1")
    if end_ms <= start_ms:
        raise fault(where, "end_ms", f"the span ends at {end_ms}, not after its start {start_ms}", "give a later end")
    if jobs is not None and jobs <= 0:
        raise fault(where, "jobs", f"{jobs} jobs were asked for", "give at least 1, or leave it out and give a load")
    if load is not None and not 0 < load < 100:
        raise fault(where, "load", f"{load} is not a share of the fleet", "give a positive share such as 0.88")
