"""A decision to pause or to go on reaches the engine, and what the engine reports reaches the core and the job."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest

from gridhall.controller import events as e
from gridhall.engines.protocol import AttemptKey, EngineFault, Paused, Resumed
from gridhall.ledger.entries import Decision, read
from gridhall.scheduling import decisions as d
from gridhall.server.live import work
from gridhall.server.live.changes import Delivered
from gridhall.server.live.draft import Draft
from gridhall.server.live.projection import project
from gridhall.server.live.service import Service, Settings, open_service
from gridhall.server.live.work import Job
from gridhall.server.store.log_rows import LogRows
from gridhall.server.views.events import Owner, events_of, jobs_in
from gridhall.server.views.jobs import reason_of
from gridhall.server.views.why import why_object
from tests.server.live.hand_engine import HandEngine
from tests.server.live.house import crash, hand_engine, nodes_up, running, settings, small_fleet, submit, until

FEED = 0


@dataclass(frozen=True, slots=True)
class Decided:
    """The core decides to pause a job or to let it go on."""

    effect: int
    job: Job

    def decide(self, draft: Draft) -> None:
        effect = (self.effect, draft.now_ms, self.job.number, self.job.slot, self.job.attempt, FEED, 0, 0)
        project(draft, [effect])


@dataclass
class Hall:
    service: Service
    engine: HandEngine
    job: Job

    @property
    def key(self) -> AttemptKey:
        return AttemptKey(self.job.number, self.job.attempt)

    async def decide(self, *effects: int) -> None:
        for effect in effects:
            await self.service.loop.happen(Decided(effect, self.job))

    async def told(self) -> list[tuple[int, tuple[int, ...]]]:
        """The events about pauses that the core was fed, with their fields."""
        await self.service.loop.happen(Delivered(()))  # what came before this is durable then
        bodies = await LogRows(self.service.database).entries(0, self.service.loop.log.size)
        decisions = [entry for entry in map(read, bodies) if isinstance(entry, Decision)]
        return [(each.event[0], tuple(each.event[2:7])) for each in decisions if each.event[0] in (e.PAUSED, e.RESUMED)]

    def words(self) -> str:
        return why_object(self.service.world, self.job, 1).sentence

    def states(self) -> tuple[str, str]:
        assert self.job.open_attempt is not None
        return self.job.state, self.job.open_attempt.pause


def in_hall(store_url: str, story: Callable[[Hall], Awaitable[None]]) -> None:
    """Tell a story about one running job."""

    async def live() -> None:
        fleet = small_fleet()
        engine = hand_engine(fleet)
        async with running(settings(store_url, fleet, engine)) as service:
            await nodes_up(service)
            hall = Hall(service, engine, await submit(service))
            await until(lambda: engine.starts)
            engine.started(hall.key)
            await until(lambda: hall.job.state == work.RUNNING)
            await story(hall)

    asyncio.run(live())


def test_a_pause_goes_to_the_engine_and_its_report_to_the_core(store_url: str) -> None:
    async def story(hall: Hall) -> None:
        feed = hall.service.world.fleet.arrays.power_names[FEED]
        await hall.decide(d.PAUSE)
        assert hall.states() == (work.RUNNING, work.PAUSING)
        assert f"it was told to pause: the load target of feed {feed} asks for it" in hall.words()
        await until(lambda: hall.engine.switches == [("pause", hall.key)])
        for _ in range(2):
            hall.engine.report(Paused(hall.key, 5))
        await until(lambda: hall.job.state == work.PAUSED)
        assert hall.words() == (
            f"{hall.job.id} is paused: it stands still on its nodes; the load target of feed {feed} asks for it."
        )
        await hall.decide(d.RESUME)
        assert hall.states() == (work.PAUSED, work.RESUMING)
        assert reason_of(hall.job, hall.service.world).endswith("it was told to go on")
        await until(lambda: hall.engine.switches[1:] == [("resume", hall.key)])
        for _ in range(2):
            hall.engine.report(Resumed(hall.key, 6))
        await until(lambda: hall.states() == (work.RUNNING, ""))
        fields = (hall.job.slot, hall.job.attempt, 0, 0, hall.job.number)
        assert await hall.told() == [(e.PAUSED, fields), (e.RESUMED, fields)]

    in_hall(store_url, story)


def late_reports(key: AttemptKey) -> Iterator[Paused | Resumed]:
    """Of another attempt, of another job, and one that changes nothing."""
    yield Paused(AttemptKey(key.job, key.attempt + 1), 1)
    yield Paused(AttemptKey(key.job + 7, 1), 1)
    yield Resumed(key, 1)


def test_reports_about_what_is_not_current_change_nothing(store_url: str) -> None:
    async def story(hall: Hall) -> None:
        for report in late_reports(hall.key):
            hall.engine.report(report)
        await hall.decide(d.PAUSE)
        hall.engine.report(Resumed(hall.key, 1))
        await hall.decide(d.STOP)
        hall.engine.report(Paused(hall.key, 1))
        assert hall.states() == (work.STOPPING, "")
        assert await hall.told() == []

    in_hall(store_url, story)


def test_a_gang_that_its_engine_paused_by_itself_is_told_to_the_core(store_url: str) -> None:
    async def story(hall: Hall) -> None:
        hall.engine.report(Paused(hall.key, 1))
        await until(lambda: hall.states() == (work.PAUSED, work.PAUSED))
        assert "nobody here asked for it" in hall.words()
        hall.engine.report(Resumed(hall.key, 1))
        await until(lambda: hall.states() == (work.RUNNING, ""))
        assert [kind for kind, _ in await hall.told()] == [e.PAUSED, e.RESUMED]

    in_hall(store_url, story)


def test_a_pause_that_cannot_be_carried_out_gives_way_to_the_next_order(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(hall: Hall) -> None:
        tries: list[AttemptKey] = []

        async def refuse(self: HandEngine, key: AttemptKey, epoch: int) -> None:
            tries.append(key)
            raise EngineFault("not now")

        monkeypatch.setattr(HandEngine, "pause", refuse)
        await hall.decide(d.PAUSE)
        await until(lambda: len(tries) > 1)
        assert hall.engine.switches == []
        await hall.decide(d.RESUME, d.STOP)
        await until(lambda: hall.engine.stops)
        assert hall.engine.switches == [("resume", hall.key)]

    in_hall(store_url, story)


def test_a_pause_outlives_the_controller(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        engine = hand_engine(fleet)
        chosen = settings(store_url, fleet, engine)
        first = await running_pause(chosen, engine)
        number = first.job.number
        async with running(chosen) as service:
            job = service.world.jobs[number]
            assert job.open_attempt is not None
            assert (job.state, job.open_attempt.pause, job.open_attempt.pause_feed) == (work.PAUSED, work.PAUSED, FEED)
            engine.report(Paused(first.key, 1))
            again = Hall(service, engine, job)
            await again.decide(d.RESUME)
            engine.report(Paused(first.key, 1))
            engine.report(Resumed(first.key, 1))
            await until(lambda: again.states() == (work.RUNNING, ""))
            assert [kind for kind, _ in await again.told()] == [e.PAUSED, e.RESUMED]

    asyncio.run(story())


async def running_pause(chosen: Settings, engine: HandEngine) -> Hall:
    """A controller that is killed while its job is paused."""
    service = await open_service(chosen)
    await nodes_up(service)
    hall = Hall(service, engine, await submit(service))
    await until(lambda: engine.starts)
    engine.started(hall.key)
    await hall.decide(d.PAUSE)
    await until(lambda: engine.switches)
    engine.report(Paused(hall.key, 1))
    await until(lambda: hall.job.state == work.PAUSED)
    assert await hall.told()
    await crash(service)
    return hall


def test_who_watches_hears_of_pauses() -> None:
    owner = {9: Owner("job-9", "home", "default")}
    paused = Decision(3, 1, [e.PAUSED, 50, 4, 1, 0, 0, 9], [[d.PAUSE, 50, 9, 4, 1, FEED]], (0, 0), "")
    assert jobs_in([Decision(3, 1, [e.PAUSED, 50, 4, 1, 0, 0, 9], [], (0, 0), "")]) == {9}
    seen = [(each.kind, each.object) for each in events_of(0, paused, small_fleet(), owner, {})]
    assert seen == [("job.paused", "job-9"), ("job.pausing", "job-9")]
