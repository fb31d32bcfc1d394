"""A feed's load target on a live controller: real processes stand still, and go on when there is room."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from gridhall.controller import events as e
from gridhall.controller.live import row
from gridhall.engines.clock import ScaledClock
from gridhall.engines.local.engine import LocalEngine
from gridhall.engines.protocol import Ability, AttemptKey, Resumed, StopOrder
from gridhall.server.live import work
from gridhall.server.live.draft import Draft
from gridhall.server.live.projection import project
from gridhall.server.live.service import Service
from gridhall.server.live.work import Job
from tests.engines.local.lab import PYTHON, open_folder
from tests.server.live.hand_clock import HandClock
from tests.server.live.house import hand_engine, nodes_up, running, settings, small_fleet, submit, until

DEFERRABLE = 4
PAUSES = frozenset({Ability.PAUSE})
TICKS = [PYTHON, "-c", "import time\nwhile True: print('tick'); time.sleep(0.02)"]
SPEED = 60.0
SETTLED_S = 0.2


@dataclass(frozen=True, slots=True)
class Target:
    """A load target on the only feed, in watts of IT; -1 ends it."""

    watts: int

    def decide(self, draft: Draft) -> None:
        feed = draft.world.fleet.arrays.power_names.index("home/f")
        project(draft, draft.step(row(e.TARGET, draft.now_ms, feed, self.watts)))


def key_of(job: Job) -> AttemptKey:
    return AttemptKey(job.number, job.attempt)


def test_a_target_pauses_flexible_work_and_its_end_lets_it_go_on(store_url: str) -> None:
    async def story() -> None:
        fleet, clock = small_fleet(), HandClock()
        engine = hand_engine(fleet)
        engine.abilities = PAUSES
        async with running(replace(settings(store_url, fleet, engine), clock=clock)) as service:
            await nodes_up(service)
            rigid, flexible = await submit(service), await submit(service, tier=DEFERRABLE)
            await until(lambda: len(engine.starts) == 2)
            await service.loop.happen(Target(0))
            await until(lambda: engine.switches == [("pause", key_of(flexible))])
            engine.paused(key_of(flexible))
            await until(lambda: flexible.state == work.PAUSED)
            assert rigid.state == work.STARTING
            await service.loop.happen(Target(-1))
            assert len(engine.switches) == 1, "it stands still for a minute at least"
            for _ in range(15):
                await clock.move(5_000)
                await asyncio.sleep(0.01)
            await until(lambda: engine.switches[1:] == [("resume", key_of(flexible))])
            engine.report(Resumed(key_of(flexible), 1))
            await until(lambda: flexible.state == work.RUNNING)

    asyncio.run(story())


def test_the_core_asks_only_what_the_engine_can_do(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        engine = hand_engine(fleet)
        chosen = settings(store_url, fleet, engine)
        async with running(chosen) as service:
            await nodes_up(service)
            flexible = await submit(service, tier=DEFERRABLE)
            await service.loop.happen(Target(0))
            assert flexible.open_attempt is not None
            assert flexible.open_attempt.pause == ""
            await service.loop.happen(Target(-1))
        engine.abilities = PAUSES
        async with running(chosen) as service:
            await service.loop.happen(Target(0))
            await until(lambda: engine.switches == [("pause", key_of(flexible))])
        decisions = service.world.decisions
        async with running(chosen) as service:
            assert service.world.decisions == decisions, "what is known is not told again"

    asyncio.run(story())


@asynccontextmanager
async def local_hall(store_url: str) -> AsyncGenerator[tuple[Service, LocalEngine]]:
    """A controller over real processes, whose clock runs ahead; nothing runs on afterwards."""
    fleet = small_fleet()
    engine = LocalEngine(open_folder(), {"home": fleet.nodes})
    chosen = settings(store_url, fleet, hand_engine(fleet))
    clock = ScaledClock(time.time_ns() // 1_000_000, SPEED)
    async with running(replace(chosen, engines={"hand": engine}, clock=clock)) as service:
        await nodes_up(service)
        try:
            yield service, engine
        finally:
            for key in await engine.running():
                await engine.stop(StopOrder(key, 1 << 30, 0))
            async with asyncio.timeout(10):
                while any(job.state in (work.RUNNING, work.PAUSED) for job in service.world.jobs.values()):
                    await asyncio.sleep(0.02)


def test_real_processes_stand_still_for_a_target_and_go_on(store_url: str) -> None:
    async def story() -> None:
        async with local_hall(store_url) as (service, engine):
            rigid = await submit(service, command=TICKS)
            flexible = await submit(service, command=TICKS, tier=DEFERRABLE)

            async def said(job: Job) -> int:
                return len(await engine.read_log(key_of(job), 0, 0, 1 << 20))

            async def grows(job: Job) -> bool:
                before = await said(job)
                await asyncio.sleep(0.3)
                return await said(job) > before

            await until(lambda: (rigid.state, flexible.state) == (work.RUNNING, work.RUNNING))
            assert await grows(flexible)
            await service.loop.happen(Target(0))
            await until(lambda: flexible.state == work.PAUSED)
            await asyncio.sleep(SETTLED_S)
            assert not await grows(flexible)
            assert await grows(rigid)
            await service.loop.happen(Target(-1))
            await until(lambda: flexible.state == work.RUNNING)
            assert await grows(flexible)

    asyncio.run(story())
