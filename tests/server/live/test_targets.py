"""The timer of load targets: the core is told the value in force when a stretch begins and when it ends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from gridhall.controller.events import ABILITY, CAN_PAUSE, TARGET
from gridhall.controller.live import row
from gridhall.energy.targets import LoadTarget
from gridhall.energy.targets.models import moment
from gridhall.fleet.models import Fleet
from gridhall.ledger.entries import Decision, read
from gridhall.server.live import work
from gridhall.server.live.draft import Draft, Refusal
from gridhall.server.live.fleet_map import FleetMap, map_fleet
from gridhall.server.live.projection import project
from gridhall.server.live.service import Service, Settings, open_service
from gridhall.server.store.log_rows import LogRows
from gridhall.server.targets import changes
from gridhall.server.targets.changes import SetTarget
from gridhall.server.targets.feeds import draws_of
from gridhall.server.targets.watch import TargetWatch
from tests.server.live.hand_clock import HandClock
from tests.server.live.house import crash, hand_engine, nodes_up, running, settings, small_fleet, submit, until

HOUR_MS = 3_600_000
PUE_MILLI = 1200


@asynccontextmanager
async def watched(service: Service) -> AsyncGenerator[None]:
    task = asyncio.create_task(TargetWatch(service).watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def aim(service: Service, watts: int, from_ms: int, until_ms: int | None) -> None:
    end_time = None if until_ms is None else moment(until_ms)
    body: dict[str, Any] = {
        "interval": {"start_time": moment(from_ms), "end_time": end_time},
        "load_constraint": {"value": watts, "unit": "W"},
    }
    feeds = tuple(service.world.fleet.feeds.values())
    await service.loop.happen(SetTarget(feeds, LoadTarget.model_validate(body), "desk"))


async def told(service: Service) -> list[tuple[int, int]]:
    """When the core was told of the feed, and how many IT watts."""
    bodies = await LogRows(service.database).entries(0, service.loop.log.size)
    events = [entry.event for entry in map(read, bodies) if isinstance(entry, Decision)]
    return [(event[1], event[3]) for event in events if event[0] == TARGET]


async def until_told(service: Service, times: int) -> list[tuple[int, int]]:
    async with asyncio.timeout(10):
        while len(found := await told(service)) < times:
            await asyncio.sleep(0.01)
    return found


def it(watts: int) -> int:
    return watts * 1000 // PUE_MILLI


def test_a_stretch_begins_and_ends_at_its_times(store_url: str) -> None:
    async def story() -> None:
        fleet, clock = small_fleet(), HandClock()
        chosen = replace(settings(store_url, fleet, hand_engine(fleet)), clock=clock)
        async with running(chosen) as service, watched(service):
            await nodes_up(service)
            now_ms = clock.now_ms()
            await aim(service, 600_000, now_ms + HOUR_MS, now_ms + 3 * HOUR_MS)
            await aim(service, 700_000, now_ms + 2 * HOUR_MS, now_ms + 3 * HOUR_MS)
            await clock.move(HOUR_MS - 1)
            await asyncio.sleep(0.05)
            assert await told(service) == []
            await clock.move(1)
            await until_told(service, 1)
            await clock.move(HOUR_MS)
            await until_told(service, 2)
            await clock.move(HOUR_MS)
            wanted = [(1, it(600_000)), (2, it(700_000)), (3, -1)]
            assert await until_told(service, 3) == [(now_ms + hours * HOUR_MS, watts) for hours, watts in wanted]

    asyncio.run(story())


def test_a_restart_keeps_the_schedule_and_tells_what_came_into_force_meanwhile(store_url: str) -> None:
    async def story() -> None:
        fleet, clock = small_fleet(), HandClock()
        chosen = replace(settings(store_url, fleet, hand_engine(fleet)), clock=clock)
        now_ms = clock.now_ms()
        service = await _opened(chosen)
        await aim(service, 600_000, now_ms, now_ms + HOUR_MS)
        await aim(service, 700_000, now_ms + HOUR_MS, None)
        kept = service.world.directory.get("feed", "feed.0")
        await crash(service)
        async with running(replace(chosen, engines={"hand": hand_engine(fleet)})) as again, watched(again):
            assert again.world.directory.get("feed", "feed.0") == kept
            await asyncio.sleep(0.05)
            assert await told(again) == [(now_ms, it(600_000))]
        await clock.move(2 * HOUR_MS)
        async with running(replace(chosen, engines={"hand": hand_engine(fleet)})) as later, watched(later):
            found = await until_told(later, 2)
            assert found[1] == (now_ms + 2 * HOUR_MS, it(700_000))

    asyncio.run(story())


async def _opened(chosen: Settings) -> Service:
    service = await open_service(chosen)
    await nodes_up(service)
    return service


def test_a_feed_with_a_lower_default_begins_with_it_and_returns_to_it(store_url: str) -> None:
    async def story() -> None:
        fleet, clock = lower_default(), HandClock()
        chosen = replace(settings(store_url, fleet, hand_engine(fleet)), clock=clock)
        async with running(chosen) as service, watched(service):
            now_ms = clock.now_ms()
            await until_told(service, 1)
            await aim(service, 1_000_000, now_ms, now_ms + HOUR_MS)
            await until_told(service, 2)
            await clock.move(HOUR_MS)
            assert [watts for _, watts in await until_told(service, 3)] == [it(800_000), -1, it(800_000)]

    asyncio.run(story())


def lower_default() -> FleetMap:
    document = small_fleet().fleet.model_dump(by_alias=True)
    document["sites"][0]["grid"]["feeds"][0]["default_mw"] = 0.8
    return map_fleet(Fleet.model_validate(document))


def test_a_feed_has_at_most_so_many_stretches_to_come(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        fleet = small_fleet()
        async with running(settings(store_url, fleet, hand_engine(fleet))) as service:
            monkeypatch.setattr(changes, "MOST_STRETCHES", 2)
            now_ms = service.loop.now_ms()
            for place in (1, 2):
                await aim(service, 900_000, now_ms + place * HOUR_MS, now_ms + (place + 1) * HOUR_MS)
            with pytest.raises(Refusal, match="the most") as refused:
                await aim(service, 900_000, now_ms + 5 * HOUR_MS, None)
            assert refused.value.reason == "too-many"

    asyncio.run(story())


@dataclass(frozen=True)
class CanPause:
    """The engine of the first cell says that it can pause."""

    def decide(self, draft: Draft) -> None:
        project(draft, draft.step(row(ABILITY, draft.now_ms, 0, CAN_PAUSE)))


def test_a_target_pauses_a_gang_that_may_stand_still_and_leaves_rigid_work_alone(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        engine = hand_engine(fleet)
        async with running(settings(store_url, fleet, engine)) as service:
            await nodes_up(service)
            await service.loop.happen(CanPause())
            await submit(service)
            flexible = await submit(service, tier=4, checkpoint={"interval_ms": 60_000})
            await until(lambda: len(engine.starts) == 2)
            for order in engine.starts:
                engine.started(order.key)
            await until(lambda: flexible.state == work.RUNNING)
            before = draws_of(service.world)["home:f"]
            await aim(service, before.floor_w, service.loop.now_ms(), None)
            await until(lambda: engine.switches)
            assert [(what, key.job) for what, key in engine.switches] == [("pause", flexible.number)]
            after = draws_of(service.world)["home:f"]
            assert (after.total_w, after.paused_w) == (before.floor_w, before.flexible_w)

    asyncio.run(story())
