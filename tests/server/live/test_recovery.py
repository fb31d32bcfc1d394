"""After a crash the log leads to the same world, and what was ordered and not done is done."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import Connection, delete, select, update

from gridhall.errors import InputError
from gridhall.ledger.entries import Segment, read
from gridhall.server.live import snapshots, work
from gridhall.server.live.changes import Cancel
from gridhall.server.live.service import open_service
from gridhall.server.store.log_rows import LogRows
from gridhall.server.store.tables import entry, outbox, snapshot
from tests.server.live.house import crash, hand_engine, nodes_up, running, settings, small_fleet, submit, until


def test_the_tail_is_replayed_to_the_same_state(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        engine = hand_engine(fleet)
        chosen = settings(store_url, fleet, engine)
        first = await open_service(chosen)
        await nodes_up(first)
        jobs = [await submit(first, gpus=4) for _ in range(6)]
        await first.loop.happen(Cancel(jobs[5].id))
        engine.ended(engine.starts[0].key)
        await until(lambda: jobs[0].state == work.COMPLETED)
        copy, entries, decisions = await first.loop.frozen()
        await crash(first)
        async with running(chosen) as second:
            assert second.replayed == decisions
            assert second.loop.log.size == entries + 1  # the new segment
            assert second.world.state.digest() == copy.digest()
            assert sorted(second.world.job_of_id) == sorted(job.id for job in jobs[1:5])

    asyncio.run(story())


def test_orders_that_no_engine_took_on_are_carried_out_after_the_restart(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        engine = hand_engine(fleet)
        chosen = settings(store_url, fleet, engine)
        first = await open_service(chosen)
        await nodes_up(first)
        engine.away = True
        job = await submit(first)
        await crash(first)
        assert not engine.starts
        engine.away = False
        async with running(chosen) as second:
            await until(lambda: engine.starts)
            assert (engine.starts[0].key.job, engine.starts[0].epoch) == (job.number, 2)
            await until(lambda: not second.carrier.busy(job.number))
            await submit(second)
            async with second.database.read() as connection:
                waiting = (await connection.execute(select(outbox.c.job))).scalars().all()
            assert job.number not in waiting

    asyncio.run(story())


def test_a_snapshot_shortens_the_replay(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        chosen = settings(store_url, fleet, hand_engine(fleet))
        first = await open_service(chosen)
        await nodes_up(first)
        for _ in range(5):
            await submit(first, gpus=1)
        await first.take_snapshot()
        before = first.world.decisions
        await submit(first, gpus=1)
        decisions, digest = first.world.decisions, first.world.state.digest()
        await crash(first)
        async with running(chosen) as second:
            assert second.replayed == decisions - before < before
            assert second.world.state.digest() == digest

    asyncio.run(story())


def test_a_clean_stop_leaves_nothing_to_replay(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        chosen = settings(store_url, fleet, hand_engine(fleet))
        async with running(chosen) as first:
            await nodes_up(first)
            await submit(first)
        async with running(chosen) as second:
            assert second.replayed == 0
            last = await snapshots.last(second.database)
            assert last is not None
            assert last.state().digest() == second.world.state.digest()

    asyncio.run(story())


def tear_last(connection: Connection) -> None:
    """Cut the last snapshot short."""
    row = connection.execute(select(snapshot).order_by(snapshot.c.entries.desc()).limit(1)).one()
    connection.execute(update(snapshot).where(snapshot.c.entries == row.entries).values(columns=row.columns[:-7]))


def test_a_damaged_snapshot_costs_a_longer_replay_and_nothing_else(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        chosen = settings(store_url, fleet, hand_engine(fleet))
        async with running(chosen) as first:
            await nodes_up(first)
            await submit(first)
        digest, decisions = first.world.state.digest(), first.world.decisions
        await first.database.write(tear_last)
        async with running(chosen) as second:
            assert second.replayed == decisions
            assert second.world.state.digest() == digest
        await first.database.close()

    asyncio.run(story())


def test_without_a_whole_snapshot_the_server_does_not_start(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        chosen = settings(store_url, fleet, hand_engine(fleet))
        async with running(chosen) as first:
            await nodes_up(first)
        await first.database.write(lambda connection: connection.execute(update(snapshot).values(columns=b"torn")))
        with pytest.raises(InputError, match=r"damaged snapshot at (.|\n)*restore a backup"):
            await open_service(chosen)
        await first.database.write(lambda connection: connection.execute(delete(snapshot)))
        with pytest.raises(InputError, match="no snapshot to begin with"):
            await open_service(chosen)
        await first.database.close()

    asyncio.run(story())


def alter_last(connection: Connection) -> None:
    """Change a byte of the last entry."""
    row = connection.execute(select(entry).order_by(entry.c.place.desc()).limit(1)).one()
    altered = bytes([*row.body[:-3], row.body[-3] ^ 1, *row.body[-2:]])
    connection.execute(update(entry).where(entry.c.place == row.place).values(body=altered))


def test_a_changed_byte_in_the_tail_of_the_log_is_seen_at_the_start(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        chosen = settings(store_url, fleet, hand_engine(fleet))
        first = await open_service(chosen)
        await nodes_up(first)
        await submit(first)
        await crash(first)
        await first.database.write(alter_last)
        with pytest.raises(InputError, match=r"another root at size (.|\n)*restore a backup"):
            await open_service(chosen)
        await first.database.close()

    asyncio.run(story())


def test_a_changed_policy_or_fleet_file_is_not_claimed_by_an_old_store(
    store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        fleet = small_fleet()
        chosen = settings(store_url, fleet, hand_engine(fleet))
        async with running(chosen) as first:
            await nodes_up(first)
        passes = chosen.policy.passes.model_copy(update={"depth": 7})
        other = replace(chosen, policy=chosen.policy.model_copy(update={"passes": passes}))
        async with running(other) as second:
            bodies = await LogRows(second.database).entries(0, second.loop.log.size)
        segments = [each for each in map(read, bodies) if isinstance(each, Segment)]
        assert [each.policy for each in segments] == [chosen.policy.hash] * 2
        assert "policy file has changed" in caplog.text

    asyncio.run(story())


def test_a_store_of_another_fleet_is_refused_in_words_of_the_fleet(store_url: str) -> None:
    async def story() -> None:
        for nodes in (2, 3):
            fleet = small_fleet(nodes)
            chosen = settings(store_url, fleet, hand_engine(fleet))
            if nodes == 2:
                await (await open_service(chosen)).close()
            else:
                with pytest.raises(InputError, match="2 nodes, now 3"):
                    await open_service(chosen)

    asyncio.run(story())
