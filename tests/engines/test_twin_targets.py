"""A load target in the twin: the feed keeps to it, by gangs whose tier allows it, and no peak follows."""

from dataclasses import replace

import pytest

from gridhall.engines.twin.run import run
from gridhall.engines.twin.settings import Plan, Target, Totals
from gridhall.units import HOUR_MS, MINUTE_MS
from gridhall.work.generator import generate
from gridhall.work.profiles import profile
from gridhall.work.table import TIERS
from tests.engines.small import LOAD, Ints, Kept, small_plan, without_failures

FROM_MS, UNTIL_MS = 40 * HOUR_MS, 43 * HOUR_MS
SHARE_MILLI = 750
FLEXIBLE = (0.2, 0.0, 0.0, 0.3, 0.5, 0.0)
"""Shares of jobs by tier: rigid, slow50 and deferrable ones only."""


def flexible_plan(tiers: tuple[float, ...] = FLEXIBLE) -> Plan:
    """The small plan with work of these tiers that draws all that it is charged, and a target on its first feed."""
    plan = without_failures(small_plan())
    mixed = replace(profile("training-cloud"), tiers=tiers)
    work = generate(mixed, seed=1, start_ms=0, end_ms=plan.end_ms, fleet=plan.fleet, jobs=1_200, load=LOAD)
    feed = int(plan.fleet.rack_feed[0])
    limit_w = int(plan.fleet.power_limit_w[feed]) * SHARE_MILLI // 1000
    world = replace(plan.world, draw_milli=1000)
    target = Target(feed, limit_w, FROM_MS, UNTIL_MS)
    return replace(plan, workload=work, world=world, reservations=(), targets=(target,))


@pytest.fixture(scope="module")
def plan() -> Plan:
    return flexible_plan()


@pytest.fixture(scope="module")
def kept() -> Kept:
    return Kept()


@pytest.fixture(scope="module")
def totals(plan: Plan, kept: Kept) -> Totals:
    return run(plan, kept)


@pytest.fixture(scope="module")
def without(plan: Plan) -> Kept:
    """The same run without the target."""
    tables = Kept()
    run(replace(plan, targets=()), tables)
    return tables


def drawn_w(plan: Plan, kept: Kept, from_ms: int, until_ms: int) -> Ints:
    """The target's feed, minute by minute."""
    minute_ms, feed = kept.column("site_power", "minute_ms"), kept.column("site_power", "feed")
    mine = (feed == plan.targets[0].power) & (minute_ms >= from_ms) & (minute_ms < until_ms)
    return kept.column("site_power", "it_w")[mine]


def test_the_feed_is_above_the_target_before_it_and_keeps_to_it_once_its_gangs_stand_still(
    plan: Plan, kept: Kept, totals: Totals
) -> None:
    limit_w = plan.targets[0].limit_w
    assert totals.lost_gpu_ms["paused"] > 0
    assert drawn_w(plan, kept, FROM_MS - HOUR_MS, FROM_MS).min() > limit_w
    assert drawn_w(plan, kept, FROM_MS + MINUTE_MS, UNTIL_MS).max() <= limit_w


def test_no_peak_follows_for_an_hour(plan: Plan, kept: Kept, totals: Totals) -> None:
    before_w = int(drawn_w(plan, kept, FROM_MS - MINUTE_MS, FROM_MS)[-1])
    assert drawn_w(plan, kept, UNTIL_MS, UNTIL_MS + HOUR_MS).max() <= before_w


def test_energy_adds_up_over_racks_and_feeds(totals: Totals) -> None:
    assert abs(totals.rack_joules - totals.feed_joules) <= 2
    assert sum(totals.lost_gpu_ms.values()) + totals.work_gpu_ms == pytest.approx(totals.allocated_gpu_ms, abs=2_000)


def test_work_that_stood_still_is_done_later_and_rigid_work_as_without_a_target(
    kept: Kept, without: Kept, totals: Totals
) -> None:
    took, took_without = (run_times(tables) for tables in (kept, without))
    slowed = {job for job in took.keys() & took_without.keys() if took[job] > took_without[job]}
    tiers = dict(zip(kept.column("jobs", "job_id").tolist(), kept.column("jobs", "tier").tolist(), strict=True))
    assert slowed
    assert {tiers[job] for job in slowed} <= {TIERS.index("slow50"), TIERS.index("deferrable")}


def run_times(tables: Kept) -> dict[int, int]:
    """Time from start to end of the jobs that ran in one attempt."""
    intervals = {name: tables.column("intervals", name) for name in ("job_id", "attempt", "start_ms", "end_ms", "why")}
    once = (intervals["attempt"] == 1) & (intervals["why"] == 0)
    spans = (intervals["end_ms"] - intervals["start_ms"])[once]
    return dict(zip(intervals["job_id"][once].tolist(), spans.tolist(), strict=True))


def test_no_slow50_job_loses_more_than_its_share_even_where_the_target_cannot_be_held_for_it() -> None:
    plan = flexible_plan((0.2, 0.0, 0.0, 0.8, 0.0, 0.0))
    plan = replace(plan, targets=(replace(plan.targets[0], limit_w=plan.targets[0].limit_w // 2),))
    kept, without = Kept(), Kept()
    run(plan, kept)
    run(replace(plan, targets=()), without)
    took, took_without = run_times(kept), run_times(without)
    lost = [(took[job] - took_without[job]) / took_without[job] for job in took.keys() & took_without.keys()]
    assert 0 < max(lost) <= 0.5
    assert drawn_w(plan, kept, FROM_MS + MINUTE_MS, UNTIL_MS).max() > plan.targets[0].limit_w
