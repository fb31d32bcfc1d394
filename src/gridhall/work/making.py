"""Making one chunk of a synthetic workload: random words in, a job table out. Pure, integers only."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gridhall.units import DAY_MS, MINUTE_MS, SECOND_MS
from gridhall.work.draws import EXPONENTIAL_BITS, EXPONENTIAL_UNIT, NORMAL_BITS, bits, exponential, lookup, words
from gridhall.work.fitting import SHARES_MILLI, SIZE_BITS, Fit
from gridhall.work.people import People, size_class
from gridhall.work.profiles import Profile
from gridhall.work.table import ANYWHERE, DEFERRABLE, Ints, JobTable

CHUNK = 65_536
"""Jobs in one table of the stream; the last may be shorter."""
ELASTIC_FROM_GPUS = 16
PER_MILLE = 1000
Columns = dict[str, Ints]


class Stream(IntEnum):
    """Which quantities a random word is for: one key each, so that a new stream leaves the others as they were."""

    NAMES = 0
    ARRIVALS = 1
    IDENTITY = 2  # bits 0-31 project, user, name; 32-51 size
    RUN = 3  # 0-13 own offset; 14-25 overestimate; 26-35 priority; 36-43 tier; 44-53 outcome; 54-58, 59-63 checkpoints
    SITES = 4  # a subset of the sites
    EXTRAS = 5  # 0-9 power; 10-19 elastic; 20-29 shared; 30-31 share; 32-41 anywhere


@dataclass(frozen=True)
class Recipe:
    """All that the making of a chunk needs."""

    profile: Profile
    seed: int
    fit: Fit
    people: People
    usual_limit: Ints  # by name
    overestimate: Ints
    priority: NDArray[np.uint8]
    tier: NDArray[np.uint8]
    outcome: NDArray[np.uint8]
    roomy: Ints  # epoch * sizes; mask of the sites with ample room for the size
    biggest: Ints  # epoch; mask of the site that can hold the most


def recipe(profile: Profile, seed: int, fit: Fit, people: People) -> Recipe:
    """Tables of the smaller laws, beside those of the fit and the population."""
    block = fit.supply.site_block
    site_bit = np.int64(1) << np.arange(block.shape[1], dtype=np.int64)
    holds = block[:, None, :] * profile.site_share >= fit.sizes[None, :, None]
    return Recipe(
        profile,
        seed,
        fit,
        people,
        usual_limit=fit.run_times.usual_limits(people),
        overestimate=exponential(),
        priority=lookup(profile.priorities, 10),
        tier=lookup(profile.tiers, 8),
        outcome=lookup(profile.outcomes, 10),
        roomy=np.where(holds, site_bit, 0).sum(axis=2),
        biggest=site_bit[block.argmax(axis=1)],
    )


def make(recipe: Recipe, index: int) -> JobTable:
    """Jobs index * CHUNK to (index + 1) * CHUNK of the workload, sorted by submission; IndexError outside it."""
    first = index * CHUNK
    count = min(CHUNK, recipe.fit.jobs - first)
    if index < 0 or count <= 0:
        raise IndexError(f"the workload has no chunk {index}")
    submit, epoch = _arrivals(recipe, index, first, count)
    identity, run, sites, extras = (
        words(recipe.seed, stream, index, count)
        for stream in (Stream.IDENTITY, Stream.RUN, Stream.SITES, Stream.EXTRAS)
    )
    size = np.minimum(recipe.fit.size_draw[bits(identity, 32, SIZE_BITS)], recipe.fit.epoch_top[epoch])
    columns: Columns = {"job_id": np.arange(first, first + count, dtype=np.int64), "submit_ms": submit}
    columns |= _who(recipe, size, identity)
    columns |= _run(recipe, columns, run)
    columns |= _class_of_service(recipe, columns, run)
    columns["places"] = _places(recipe, size, epoch, sites, extras)
    columns |= _extras(recipe, columns, epoch, extras)
    return JobTable(**columns)


def _arrivals(recipe: Recipe, index: int, first: int, count: int) -> tuple[Ints, Ints]:
    """Submission times in order, and the supply's epoch at each. Every chunk covers its share of all arrivals."""
    arrivals, jobs = recipe.fit.arrivals, recipe.fit.jobs
    total = int(arrivals.cumulative[-1])
    low, high = total * first // jobs, total * (first + count) // jobs
    word = words(recipe.seed, Stream.ARRIVALS, index, count).view(np.uint64)
    at = low + ((word >> np.uint64(11)) * ((high - low) / (1 << 53))).astype(np.int64)
    at.sort()
    hour = np.searchsorted(arrivals.cumulative, at, side="right") - 1
    into, rate = at - arrivals.cumulative[hour], np.diff(arrivals.cumulative)[hour]
    width = np.diff(arrivals.hour_ms)[hour]
    return arrivals.hour_ms[hour] + into * width // rate, arrivals.epoch[hour]


def _who(recipe: Recipe, size: Ints, word: Ints) -> Columns:
    sizes = recipe.fit.sizes
    project, user, name = recipe.people.draw(size_class(sizes)[size], word)
    return {"gpus": sizes[size], "project": project, "user": user, "name": name}


def _run(recipe: Recipe, job: Columns, word: Ints) -> Columns:
    """True run time, and the limit: the name's usual one, unless the job is known to need more."""
    run_times = recipe.fit.run_times
    own = run_times.within[bits(word, 0, NORMAL_BITS)]
    name = recipe.people.index(job["user"], job["name"])
    duration = run_times.table[recipe.people.offset[name] + own + run_times.origin]
    over = recipe.overestimate[bits(word, NORMAL_BITS, EXPONENTIAL_BITS)]
    limit = duration + duration * over // EXPONENTIAL_UNIT + MINUTE_MS
    if recipe.profile.limits_by_habit:
        usual = recipe.usual_limit[name]
        limit = np.where(usual >= duration + MINUTE_MS, usual, limit)
    return {"duration_ms": duration, "limit_ms": limit}


def _class_of_service(recipe: Recipe, job: Columns, word: Ints) -> Columns:
    """Priority, flex tier, outcome and checkpoints. Only scavenger jobs may be pre-empted."""
    profile = recipe.profile
    priority = recipe.priority[bits(word, 26, 10)].astype(np.int64)
    tier = recipe.tier[bits(word, 36, 8)].astype(np.int64)
    saves = (job["gpus"] >= profile.checkpoint_from_gpus) | (
        job["duration_ms"] >= round(profile.checkpoint_from_s * SECOND_MS)
    )
    return {
        "priority": priority,
        "preemptible": (priority == 0).astype(np.int64),
        "tier": tier,
        "outcome": recipe.outcome[bits(word, 44, 10)].astype(np.int64),
        "checkpoint_ms": saves * (30 + bits(word, 54, 5)) * MINUTE_MS,  # 30 to 61 minutes
        "checkpoint_cost_ms": saves * (10 + 2 * bits(word, 59, 5)) * SECOND_MS,  # 10 to 72 seconds
        "deadline_ms": np.where(tier == DEFERRABLE, job["submit_ms"] + job["limit_ms"] + DAY_MS, 0),
    }


def _extras(recipe: Recipe, job: Columns, epoch: Ints, word: Ints) -> Columns:
    """Power, elasticity, shared GPUs; and the columns that a synthetic job leaves to the hardware."""
    gpus, profile, count = job["gpus"], recipe.profile, len(word)
    least, most = profile.power_milli
    largest = recipe.fit.sizes[recipe.fit.epoch_top[epoch]]
    elastic = (bits(word, 10, 10) < round(profile.elastic * 1024)) & (gpus >= ELASTIC_FROM_GPUS)
    can_share = (gpus == 1) & (job["places"] & recipe.fit.supply.sharing_sites[epoch] != 0)
    shared = can_share & (bits(word, 20, 10) < round(profile.shared * 1024))
    return {
        "gpus_per_node": np.zeros(count, np.int64),
        "gpu_milli": np.where(shared, np.array(SHARES_MILLI, np.int64)[bits(word, 30, 2)], PER_MILLE),
        "cpu_milli": np.zeros(count, np.int64),
        "mem_mib": np.zeros(count, np.int64),
        "hardware": np.full(count, ANYWHERE, np.int64),
        "min_gpus": np.where(elastic, gpus >> 1, 0),
        "max_gpus": np.where(elastic, np.minimum(gpus << 1, largest), 0),
        "power_milli": least + (bits(word, 0, 10) * (most - least) >> 10),
    }


def _places(recipe: Recipe, size: Ints, epoch: Ints, subset_word: Ints, word: Ints) -> Ints:
    """Most jobs may run anywhere; the rest name random sites, and the biggest one where none of those has room."""
    subset = bits(subset_word, 0, recipe.fit.supply.site_block.shape[1])
    nowhere = (subset & recipe.roomy[epoch, size]) == 0
    named = np.where(nowhere, subset | recipe.biggest[epoch], subset)
    return np.where(bits(word, 32, 10) < round(recipe.profile.anywhere * 1024), ANYWHERE, named)
