"""An event is decided, written down, carried out, and its result comes back as an event."""

import asyncio

import pytest

from gridhall.engines.protocol import NodeSeen
from gridhall.ledger.verify import verify
from gridhall.server.live import draft, recover, work
from gridhall.server.live.changes import Cancel
from gridhall.server.live.service import open_service
from gridhall.server.store.log_rows import LogRows
from tests.server.live.house import hand_engine, running, settings, small_fleet, submit, until


def test_a_job_is_queued_placed_started_and_done(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        engine = hand_engine(fleet)
        async with running(settings(store_url, fleet, engine)) as service:
            await until(lambda: int(service.world.state.node_up[:].sum()) == 2)
            job = await submit(service)
            await until(lambda: engine.starts)
            order = engine.starts[0]
            assert order.command == ("true",)
            assert order.places[0].gpus == tuple(range(8))
            assert job.state == work.STARTING
            engine.started(order.key)
            await until(lambda: job.state == work.RUNNING)
            engine.ended(order.key)
            await until(lambda: not engine.held)
            assert job.state == work.COMPLETED
            assert not service.world.jobs

    asyncio.run(story())


def test_a_waiting_job_can_be_cancelled(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet(nodes=1)
        engine = hand_engine(fleet)
        async with running(settings(store_url, fleet, engine)) as service:
            await until(lambda: int(service.world.state.node_up[:].sum()) == 1)
            await submit(service)
            second = await submit(service)
            assert second.state == work.QUEUED
            await service.loop.happen(Cancel(second.id))
            assert second.state == work.CANCELLED

    asyncio.run(story())


def test_what_runs_is_adopted_after_a_restart_and_what_ended_meanwhile_is_done(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        engine = hand_engine(fleet)
        chosen = settings(store_url, fleet, engine)
        async with running(chosen) as service:
            await until(lambda: int(service.world.state.node_up[:].sum()) == 2)
            await submit(service)
            await submit(service)
            waiting = await submit(service)
            await until(lambda: len(engine.starts) == 2)
            before = service.world.state.digest()
        async with running(chosen) as service:
            assert service.world.state.digest() == before
            assert service.world.epoch == 2
            assert len(service.world.jobs) == 3
            engine.ended(engine.starts[0].key)
            await until(lambda: len(engine.starts) == 3)
            assert engine.starts[2].key.job == waiting.number

    asyncio.run(story())


def test_effects_that_one_entry_cannot_hold_are_spread_and_replayed(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft, "ENTRY_EFFECTS", 2)
    monkeypatch.setattr(recover, "BATCH", 3)

    async def story() -> None:
        fleet = small_fleet()
        engine = hand_engine(fleet)
        chosen = settings(store_url, fleet, engine)
        first = await open_service(chosen)
        await until(lambda: int(first.world.state.node_up[:].sum()) == 2)
        for _ in range(4):
            await submit(first)
        digest = first.world.state.digest()
        first.loop.failed = True  # as if killed: no segment is closed
        await first.close()
        async with running(chosen) as second:
            assert second.replayed > 4
            assert second.world.state.digest() == digest
            verdict = await verify(LogRows(second.database))
            assert (verdict.word, verdict.why) == ("PASS", "")

    asyncio.run(story())


def test_a_node_that_its_engine_drains_gets_no_more_work_until_it_takes_some_again(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet(nodes=1)
        engine = hand_engine(fleet)
        (site, node), *_ = engine.nodes
        async with running(settings(store_url, fleet, engine)) as service:
            await until(lambda: service.world.state.node_up[0] == 1)
            engine.report(NodeSeen(site, node, 1, up=True, reason="draining", takes_work=False))
            await until(lambda: service.world.state.node_cordoned[0] == 1)
            waiting = await submit(service)
            assert waiting.state == work.QUEUED
            engine.report(NodeSeen(site, node, 2, up=True))
            await until(lambda: engine.starts)

    asyncio.run(story())
