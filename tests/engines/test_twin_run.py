"""The twin as a whole: where it is cut changes nothing, and what it counts adds up."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gridhall.engines.twin import tables
from gridhall.engines.twin.run import run, start
from gridhall.engines.twin.settings import Plan, Totals
from gridhall.engines.twin.tables import REASONS, STATES
from gridhall.scheduling import jobs as core
from gridhall.units import DAY_MS, HOUR_MS
from gridhall.work.table import JobTable
from tests.engines.small import Kept, small_plan, without_failures

ROOT = Path(__file__).parents[2]
ODD_MS = 4_567_891
UNCOMPILED = """
from gridhall.engines.twin.run import run
from gridhall.kernel import COMPILED
from tests.engines.small import small_plan
totals = run(small_plan(days=1, jobs=200), None)
print(COMPILED, totals.digest, totals.state_hash)
"""


@pytest.fixture(scope="module")
def plan() -> Plan:
    return small_plan()


@pytest.fixture(scope="module")
def kept() -> Kept:
    return Kept()


@pytest.fixture(scope="module")
def totals(plan: Plan, kept: Kept) -> Totals:
    return run(plan, kept)


def test_the_small_plan_has_everything_decide_something(totals: Totals) -> None:
    names = ("quota", "places", "power", "preemption", "failure", "reservation", "swap", "holds")
    assert [name for name in names if totals.decided[name] == 0] == []


def test_a_chunked_run_is_the_whole_run(plan: Plan, totals: Totals) -> None:
    twin = start(plan)
    for at_ms in range(ODD_MS, plan.end_ms, ODD_MS):
        twin.advance(at_ms, None)
    twin.advance(plan.end_ms, None)
    assert twin.close(None) == totals


def test_a_forked_run_is_the_whole_run_and_leaves_its_twin_alone(plan: Plan, totals: Totals) -> None:
    twin = start(plan)
    twin.advance(plan.end_ms // 2 + 1, None)
    fork = twin.fork()
    fork.advance(plan.end_ms, None)
    assert fork.close(None) == totals
    twin.advance(plan.end_ms, None)
    assert twin.close(None) == totals


def test_an_uncompiled_run_decides_the_same() -> None:
    command = [sys.executable, "-c", UNCOMPILED]
    environment = os.environ | {"GRIDHALL_COMPILE": "0", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    compiled = run(small_plan(days=1, jobs=200), None)
    assert done.stdout.split() == ["False", compiled.digest, compiled.state_hash]


def test_the_same_seed_decides_the_same_and_another_does_not(totals: Totals) -> None:
    assert run(small_plan(), None) == totals
    assert run(small_plan(seed=2), None).digest != totals.digest


def test_racks_and_meters_saw_the_same_energy(plan: Plan, totals: Totals) -> None:
    """Each meter rounds to whole joules once a feed; the racks' exact sum is rounded once."""
    feeds = len(np.unique(plan.fleet.rack_feed))
    assert 0 <= totals.rack_joules - totals.feed_joules <= feeds


def test_the_minute_table_holds_the_metered_energy(totals: Totals, kept: Kept) -> None:
    minutes = len(kept.column("site_power", "it_w"))
    joules = int(kept.column("site_power", "it_w").sum()) * 60
    assert 0 <= totals.feed_joules - joules <= minutes * 60  # means are rounded down to a watt


def test_gpu_time_is_conserved(totals: Totals, kept: Kept) -> None:
    gpus, began, ended = (kept.column("intervals", name) for name in ("gpus", "start_ms", "end_ms"))
    assert int((gpus * (ended - began)).sum()) == totals.allocated_gpu_ms
    assert totals.allocated_gpu_ms == totals.work_gpu_ms + sum(totals.lost_gpu_ms.values())
    assert 0 < totals.allocated_gpu_ms <= totals.online_gpu_ms
    assert int(kept.column("jobs", "allocated_gpu_ms").sum()) == totals.allocated_gpu_ms
    assert int(kept.column("jobs", "work_gpu_ms").sum()) == totals.work_gpu_ms


def test_energy_of_jobs_is_that_of_their_intervals(totals: Totals, kept: Kept) -> None:
    assert int(kept.column("intervals", "energy_j").sum()) == totals.job_joules
    assert int(kept.column("jobs", "energy_j").sum()) == totals.job_joules
    assert 0 < totals.job_joules < totals.rack_joules


def test_every_job_ends_in_the_table_once(totals: Totals, kept: Kept) -> None:
    jobs = kept.column("jobs", "job_id")
    assert len(jobs) == len(np.unique(jobs)) == totals.submitted == sum(totals.jobs_by_state.values())


def test_no_place_or_limit_was_broken(plan: Plan, totals: Totals, kept: Kept) -> None:
    assert totals.decided["breaches"] == 0
    limits = plan.fleet.power_limit_w[kept.column("site_power", "feed")]
    assert (kept.column("site_power", "committed_w") <= limits).all()
    allowed = {int(job): int(places) for job, places in zip(*job_places(plan), strict=True)}
    sites = zip(kept.column("intervals", "job_id").tolist(), kept.column("intervals", "site").tolist(), strict=True)
    assert all(allowed[job] >> site & 1 for job, site in sites)


def job_places(plan: Plan) -> tuple[list[int], list[int]]:
    tables: list[JobTable] = list(plan.workload.chunks())
    return [int(j) for t in tables for j in t.job_id], [int(p) for t in tables for p in t.places]


def test_a_job_that_can_never_run_is_refused_and_leaves_no_interval() -> None:
    plan = small_plan(days=1, jobs=100)
    table = next(iter(plan.workload.chunks()))
    table.gpus[3] = 100 * 1_152
    totals = run(replace(plan, workload=replace(plan.workload, chunks=lambda: iter([table]))), kept := Kept())
    refused = kept.column("jobs", "job_id")[kept.column("jobs", "state") == 6]
    assert totals.jobs_by_state["refused"] == 1
    assert refused.tolist() == [int(table.job_id[3])]
    assert int(table.job_id[3]) not in kept.column("intervals", "job_id")


def test_without_faults_every_feasible_job_starts() -> None:
    plan = small_plan(days=2, jobs=300)
    calm = without_failures(replace(plan, end_ms=60 * DAY_MS))
    totals = run(calm, kept := Kept())
    assert totals.jobs_by_state["queued"] + totals.jobs_by_state["running"] == 0
    refused = kept.column("jobs", "state") == STATES.index("refused")
    assert set(kept.column("jobs", "reason")[refused].tolist()) <= {REASONS.index("quota")}
    waits = (kept.column("jobs", "start_ms") - kept.column("jobs", "submit_ms"))[~refused]
    assert (waits >= 0).all()
    assert int(waits.max()) > HOUR_MS  # the fleet was busy: something had to wait


def test_retired_racks_finish_their_work_and_are_off_then() -> None:
    plan = small_plan(days=2, jobs=300)
    fleet = plan.fleet
    gone = fleet.rack_cell == 1
    fleet = replace(fleet, rack_ready_to_ms=np.where(gone, DAY_MS, fleet.rack_ready_to_ms))
    run(replace(plan, fleet=fleet, end_ms=30 * DAY_MS), kept := Kept())
    cell, at_ms = kept.column("fleet", "cell"), kept.column("fleet", "time_ms")
    online, used, down = (kept.column("fleet", name) for name in ("online_gpus", "allocated_gpus", "down_gpus"))
    after = (cell == 1) & (at_ms > DAY_MS)
    assert online[after].max() > 0, "work goes on for a while"
    assert (used[after] == 0).any()
    assert (online[after & (used == 0)] == 0).all()
    assert (down >= 0).all()
    assert (down[after & (used == 0)] == 0).all()
    last = kept.column("site_power", "minute_ms") == kept.column("site_power", "minute_ms").max()
    its_feed = kept.column("site_power", "feed") == fleet.rack_feed[gone][0]
    assert kept.column("site_power", "it_w")[last & its_feed].tolist() == [0]
    assert kept.column("site_power", "committed_w")[last & its_feed].tolist() == [0]


def test_the_queue_table_has_a_column_for_every_reason_of_the_core() -> None:
    assert len(tables.REASONS) == len(core.REASONS)
