"""Fitting a profile to a fleet and a span: when jobs arrive, how large they may be, how long they run.

The expectation of a job's GPU-time is computed from the very tables that the draws use, so that the load asked for is
the load offered, up to the chance of the draws themselves (about 1 % for a million jobs of the training cloud).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridhall.errors import fault
from gridhall.units import DAY_MS, HOUR_MS
from gridhall.work import draws
from gridhall.work.hosts import Hosts
from gridhall.work.people import NAMES_PER_CLASS, People, size_class
from gridhall.work.profiles import Profile
from gridhall.work.supply import Supply, hours, supply
from gridhall.work.table import Ints

SIZE_BITS = 20
ARRIVAL_UNITS = 1 << 40
"""Arrivals are drawn on this grid over the whole span: finer than a millisecond for a century."""
SHARES_MILLI = (100, 200, 250, 500)
"""What a job that shares a GPU takes of it, each equally often (assumed)."""
LIMIT_MENU_H = (0.5, 1, 2, 4, 8, 12, 24, 48, 72, 120, 168, 336, 672)
"""Time limits that users write into a job script, in hours (assumed)."""
HABIT_QUANTILE = 0.9
"""A name's usual limit is the first of the menu above this quantile of its runs times the user's slack (assumed)."""
MOST_STEPS = 40
CLOSE_ENOUGH = 1e-7
"""Largest relative error of the fitted mean run time."""
SPREAD_LIMIT = 4
"""Normal draws stay within this many standard deviations."""


@dataclass(frozen=True)
class Arrivals:
    """Cumulative submissions over the span. H hours."""

    hour_ms: Ints  # H + 1; starts of the hours and the end
    cumulative: Ints  # H + 1; from 0, in about ARRIVAL_UNITS
    epoch: Ints  # H; the supply's epoch in that hour


@dataclass(frozen=True)
class RunTimes:
    """Run time in ms of a logarithm offset, indexed from `origin`."""

    table: Ints
    origin: int
    within: Ints  # a job's own offset, 2^NORMAL_BITS equally likely values, ascending

    def usual_limits(self, people: People) -> Ints:
        """The limit in ms that its user always writes for each name."""
        high = self.within[int(len(self.within) * HABIT_QUANTILE)]
        menu = np.array([round(hours_asked * HOUR_MS) for hours_asked in LIMIT_MENU_H], np.int64)
        wanted = np.searchsorted(menu, self.table[people.offset + high + self.origin] << people.slack)
        return menu[np.minimum(wanted, len(menu) - 1)]


@dataclass(frozen=True)
class Fit:
    """A profile made definite. Sizes by index, ascending; E epochs."""

    supply: Supply
    arrivals: Arrivals
    sizes: Ints
    size_draw: NDArray[np.uint8]  # 2^SIZE_BITS; index of the size
    epoch_top: Ints  # E; index of the largest size that fits
    run_times: RunTimes
    jobs: int
    load: float
    stretch: float
    mean_run_s: float
    mean_gpus: float


def fit(
    profile: Profile,
    people: People,
    fleet: Hosts,
    start_ms: int,
    end_ms: int,
    jobs: int | None,
    load: float | None,
) -> Fit:
    """Solve for what the caller left open; see `generator.generate`."""
    offered = supply(fleet, start_ms, end_ms)
    if offered.gpu_ms == 0:
        raise fault("fleet", "ready_from", "no rack is on line in the span", "choose other dates or another fleet")
    arrivals = _arrivals(profile, offered, start_ms, end_ms)
    sizes = np.array([size for size, _ in profile.sizes], np.int64)
    size_draw = draws.lookup([weight for _, weight in profile.sizes], SIZE_BITS)
    top = _largest_that_fit(sizes, offered, profile.largest_share)
    jobs_in, gpus_in = _class_shares(profile, offered.shares_gpus, arrivals, sizes, size_draw, top)
    if jobs is None or load is None:
        run_times, means = _solve(profile, people, jobs_in, profile.mean_run_s * 1000)
    else:
        run_times, means = _solve(profile, people, gpus_in, load * offered.gpu_ms / jobs)
    job_gpu_ms = float(gpus_in @ means)
    mean_run_s = float(jobs_in @ means) / 1000
    wanted = load if load is not None else profile.load
    count = jobs if jobs is not None else max(1, round(wanted * offered.gpu_ms / job_gpu_ms))
    return Fit(
        offered,
        arrivals,
        sizes,
        size_draw,
        top,
        run_times,
        count,
        load=count * job_gpu_ms / offered.gpu_ms,
        stretch=mean_run_s / profile.mean_run_s,
        mean_run_s=mean_run_s,
        mean_gpus=float(gpus_in.sum()),
    )


def _arrivals(profile: Profile, offered: Supply, start_ms: int, end_ms: int) -> Arrivals:
    """Submissions follow the online GPUs, the time of day (a sine) and the weekend."""
    begins = hours(start_ms, end_ms)
    edges = np.append(begins, end_ms)
    epoch = offered.epoch_at(begins)
    hour_of_day = (begins % DAY_MS) / HOUR_MS
    daily = 1 + profile.daily_swing * np.cos((hour_of_day - profile.peak_hour_utc) * (math.tau / 24))
    weekday = (begins // DAY_MS + 3) % 7  # 1970-01-01 was a Thursday; 0 is Monday
    rate = offered.online_gpus[epoch] * daily * np.where(weekday >= 5, profile.weekend, 1.0) * np.diff(edges)
    if rate.sum() == 0:
        raise fault("fleet", "ready_from", "racks are on line for less than an hour", "choose a longer span")
    steps = np.rint(rate * (ARRIVAL_UNITS / rate.sum())).astype(np.int64)
    return Arrivals(edges, np.concatenate([[0], np.cumsum(steps)]).astype(np.int64), epoch)


def _largest_that_fit(sizes: Ints, offered: Supply, largest_share: float) -> Ints:
    block: Ints = offered.site_block.max(axis=1)
    limit = np.floor(block * largest_share)
    return np.maximum(np.searchsorted(sizes, limit, side="right") - 1, 0).astype(np.int64)


def _class_shares(
    profile: Profile, sharing: bool, arrivals: Arrivals, sizes: Ints, size_draw: NDArray[np.uint8], top: Ints
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each class of size: share of the jobs, and the GPUs that it adds to the mean of all jobs."""
    weight = draws.shares(size_draw, len(sizes))
    in_epoch = np.bincount(arrivals.epoch, np.diff(arrivals.cumulative), len(top)) / arrivals.cumulative[-1]
    taken = sizes.astype(np.float64)
    if sharing:
        taken[sizes == 1] = 1 - profile.shared * (1 - sum(SHARES_MILLI) / len(SHARES_MILLI) / 1000)
    classes = len(NAMES_PER_CLASS)
    jobs, gpus = np.zeros(classes), np.zeros(classes)
    for epoch, share in enumerate(in_epoch.tolist()):
        size = np.minimum(np.arange(len(sizes)), top[epoch])
        jobs += share * np.bincount(size_class(sizes)[size], weight, classes)
        gpus += share * np.bincount(size_class(sizes)[size], weight * taken[size], classes)
    return jobs, gpus


def _solve(
    profile: Profile, people: People, weights: NDArray[np.float64], target_ms: float
) -> tuple[RunTimes, NDArray[np.float64]]:
    """Run times whose class means, weighted, give the target; the floor of the run time makes this a fixed point."""
    within = draws.normal(profile.sigma_jobs)
    median_ms = target_ms / float(weights.sum())
    for _ in range(MOST_STEPS):
        run_times = _run_times(profile, within, median_ms)
        means = _class_means(people, run_times)
        miss = target_ms / float(weights @ means)
        if abs(miss - 1) < CLOSE_ENOUGH:
            return run_times, means
        median_ms = float(f"{median_ms * miss:.9g}")  # rounded: sums differ in their last bits between machines
    raise fault(
        f"generator profile {profile.name}",
        "load",
        f"no run times give a mean of {target_ms / float(weights.sum()) / 1000:.1f} s",
        f"ask for fewer jobs or more load: no job is shorter than {profile.least_run_s:.0f} s",
    )


def _run_times(profile: Profile, within: Ints, median_ms: float) -> RunTimes:
    reach = math.ceil(SPREAD_LIMIT * (profile.sigma_names + profile.sigma_jobs) * draws.LOG_UNIT) + 1
    logs = np.arange(-reach, reach + 1) / draws.LOG_UNIT
    plain = np.clip(np.exp(logs), profile.least_run_s * 1000 / median_ms, profile.cut)
    return RunTimes(np.maximum(np.rint(plain * median_ms), 1).astype(np.int64), reach, within)


def _class_means(people: People, run_times: RunTimes) -> NDArray[np.float64]:
    """Expected run time in ms of each class of size, over its names and over a job's own chance."""
    step = draws.LOG_UNIT // 32  # fine enough that interpolation errs by less than a ten-thousandth
    low, high = int(people.offset.min()), int(people.offset.max())
    grid = np.arange(low, high + step, step, dtype=np.int64)
    sample = run_times.within[8::16]
    mean: NDArray[np.float64] = np.array(
        [run_times.table[offset + sample + run_times.origin].mean() for offset in grid.tolist()]
    )
    by_name = np.interp(people.offset, grid, mean)
    return np.array([people.name_weights(of_class) @ by_name for of_class in range(len(NAMES_PER_CLASS))])
