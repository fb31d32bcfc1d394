"""Background load for a paced twin: synthetic submissions, as a stream that begins at any time.

The jobs are the generator's (`gridhall.work`), made day by day: the day and the seed give the day's jobs, and the seed
alone the people who submit them, so that a server which restarts goes on with the same stream. Nobody real asks for
them; their environment tells the twin how they run.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gridhall.engines.twin.script import CHECKPOINT_SECONDS, EXIT, SECONDS
from gridhall.units import DAY_MS, SECOND_MS
from gridhall.work.generator import generate
from gridhall.work.hosts import Hosts
from gridhall.work.profiles import Profile
from gridhall.work.supply import supply
from gridhall.work.table import OUTCOMES, TIERS, JobTable

COMMAND = ("simulated-work",)
FAILED, TIMED_OUT = OUTCOMES.index("failed"), OUTCOMES.index("timeout")


@dataclass(frozen=True, slots=True)
class Submission:
    """One synthetic job in people's words; times in ms UTC.

    `gpu_milli` below 1000 is a share of one GPU; `priority` 0 to 3 from scavenger to urgent; `tier` a flex tier of
    `work.TIERS`; empty `sites` = anywhere; `deadline_ms` and `checkpoint_ms` 0 = none.
    """

    time_ms: int
    user: str
    name: str
    gpus: int
    gpu_milli: int
    priority: int
    preemptible: bool
    tier: str
    sites: tuple[str, ...]
    limit_ms: int
    deadline_ms: int
    checkpoint_ms: int
    checkpoint_cost_ms: int
    power_milli: int
    command: tuple[str, ...]
    environment: dict[str, str]


def submissions(
    fleet: Hosts, profile: Profile, seed: int, from_ms: int, load: float | None = None, jobs_a_day: int | None = None
) -> Iterator[Submission]:
    """Submissions from a time on, in order, without end; a day on which nothing of the fleet is on line has none.

    `load` and `jobs_a_day` as for `work.generate`: both together stretch run times, neither leaves the profile's load.
    Raises InputError for figures that are not positive.
    """
    day = from_ms // DAY_MS
    while True:
        start_ms = day * DAY_MS
        if supply(fleet, start_ms, start_ms + DAY_MS).gpu_ms > 0:
            yield from (each for each in _day(fleet, profile, seed, day, load, jobs_a_day) if each.time_ms >= from_ms)
        day += 1


def _day(
    fleet: Hosts, profile: Profile, seed: int, day: int, load: float | None, jobs: int | None
) -> Iterator[Submission]:
    seeds = np.random.SeedSequence([seed, day]).generate_state(1, np.uint64)
    work = generate(
        profile,
        seed=int(seeds[0] >> np.uint64(1)),
        start_ms=day * DAY_MS,
        end_ms=(day + 1) * DAY_MS,
        fleet=fleet,
        jobs=jobs,
        load=load,
        users_seed=seed,
    )
    for table in work.chunks():
        yield from _submissions(table, fleet.site_names)


def _submissions(table: JobTable, site_names: tuple[str, ...]) -> Iterator[Submission]:
    for row in range(len(table)):
        yield Submission(
            time_ms=int(table.submit_ms[row]),
            user=f"synthetic-user-{int(table.user[row]):04d}",
            name=f"synthetic-{int(table.name[row]):02d}",
            gpus=int(table.gpus[row]),
            gpu_milli=int(table.gpu_milli[row]),
            priority=int(table.priority[row]),
            preemptible=bool(table.preemptible[row]),
            tier=TIERS[int(table.tier[row])],
            sites=_sites(int(table.places[row]), site_names),
            limit_ms=int(table.limit_ms[row]),
            deadline_ms=int(table.deadline_ms[row]),
            checkpoint_ms=int(table.checkpoint_ms[row]),
            checkpoint_cost_ms=int(table.checkpoint_cost_ms[row]),
            power_milli=int(table.power_milli[row]),
            command=COMMAND,
            environment=_environment(table, row),
        )


def _sites(mask: int, site_names: tuple[str, ...]) -> tuple[str, ...]:
    named = tuple(name for site, name in enumerate(site_names) if mask >> site & 1)
    return () if len(named) == len(site_names) else named


def _environment(table: JobTable, row: int) -> dict[str, str]:
    """How the twin is to run it. A job that times out works on past its limit; a user who cancels is not played."""
    outcome, limit_ms = int(table.outcome[row]), int(table.limit_ms[row])
    run_ms = max(int(table.duration_ms[row]), limit_ms + SECOND_MS if outcome == TIMED_OUT else 0)
    told = {SECONDS: str(max(1, run_ms // SECOND_MS)), EXIT: str(int(outcome == FAILED))}
    if table.checkpoint_ms[row]:
        told[CHECKPOINT_SECONDS] = str(int(table.checkpoint_ms[row]) // SECOND_MS)
    return told
