"""The paced twin keeps the protocol, and says the same for the same seed, orders and times."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from gridhall.engines.clock import ScaledClock
from gridhall.engines.protocol import (
    AttemptKey,
    Ended,
    EngineFault,
    Lost,
    NodeSeen,
    Paused,
    Place,
    Report,
    Resumed,
    StaleEpoch,
    Started,
    StartOrder,
    StopOrder,
    Stopped,
)
from gridhall.engines.twin.paced import PacedTwin
from gridhall.engines.twin.script import CHECKPOINT_SECONDS, EXIT, SECONDS
from gridhall.engines.twin.settings import WorldSettings
from gridhall.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.engines.twin.manual_clock import ManualClock, settle

NODES = [("harlow", f"n{number}") for number in range(4)] + [("narvik", "m0")]
CALM = WorldSettings(failures_per_1000_node_days=0.0)
FAILING = WorldSettings(failures_per_1000_node_days=2_000.0, repair_median_ms=HOUR_MS)
START_MS = 1_780_000_000_000
HOUR = {SECONDS: "3600", CHECKPOINT_SECONDS: "600"}


class Lab:
    """A twin on a manual clock, with what it reported."""

    def __init__(self, settings: WorldSettings = CALM, seed: int = 1) -> None:
        self.clock = ManualClock(START_MS)
        self.twin = PacedTwin(NODES, self.clock, seed, settings)
        self.reports: list[Report] = []

    def of(self, *kinds: type) -> list[Report]:
        return [report for report in self.reports if isinstance(report, kinds)]

    def ends(self) -> list[Report]:
        return self.of(Ended, Stopped, Lost)


def order(job: int = 1, attempt: int = 1, nodes: int = 2, **changes: object) -> StartOrder:
    places = tuple(Place(site, node, tuple(range(8))) for site, node in NODES[:nodes])
    usual = StartOrder(AttemptKey(job, attempt), 1, "train", "acme", "vision", "ada", ("true",), places, HOUR)
    return replace(usual, **changes)


def in_lab(story: Callable[[Lab], Awaitable[None]], settings: WorldSettings = CALM, seed: int = 1) -> Lab:
    """Open a twin, live through a story, close it."""

    async def live() -> Lab:
        lab = Lab(settings, seed)
        await lab.twin.open(lab.reports.append)
        await story(lab)
        await lab.twin.close()
        return lab

    return asyncio.run(live())


def test_every_node_is_up_from_the_start() -> None:
    async def story(lab: Lab) -> None:
        await settle()

    lab = in_lab(story)
    assert [(report.site, report.node) for report in lab.of(NodeSeen) if isinstance(report, NodeSeen)] == NODES
    assert all(report.up and report.time_ms == START_MS for report in lab.of(NodeSeen) if isinstance(report, NodeSeen))


def test_a_gang_starts_after_a_delay_and_ends_after_its_work_and_its_checkpoints() -> None:
    async def story(lab: Lab) -> None:
        await lab.twin.start(order())
        await lab.clock.advance(29_000)
        assert lab.of(Started) == []
        await lab.clock.advance(2 * HOUR_MS)

    lab = in_lab(story)
    (started,), (ended,) = lab.of(Started), lab.ends()
    assert isinstance(started, Started)
    assert isinstance(ended, Ended)
    assert START_MS + 30_000 <= started.time_ms <= START_MS + 90_000
    assert (ended.exit_code, ended.timed_out) == (0, False)
    assert ended.ran_ms == ended.time_ms - started.time_ms
    assert HOUR_MS + 5 * 10_000 <= ended.ran_ms <= HOUR_MS + 5 * 72_000


def test_an_order_says_its_exit_code_and_its_limit_ends_it() -> None:
    async def story(lab: Lab) -> None:
        await lab.twin.start(order(1, environment={SECONDS: "60", EXIT: "3"}))
        await lab.twin.start(order(2, environment={SECONDS: "60"}, limit_ms=45_000))
        await lab.clock.advance(HOUR_MS)

    ends = {end.key.job: end for end in in_lab(story).ends() if isinstance(end, Ended)}
    assert (ends[1].exit_code, ends[1].ran_ms, ends[1].timed_out) == (3, 60_000, False)
    assert (ends[2].exit_code, ends[2].ran_ms, ends[2].timed_out) == (-15, 45_000, True)


def test_a_later_attempt_does_the_rest_of_the_work() -> None:
    async def story(lab: Lab) -> None:
        await lab.twin.start(order(attempt=2, saved_ms=HOUR_MS - 60_000))
        await lab.clock.advance(HOUR_MS)

    (ended,) = in_lab(story).ends()
    assert isinstance(ended, Ended)
    assert ended.ran_ms == 60_000


def test_a_stop_saves_the_work_if_the_grace_allows_it() -> None:
    async def story(lab: Lab) -> None:
        for job, grace_ms in ((1, 5 * MINUTE_MS), (2, 1_000)):
            await lab.twin.start(order(job))
            await lab.clock.advance(30 * MINUTE_MS)
            await lab.twin.stop(StopOrder(AttemptKey(job, 1), 1, grace_ms))
            await lab.clock.advance(5 * MINUTE_MS)

    saved, killed = in_lab(story).ends()
    assert isinstance(saved, Stopped)
    assert isinstance(killed, Stopped)
    assert 20 * MINUTE_MS < saved.saved_ms < 30 * MINUTE_MS
    assert saved.saved_ms % (10 * MINUTE_MS) != 0
    assert killed.saved_ms == 20 * MINUTE_MS
    assert killed.time_ms == START_MS + 65 * MINUTE_MS + 1_000


def test_a_pause_is_no_run_time_and_a_stop_ends_it() -> None:
    async def story(lab: Lab) -> None:
        done, stopped = order(1), order(2)
        for each in (done, stopped):
            await lab.twin.start(each)
            await lab.twin.pause(each.key, 1)
        assert lab.of(Paused) == []
        await lab.clock.advance(10 * MINUTE_MS)
        began_ms = {report.key: report.time_ms for report in lab.reports if isinstance(report, Started)}
        assert lab.of(Paused) == [Paused(key, time_ms) for key, time_ms in began_ms.items()]
        await lab.clock.advance(5 * HOUR_MS)
        assert lab.ends() == []
        await lab.twin.resume(done.key, 1)
        resumed_ms = lab.clock.now_ms()
        assert lab.of(Resumed) == [Resumed(done.key, resumed_ms)]
        await lab.twin.stop(StopOrder(stopped.key, 1))
        await lab.clock.advance(2 * HOUR_MS)
        (first,) = [end for end in lab.ends() if isinstance(end, Stopped)]
        assert (first.key, first.saved_ms) == (stopped.key, 0)
        (last,) = [end for end in lab.ends() if isinstance(end, Ended)]
        assert HOUR_MS <= last.ran_ms == last.time_ms - resumed_ms < 2 * HOUR_MS

    in_lab(story)


def test_a_stop_while_starting_up_is_soon_and_nothing_starts() -> None:
    async def story(lab: Lab) -> None:
        await lab.twin.start(order(saved_ms=7_000))
        await lab.twin.stop(StopOrder(AttemptKey(1, 1), 1))
        await lab.twin.stop(StopOrder(AttemptKey(1, 1), 1))
        await lab.clock.advance(HOUR_MS)

    lab = in_lab(story)
    assert lab.of(Started) == []
    assert lab.ends() == [Stopped(AttemptKey(1, 1), START_MS + CALM.stop_delay_ms, 7_000)]


def test_a_failing_node_takes_its_gangs_with_it_and_is_mended() -> None:
    async def story(lab: Lab) -> None:
        for job in range(1, 200):
            await lab.twin.start(order(job, environment={SECONDS: "36000", CHECKPOINT_SECONDS: "600"}))
            await lab.clock.advance(HOUR_MS)

    lab = in_lab(story, FAILING)
    downs = [each for each in lab.of(NodeSeen) if isinstance(each, NodeSeen) and not each.up]
    ups = [each for each in lab.of(NodeSeen) if isinstance(each, NodeSeen) and each.up][len(NODES) :]
    lost = [each for each in lab.ends() if isinstance(each, Lost)]
    assert 20 < len(ups) <= len(downs) <= len(ups) + len(NODES)
    failed_at = {(each.time_ms, each.node) for each in downs}
    struck = [each for each in lost if each.reason.endswith("failed")]
    assert len(struck) > 20
    assert all(any((each.time_ms, node) in failed_at for _, node in NODES[:2]) for each in struck)
    assert all(each.saved_ms % 600_000 == 0 for each in struck)
    assert max(each.saved_ms for each in struck) > 0
    assert any(each.reason == "simulated: a node of it is down" for each in lost)


def test_orders_may_come_twice_and_ends_are_told_until_they_are_forgotten() -> None:
    async def story(lab: Lab) -> None:
        await lab.twin.start(order())
        await lab.twin.start(order())
        await lab.clock.advance(2 * HOUR_MS)
        assert len(lab.of(Started)) == len(lab.ends()) == 1
        await lab.twin.start(order())
        await lab.twin.stop(StopOrder(AttemptKey(1, 1), 1))
        await lab.clock.advance(HOUR_MS)
        assert lab.ends() == [lab.ends()[0]] * 3
        await lab.twin.close()
        await lab.twin.open(lab.reports.append)
        assert len(lab.ends()) == 4
        assert await lab.twin.running() == (AttemptKey(1, 1),)
        await lab.twin.forget(AttemptKey(1, 1), 1)
        assert await lab.twin.running() == ()

    in_lab(story)


def test_what_runs_is_not_forgotten() -> None:
    async def story(lab: Lab) -> None:
        await lab.twin.start(order())
        await lab.twin.forget(AttemptKey(1, 1), 1)
        await lab.clock.advance(2 * HOUR_MS)

    assert len(in_lab(story).ends()) == 1


def test_a_stop_of_what_it_never_knew_is_answered_by_lost_and_so_is_the_late_start() -> None:
    async def story(lab: Lab) -> None:
        await lab.twin.stop(StopOrder(AttemptKey(9, 1), 1))
        await lab.twin.start(order(9))
        await lab.clock.advance(2 * HOUR_MS)

    lab = in_lab(story)
    assert lab.of(Started) == []
    assert [type(end) for end in lab.ends()] == [Lost, Lost]


def test_orders_of_an_epoch_that_is_over_are_refused() -> None:
    async def story(lab: Lab) -> None:
        await lab.twin.start(order(1, epoch=5))
        with pytest.raises(StaleEpoch):
            await lab.twin.start(order(2, epoch=4))
        with pytest.raises(StaleEpoch):
            await lab.twin.stop(StopOrder(AttemptKey(1, 1), 4))
        with pytest.raises(StaleEpoch):
            await lab.twin.forget(AttemptKey(1, 1), 4)
        assert await lab.twin.running() == (AttemptKey(1, 1),)

    in_lab(story)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"places": (Place("harlow", "nowhere", (0,)),)}, "node 'nowhere' of site 'harlow' is not one of the twin's"),
        ({"environment": {SECONDS: "soon"}}, "GRIDHALL_TWIN_SECONDS='soon' is no whole number"),
        ({"environment": {SECONDS: "0"}}, "GRIDHALL_TWIN_SECONDS='0' is no whole number from 1"),
        ({"environment": {SECONDS: "5", EXIT: "256"}}, "GRIDHALL_TWIN_EXIT='256' is no whole number"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_refused_and_leaves_nothing(changes: dict[str, Any], said: str) -> None:
    async def story(lab: Lab) -> None:
        with pytest.raises(EngineFault, match=said):
            await lab.twin.start(order(**changes))
        assert await lab.twin.running() == ()

    in_lab(story)


def test_its_logs_say_that_they_are_simulated() -> None:
    async def story(lab: Lab) -> None:
        whole = await lab.twin.read_log(AttemptKey(1, 1), 0, 0, 1_000)
        assert whole.startswith(b"simulated: ")
        assert whole.endswith(b"\n")
        assert await lab.twin.read_log(AttemptKey(1, 1), 0, 4, 3) == whole[4:7]
        assert await lab.twin.read_log(AttemptKey(1, 1), 0, len(whole), 10) == b""

    in_lab(story)


async def busy_days(lab: Lab) -> None:
    """A hundred jobs that the twin draws itself, some stopped."""
    for job in range(100):
        await lab.twin.start(order(job, nodes=1 + job % 4, name=f"name-{job % 5}", environment={}))
        await lab.clock.advance(37 * MINUTE_MS)
        if job % 7 == 0:
            await lab.twin.stop(StopOrder(AttemptKey(job, 1), 1))
    await lab.clock.advance(30 * DAY_MS)


def test_the_same_seed_and_orders_give_the_same_reports() -> None:
    once, again, other = (in_lab(busy_days, FAILING, seed).reports for seed in (5, 5, 6))
    assert once == again
    assert once != other
    assert all("simulated" in report.reason for report in once if isinstance(report, NodeSeen | Lost))


def test_drawn_jobs_of_one_name_are_alike_and_some_fail() -> None:
    async def story(lab: Lab) -> None:
        for job in range(400):
            await lab.twin.start(order(job, name=f"name-{job % 2}", environment={}))
        await lab.clock.advance(400 * DAY_MS)

    ends = [end for end in in_lab(story).ends() if isinstance(end, Ended)]
    assert len(ends) == 400
    medians = [sorted(end.ran_ms for end in ends if end.key.job % 2 == odd)[100] for odd in (0, 1)]
    assert max(medians) > 1.3 * min(medians)
    assert 10 < sum(end.exit_code == 1 for end in ends) < 90


def test_it_keeps_the_pace_of_a_scaled_clock() -> None:
    async def live() -> list[Report]:
        reports: list[Report] = []
        twin = PacedTwin(NODES, ScaledClock(START_MS, 100_000), 1, CALM)
        await twin.open(reports.append)
        await twin.start(order(environment={SECONDS: "3600"}))
        async with asyncio.timeout(10):
            while not isinstance(reports[-1], Ended):
                await asyncio.sleep(0.01)
        await twin.close()
        return reports

    assert [type(report) for report in asyncio.run(live())[len(NODES) :]] == [Started, Ended]
