"""How long work waits: `python -m benchmarks.queue`.

The same contended arrivals (`contended`) through the twin under the shipped policy and through four peers
(`peers.schedules`): FIFO, EASY by user limits, oracle SJF, oracle pre-emptive SRTF. The world is fault-free and
checkpoints cost nothing to write, because peers know neither; stopping a job still costs the twin its restart. Quotas
are open, fair share is on. Peers ignore power, racks, priorities and fair share, so they solve an easier problem.

A wait is all the time between submission and end in which a job holds no GPUs. Bounded slowdown is (end - submission)
over run time, with run times below 10 s counted as 10 s. `sjf` starts whatever fits, the shortest first; `sjf_blocking`
is the strict head-of-line order of the Helios study, whose ratio of predictor to oracle is the published 1.65.
`--days` shortens the generated span from a year, in proportion; the large gangs' waits then rest on few gangs.
"""

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import emit
from benchmarks.contended import Case, generated, marconi100, openb_pods
from benchmarks.fairness import fair_share_error
from benchmarks.peers.schedules import Schedule, easy, sjf, srtf
from gridhall.engines.twin.run import run
from gridhall.engines.twin.settings import Plan, WorldSettings
from gridhall.engines.twin.tables import STATES
from gridhall.scheduling.policy import Policy, load_policy
from gridhall.tenancy import even_tenancy
from gridhall.units import DAY_MS, HOUR_MS

Ints = NDArray[np.int64]
SHORTEST_MS = 10_000
DRAIN_MS = 30 * DAY_MS
LARGE, SPREAD = 8_192, 512
WORLD = WorldSettings(failures_per_1000_node_days=0.0, start_delay_ms=0, power_by_minute=False)


@dataclass(frozen=True)
class Figures:
    """What one scheduler made of the jobs."""

    mean_wait_s: float
    p99_wait_s: float
    slowdown: float
    fair_share_error: float
    gang_8192_wait_h: float | None


@dataclass(frozen=True)
class Ours:
    """What the twin made of them. One entry a job, in the order of the table."""

    end_ms: Ints
    wait_ms: Ints
    racks: Ints
    held: tuple[Ints, Ints, Ints]  # intervals: row of the job, start, end
    unfinished: int
    cpu_s: float


@dataclass(frozen=True)
class Kept:
    """A sink for the tables that are looked at."""

    batches: dict[str, list[Mapping[str, Ints]]] = field(default_factory=lambda: {"jobs": [], "intervals": []})

    def write(self, table: str, columns: Mapping[str, Ints]) -> None:
        """Keep a batch of jobs or intervals."""
        if table in self.batches:
            self.batches[table].append({name: values.copy() for name, values in columns.items()})

    def column(self, table: str, name: str) -> Ints:
        """One column of all batches."""
        return np.concatenate([batch[name] for batch in self.batches[table]])


def run_ours(case: Case, policy: Policy, last_ms: int) -> Ours:
    """The jobs through the twin, until DRAIN_MS after the last peer is done."""
    work = case.workload
    tenancy = even_tenancy(work.organisations, work.projects, work.project_organisation.tolist())
    kept, began = Kept(), time.process_time()
    start_ms = int(case.table.submit_ms[0])
    run(Plan(case.fleet, work, tenancy, policy, WORLD, start_ms, last_ms + DRAIN_MS, 1), kept)
    cpu_s = time.process_time() - began
    by_id = np.argsort(case.table.job_id)
    sorted_ids = case.table.job_id[by_id]

    def rows(table: str) -> Ints:
        return by_id[np.searchsorted(sorted_ids, kept.column(table, "job_id"))]

    end_ms, racks = np.zeros(len(by_id), np.int64), np.zeros(len(by_id), np.int64)
    end_ms[rows("jobs")], racks[rows("jobs")] = kept.column("jobs", "end_ms"), kept.column("jobs", "racks")
    held = (rows("intervals"), kept.column("intervals", "start_ms"), kept.column("intervals", "end_ms"))
    held_ms = np.bincount(held[0], held[2] - held[1], len(by_id)).astype(np.int64)
    states = kept.column("jobs", "state")
    unfinished = int(np.isin(states, [STATES.index("queued"), STATES.index("running")]).sum())
    return Ours(end_ms, end_ms - case.table.submit_ms - held_ms, racks, held, unfinished, cpu_s)


def figures(case: Case, end_ms: Ints, wait_ms: Ints, held: tuple[Ints, Ints, Ints] | None) -> Figures:
    """Sum up one schedule; `held` None leaves fairness out (a schedule whose stops are not known)."""
    table = case.table
    ran = np.flatnonzero(end_ms >= 0)
    large = ran[table.gpus[ran] == LARGE]
    slowdown = (end_ms - table.submit_ms)[ran] / np.maximum(table.duration_ms[ran], SHORTEST_MS)
    unfair = float("nan") if held is None else unfairness(case, end_ms, held)
    return Figures(
        mean_wait_s=round(float(wait_ms[ran].mean()) / 1000, 1),
        p99_wait_s=round(float(np.quantile(wait_ms[ran], 0.99)) / 1000, 1),
        slowdown=round(float(np.maximum(slowdown, 1.0).mean()), 3),
        fair_share_error=round(unfair, 4),
        gang_8192_wait_h=round(float(wait_ms[large].mean()) / HOUR_MS, 2) if len(large) else None,
    )


def unfairness(case: Case, end_ms: Ints, held: tuple[Ints, Ints, Ints]) -> float:
    """Fair-share error, sampled every six hours while jobs arrive."""
    table = case.table
    instants_ms = np.arange(table.submit_ms[0], table.submit_ms[-1], 6 * HOUR_MS)
    return fair_share_error(table.project, table.gpus, table.submit_ms, end_ms, held, instants_ms)


def unbroken(case: Case, plan: Schedule) -> Figures:
    """The figures of a peer that never stops a job."""
    rows = np.flatnonzero(plan.start_ms >= 0)
    return figures(case, plan.end_ms, plan.wait_ms, (rows, plan.start_ms[rows], plan.end_ms[rows]))


@dataclass(frozen=True)
class Compared:
    """All schedulers on one case."""

    case: Case
    rows: dict[str, Figures]
    gang_512_racks: float | None


def compare(name: str, case: Case, policy: Policy) -> Compared:
    """Run all schedulers on one case, printing each as it is done."""
    print(f"\n{name}: {len(case.table):,} jobs, {case.fleet.gpus:,} GPUs, arrivals pressed {case.pressed:g} times")
    print(f"  {case.source.origin}")
    print(f"  {'':14}{'mean wait s':>14}{'p99 wait s':>14}{'slowdown':>11}{'unfair':>9}{'8,192 GPUs h':>14}")
    rows: dict[str, Figures] = {}
    easy_plan = easy(case.fleet, case.table)
    ours = run_ours(case, policy, int(easy_plan.end_ms.max()))
    show(rows, "ours", figures(case, ours.end_ms, ours.wait_ms, ours.held))
    show(rows, "fifo", unbroken(case, case.fifo))
    show(rows, "easy", unbroken(case, easy_plan))
    show(rows, "sjf", unbroken(case, case.sjf))
    stopped = srtf(case.fleet, case.table)
    show(rows, "srtf", figures(case, stopped.end_ms, stopped.wait_ms, None))
    show(rows, "sjf_blocking", unbroken(case, sjf(case.fleet, case.table, blocking=True)))
    print(f"  ours: {ours.unfinished} jobs unfinished at the end, {ours.cpu_s:.1f} CPU-s, compilation included")
    spread = ours.racks[(case.table.gpus == SPREAD) & (ours.racks > 0)]
    return Compared(case, rows, round(float(spread.mean()), 2) if len(spread) else None)


def show(rows: dict[str, Figures], name: str, row: Figures) -> None:
    """Keep and print one line."""
    rows[name] = row
    large = f"{row.gang_8192_wait_h:14.1f}" if row.gang_8192_wait_h is not None else f"{'-':>14}"
    print(f"  {name:14}{row.mean_wait_s:14,.1f}{row.p99_wait_s:14,.1f}{row.slowdown:11.2f}", end="")
    print(f"{row.fair_share_error:9.3f}{large}", flush=True)


def main(days: int) -> int:
    """Print the tables and the JSON line; 1 when a case is not contended, so that it says nothing."""
    policy = load_policy()
    print("compiling peers and twin; a year takes a few minutes", flush=True)
    found: dict[str, Compared] = {}
    for name, make in {"generated": lambda: generated(days), "openb": openb_pods, "m100": marconi100}.items():
        case = make()
        if case is None:
            print(f"\n{name}: the trace is not in ../shared/data, left out")
        else:
            found[name] = compare(name, case, policy)
    void = [name for name, each in found.items() if each.case.void]
    emit({**summary(found), "days": days, "void": void}, policy)
    return int(bool(void))


def summary(found: dict[str, Compared]) -> dict[str, object]:
    """The figures as the JSON line has them."""
    year = found["generated"]
    return {
        "traces": pick(found, "mean_wait_s"),
        "slowdown": pick(found, "slowdown"),
        "p99": pick(found, "p99_wait_s"),
        "fair_share_error": pick(found, "fair_share_error"),
        "gang_8192_wait_h": year.rows["ours"].gang_8192_wait_h,
        "gang_8192_wait_h_peers": {who: row.gang_8192_wait_h for who, row in year.rows.items() if who != "ours"},
        "gang_512_racks": year.gang_512_racks,
        "pressed": {name: each.case.pressed for name, each in found.items()},
        "slowdown_threshold_s": SHORTEST_MS / 1000,
    }


def pick(found: dict[str, Compared], name: str) -> dict[str, dict[str, float | None]]:
    """One figure of every scheduler on every trace; None where it is not defined."""
    return {
        trace: {who: None if np.isnan(value := getattr(row, name)) else value for who, row in each.rows.items()}
        for trace, each in found.items()
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Waits beside FIFO, EASY, oracle SJF and oracle SRTF.")
    parser.add_argument("--days", type=int, default=365, help="span of the generated workload")
    sys.exit(main(parser.parse_args().days))
