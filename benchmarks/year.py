"""A year of a 60,000-GPU fleet: `python -m benchmarks.year`.

Everything is on (see `year_plan`): quotas, fair share, priorities, pre-emption, masks, watts on every ancestor,
failures, reservations, exact rack power, site energy, price, carbon and money. Tables go to a sink that adds up energy,
cost, carbon and revenue by minute and keeps nothing. Times are CPU and wall seconds of the run once everything is
compiled, making of the jobs included; compilation is printed by itself. Every case runs in a fresh process, so that its
peak of memory is its own.

The look-ahead forks the year at its middle and runs 24 h on, fork included; the middle of nine. `simpy_s` is a bare
SimPy container over the same jobs, which places nothing and so does far less. `dense` is the same year with runs as
long as published (37.5 GPU-hours a job, about 12 million jobs). `same` says that whole, chunked, forked and replayed
runs of a week decided the same, and compiled and uncompiled ones of a small fleet's day.

`--gpus 600000 --jobs 10000000 --skip-dense` is the large case; `--days` shortens the span, and the jobs with it.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.common import REPOSITORY, emit
from benchmarks.peers.simpy_loop import simpy_loop
from benchmarks.year_plan import YEAR_DAYS, meter, year_plan
from gridhall.controller.replay import replay
from gridhall.engines.twin.run import Twin, run, start
from gridhall.engines.twin.settings import Totals
from gridhall.scheduling.policy import load_policy
from gridhall.units import HOUR_MS

GPUS, JOBS = 60_000, 1_000_000
LOOKS = 9
DECIDED = ("quota", "places", "power", "preemption", "failure", "reservation")
"""Counters of which none may be 0; `places` are masks of allowed cells."""
SMALL_GPUS, SMALL_JOBS = 1_152, 60


@dataclass(frozen=True)
class Asked:
    """One case: `jobs` None = as many as fill the fleet unstretched."""

    gpus: int
    jobs: int | None
    days: int


class Clock:
    """CPU and wall time of the parts that count."""

    def __init__(self) -> None:
        self.wall_s = self.cpu_s = 0.0

    def run(self, part: Callable[[], None]) -> None:
        """Time one part."""
        wall, cpu = time.perf_counter(), time.process_time()
        part()
        self.wall_s += time.perf_counter() - wall
        self.cpu_s += time.process_time() - cpu


def peak_mib() -> float:
    """Most memory that this process has ever held."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


# --- the cases, each in a process of its own ------------------------------------------------------------------------


def warm(asked: Asked) -> dict[str, Any]:
    """Compile: a small run, which leaves the machine code in the cache for the processes to come."""
    began = time.process_time()
    plan, _ = year_plan(SMALL_GPUS, SMALL_JOBS, 1)
    run(plan, meter(plan))
    return {"compile_cpu_s": round(time.process_time() - began, 1)}


def year(asked: Asked) -> dict[str, Any]:
    """The year: half of it, look-aheads from there, and the rest."""
    small, _ = year_plan(SMALL_GPUS, SMALL_JOBS, 1)
    run(small, meter(small))  # loads the machine code
    plan, work = year_plan(asked.gpus, asked.jobs, asked.days)
    sums, clock, twins, ends = meter(plan), Clock(), list[Twin](), list[Totals]()
    quarter = plan.end_ms // 4
    clock.run(lambda: twins.append(start(plan)))
    twin = twins[0]
    clock.run(lambda: twin.advance(quarter, sums))
    early_mib = peak_mib()
    clock.run(lambda: twin.advance(2 * quarter, sums))
    half_mib = peak_mib()
    looks = look_ahead(twin)
    clock.run(lambda: twin.advance(plan.end_ms, sums))
    clock.run(lambda: ends.append(twin.close(sums)))
    totals = ends[0]
    figures = {
        "jobs": work.jobs,
        "gpus": plan.fleet.gpus,
        "wall_s": round(clock.wall_s, 2),
        "cpu_s": round(clock.cpu_s, 2),
        "rss_mib": peak_mib(),
        "rss_mib_quarter": early_mib,
        "rss_mib_half": half_mib,
        "utilisation": round(totals.utilisation, 4),
        "digest": totals.digest,
        "stretch": round(work.stretch, 3),
        **looks,
    }
    return figures | {"decided": totals.decided, **said(totals, sums)}


def said(totals: Totals, sums: Any) -> dict[str, Any]:
    """What the sink added up, and the sums of the run that it can be held against."""
    return {
        "steps": totals.steps,
        "failures": totals.failures,
        "jobs_by_state": totals.jobs_by_state,
        "site_gwh": round(sums.site_mwh / 1000, 3),
        "it_gwh": round(totals.feed_joules / 3.6e12, 3),
        "rack_less_feed_j": totals.rack_joules - totals.feed_joules,
        "energy_cost_musd": round(sums.cost_usd / 1e6, 3),
        "carbon_kt": round(sums.carbon_t / 1000, 3),
        "revenue_musd": round(sums.revenue_usd / 1e6, 1),
        "rows": sums.rows,
    }


def look_ahead(twin: Twin) -> dict[str, float]:
    """Fork and run a day on, several times; milliseconds, the middle one of each clock."""
    walls: list[float] = []
    cpus: list[float] = []
    for _ in range(LOOKS):
        clock = Clock()
        at_ms = int(twin.controller.now_ms[0]) + 24 * HOUR_MS
        clock.run(lambda at_ms=at_ms: twin.fork().advance(at_ms, None))
        walls.append(clock.wall_s)
        cpus.append(clock.cpu_s)
    middle = statistics.median
    return {"lookahead_24h_ms": round(middle(walls) * 1e3, 2), "lookahead_24h_cpu_ms": round(middle(cpus) * 1e3, 2)}


def simpy_case(asked: Asked) -> dict[str, Any]:
    """The same jobs through a bare SimPy container."""
    plan, work = year_plan(asked.gpus, asked.jobs, asked.days)
    done = simpy_loop(work.chunks(), plan.fleet.gpus)
    return {"simpy_s": round(done.cpu_s, 2), "simpy_jobs": done.jobs, "simpy_mean_wait_s": round(done.mean_wait_s, 1)}


def same(asked: Asked) -> dict[str, Any]:
    """Digests of one span, run whole, in odd chunks, forked, and replayed from its recording."""
    plan, _ = year_plan(asked.gpus, asked.jobs, asked.days)
    whole = run(plan, None)
    chunked = start(plan)
    for at_ms in range(plan.start_ms + 7_654_321, plan.end_ms, 7_654_321):
        chunked.advance(at_ms, None)
    forked = start(plan)
    forked.advance(plan.end_ms // 2 + 1, None)
    other = forked.fork()
    other.advance(plan.end_ms, None)
    with tempfile.TemporaryDirectory() as folder:
        recorded = run(replace(plan, record=Path(folder) / "recording"), None)
        again = replay(Path(folder) / "recording")
    for twin in (chunked, forked):
        twin.advance(plan.end_ms, None)
    digests = {
        "whole": whole.digest,
        "chunked": chunked.close(None).digest,
        "forked": forked.close(None).digest,
        "fork": other.close(None).digest,
        "recorded": recorded.digest,
        "replayed": again.digest if again.matches else "state differs",
    }
    return {"digests": digests, "all": len(set(digests.values())) == 1}


def small(asked: Asked) -> dict[str, Any]:
    """One day of a small fleet: its digest, compiled or not as the environment says."""
    plan, _ = year_plan(SMALL_GPUS, SMALL_JOBS, 1)
    return {"digest": run(plan, None).digest}


CASES = {"warm": warm, "year": year, "simpy": simpy_case, "same": same, "small": small}


# --- putting them together ------------------------------------------------------------------------------------------


def in_process(case: str, asked: Asked, compiled: bool = True) -> dict[str, Any]:
    """Run a case in a fresh process and read its one line of JSON."""
    command = [sys.executable, "-m", "benchmarks.year", "--case", case, json.dumps(asdict(asked))]
    environment = os.environ | {"GRIDHALL_COMPILE": "1" if compiled else "0"}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{case}: {json.dumps(figures)}", flush=True)
    return figures


def main(asked: Asked, dense: bool) -> int:
    """Print every case and the JSON line; 1 when something never decided or runs differ that must not."""
    print("compiling first (about two minutes when nothing is cached), then one process a case", flush=True)
    compiling = in_process("warm", asked)
    figures = in_process("year", asked)
    never = [name for name in DECIDED if figures["decided"][name] == 0]
    figures |= in_process("simpy", asked) | compiling
    if dense:
        full = in_process("year", replace(asked, jobs=None))
        figures["dense"] = {name: full[name] for name in ("jobs", "cpu_s", "rss_mib", "utilisation", "stretch")}
    week = Asked(asked.gpus, None if asked.jobs is None else max(1, asked.jobs * 7 // asked.days), 7)
    kept = in_process("same", week)
    kept["uncompiled"] = in_process("small", asked, False) == in_process("small", asked)
    figures["same"] = kept
    emit({**figures, "never_decided": never}, load_policy())
    return int(bool(never) or not kept["all"] or not kept["uncompiled"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A year of a fleet with everything on.")
    parser.add_argument("--gpus", type=int, default=GPUS)
    parser.add_argument("--jobs", type=int, default=JOBS, help="jobs of a whole year")
    parser.add_argument("--days", type=int, default=YEAR_DAYS, help="span; fewer days have fewer jobs")
    parser.add_argument("--skip-dense", action="store_true", help="leave the year of twelve million jobs out")
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    said_to = parser.parse_args()
    if said_to.case:
        print(json.dumps(CASES[said_to.case[0]](Asked(**json.loads(said_to.case[1])))), flush=True)
        sys.exit(0)
    span = Asked(said_to.gpus, round(said_to.jobs * said_to.days / YEAR_DAYS), said_to.days)
    sys.exit(main(span, not said_to.skip_dense))
