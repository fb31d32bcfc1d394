"""The energy desk as plain stories; each runs through the reference and all invariants too."""

import pytest

from gridhall.controller import events as ev
from gridhall.scheduling import decisions as d
from tests.oracle.pair import Pair
from tests.oracle.test_live_found import HOUR_MS, racks_of_four, submit

RIGID, SLOW50, DEFERRABLE = 0, 3, 4
SECOND_MS = 1_000
FEED = 0
Effects = list[tuple[int, ...]]


def hall_of(*tiers: int) -> Pair:
    """A gang of two nodes for each tier, an hour old, on engines that can pause."""
    pair = racks_of_four()
    pair.step((ev.ABILITY, 0, 0, ev.CAN_PAUSE))
    for job, tier in enumerate(tiers):
        submit(pair, 0, job, 2, tier=tier, limit_ms=20 * HOUR_MS, deadline_ms=40 * HOUR_MS)
    return pair


def target(pair: Pair, time_ms: int, gangs_less: int) -> Effects:
    """Ask the feed for so many gangs less than it has."""
    busy_w = pair.s.committed_w(FEED)
    gang_w = 2 * pair.s.jobs[0].node_w
    return pair.step((ev.TARGET, time_ms, FEED, busy_w - gangs_less * gang_w))


def told(effects: Effects, kind: int) -> list[int]:
    return [effect[2] for effect in effects if effect[0] == kind]


def why(effects: Effects) -> list[int]:
    return [effect[5] for effect in effects if effect[0] == d.RESUME]


def answer(pair: Pair, time_ms: int, kind: int, job: int) -> Effects:
    found = next(each for each in pair.s.jobs.values() if each.id == job)
    return pair.step((kind, time_ms, found.slot, found.attempt, 0, 0, job))


def tick(pair: Pair, time_ms: int) -> Effects:
    return pair.step((ev.TICK, time_ms))


def test_deferrable_work_stands_still_before_slow_work_and_rigid_work_never() -> None:
    pair = hall_of(RIGID, SLOW50, DEFERRABLE)
    assert told(target(pair, HOUR_MS, 1), d.PAUSE) == [2]
    assert told(target(pair, HOUR_MS, 2), d.PAUSE) == [1]
    assert told(target(pair, HOUR_MS, 3), d.PAUSE) == []


def test_a_gang_whose_engine_cannot_pause_is_left_alone() -> None:
    pair = hall_of(DEFERRABLE)
    pair.step((ev.ABILITY, 0, 0, 0))
    assert told(target(pair, HOUR_MS, 1), d.PAUSE) == []


def test_a_gang_goes_on_when_its_allowance_is_nearly_used_up_whatever_the_target() -> None:
    pair = hall_of(SLOW50)
    target(pair, HOUR_MS, 1)
    answer(pair, HOUR_MS + 10 * SECOND_MS, ev.PAUSED, 0)
    almost_ms = HOUR_MS + HOUR_MS // 2 - 60 * SECOND_MS
    assert why(tick(pair, almost_ms)) == []
    assert why(tick(pair, almost_ms + 20 * SECOND_MS)) == [d.WHY_ALLOWANCE]


def test_a_gang_that_does_not_stand_still_in_time_is_given_up_and_another_takes_its_place() -> None:
    pair = hall_of(DEFERRABLE, DEFERRABLE)
    assert told(target(pair, HOUR_MS, 1), d.PAUSE) == [0]
    effects = tick(pair, HOUR_MS + 30 * SECOND_MS)
    assert (told(effects, d.RESUME), why(effects), told(effects, d.PAUSE)) == ([0], [d.WHY_ENGINE], [1])


def test_a_gang_that_goes_on_unasked_is_told_to_and_another_takes_its_place() -> None:
    pair = hall_of(DEFERRABLE, DEFERRABLE)
    target(pair, HOUR_MS, 1)
    answer(pair, HOUR_MS + SECOND_MS, ev.PAUSED, 0)
    effects = answer(pair, HOUR_MS + 20 * SECOND_MS, ev.RESUMED, 0)
    assert (told(effects, d.RESUME), told(effects, d.PAUSE)) == ([0], [1])


def test_after_a_target_gangs_go_on_and_nothing_new_makes_a_peak_for_an_hour() -> None:
    pair = hall_of(RIGID, DEFERRABLE)
    before_w = pair.s.committed_w(FEED)
    target(pair, HOUR_MS, 1)
    answer(pair, HOUR_MS + SECOND_MS, ev.PAUSED, 1)
    end_ms = 2 * HOUR_MS
    assert why(pair.step((ev.TARGET, end_ms, FEED, -1))) == [d.WHY_ROOM]
    answer(pair, end_ms + SECOND_MS, ev.RESUMED, 1)
    submit(pair, end_ms + 2 * SECOND_MS, 2, 2)
    assert pair.s.committed_w(FEED) == before_w
    assert d.START in [effect[0] for effect in tick(pair, end_ms + HOUR_MS)]


def test_a_stop_ends_a_pause() -> None:
    pair = hall_of(DEFERRABLE)
    target(pair, HOUR_MS, 1)
    answer(pair, HOUR_MS + SECOND_MS, ev.PAUSED, 0)
    pair.step((ev.CANCEL, HOUR_MS + 2 * SECOND_MS, 0, 0))
    assert pair.w.told_jobs[0] == 0


@pytest.mark.parametrize("limit_share", [0.9, 1.1])
def test_a_feeds_own_limit_stays_its_own_under_a_target(limit_share: float) -> None:
    pair = hall_of(DEFERRABLE)
    own_w = round(pair.s.limit_w[FEED] * limit_share)
    target(pair, HOUR_MS, 1)
    pair.step((ev.LIMIT, HOUR_MS, FEED, own_w))
    assert pair.s.limit_w[FEED] < own_w
    pair.step((ev.TARGET, HOUR_MS, FEED, -1))
    tick(pair, 2 * HOUR_MS)
    assert pair.s.limit_w[FEED] == own_w
