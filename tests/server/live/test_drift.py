"""What an engine holds beside what was decided: strangers are orphans, what is missing is lost, when seen twice."""

import asyncio

from gridhall.engines.protocol import AttemptKey, Place, StartOrder
from gridhall.ledger.entries import Report, read
from gridhall.server.live import work
from gridhall.server.live.service import Service
from gridhall.server.store.log_rows import LogRows
from tests.server.live.hand_engine import HandEngine
from tests.server.live.house import hand_engine, nodes_up, running, settings, small_fleet, submit, until

STRANGER = AttemptKey(777, 1)


async def look(service: Service, engine: HandEngine) -> None:
    await service.drift.look("hand", engine)


def test_an_attempt_that_nobody_decided_is_an_orphan_when_it_is_seen_twice(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        engine = hand_engine(fleet)
        async with running(settings(store_url, fleet, engine)) as service:
            await nodes_up(service)
            site, node = engine.nodes[0]
            place = Place(site, node, (0,))
            engine.held[STRANGER] = StartOrder(STRANGER, 0, "?", "?", "?", "?", ("true",), (place,))
            await look(service, engine)
            assert not service.drift.orphans
            await look(service, engine)
            assert service.drift.orphans == {("hand", STRANGER)}
            await service.loop.settled()
            await until(lambda: service.loop.log.size > 3)
            entries = map(read, await LogRows(service.database).entries(0, service.loop.log.size))
            said = [each for each in entries if isinstance(each, Report)]
            assert [(each.about, each.said) for each in said] == [("attempt:777.1", "orphan")]
            del engine.held[STRANGER]
            await look(service, engine)
            assert not service.drift.orphans

    asyncio.run(story())


def test_an_attempt_that_its_engine_forgot_is_lost_and_placed_again(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        engine = hand_engine(fleet)
        async with running(settings(store_url, fleet, engine)) as service:
            await nodes_up(service)
            job = await submit(service)
            await until(lambda: engine.starts and not service.carrier.busy(job.number))
            engine.held.clear()
            await look(service, engine)
            await service.loop.settled()
            assert (job.attempt, job.state) == (1, work.STARTING)
            await look(service, engine)
            await until(lambda: len(engine.starts) == 2)
            assert engine.starts[1].key == AttemptKey(job.number, 2)

    asyncio.run(story())
