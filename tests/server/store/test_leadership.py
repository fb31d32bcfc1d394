"""One controller leads a store at a time; whoever leads next begins a new epoch."""

import asyncio
import os
import subprocess
import sys

import pytest
from sqlalchemy import make_url, select

from gridhall.errors import InputError
from gridhall.server.live.loop import ReadOnly
from gridhall.server.live.service import open_service
from gridhall.server.store import open_database, tables
from gridhall.server.store.leadership import take_lead
from tests.server.live.house import hand_engine, nodes_up, running, settings, small_fleet, submit, until
from tests.server.postgres import run_sql


def test_a_second_server_is_refused_while_the_first_lives(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        chosen = settings(store_url, fleet, hand_engine(fleet))
        async with running(chosen) as first:
            with pytest.raises(InputError, match=rf"process {os.getpid()} on .* leads this store"):
                await open_service(settings(store_url, fleet, hand_engine(fleet)))
            await nodes_up(first)
            await submit(first)
            assert not first.loop.stopped

    asyncio.run(story())


def test_after_the_first_was_killed_the_next_leads_and_has_all_that_was_acknowledged(store_url: str) -> None:
    words = [sys.executable, "-m", "tests.server.live.holder", store_url]
    holder = subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, "GRIDHALL_COMPILE": "0"}, text=True)
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "leading\n"
        promised = [holder.stdout.readline().strip() for _ in range(5)]
    finally:
        holder.kill()
        promised += [line.strip() for line in holder.stdout if line.endswith("\n")]
        holder.wait()

    async def story() -> None:
        fleet = small_fleet()
        async with running(settings(store_url, fleet, hand_engine(fleet))) as second:
            assert second.world.epoch == 2
            async with second.database.read() as connection:
                kept = set((await connection.execute(select(tables.job.c.id))).scalars())
            assert set(promised) <= kept

    asyncio.run(story())


async def take_its_lock(store_url: str) -> None:
    """What a broken network, or somebody who deletes the file of the lock, does to a server."""
    url = make_url(store_url)
    if url.get_backend_name() == "sqlite":
        os.unlink(f"{url.database}.lead")
    else:
        await run_sql(store_url, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")


def test_who_has_lost_the_lead_writes_nothing_and_answers_reads_only(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridhall.server.live.service.LOOK_S", 3600)  # it does not notice before it writes

    async def story() -> None:
        fleet = small_fleet()
        async with running(settings(store_url, fleet, hand_engine(fleet))) as first:
            await nodes_up(first)
            await submit(first)
            await take_its_lock(store_url)
            async with running(settings(store_url, fleet, hand_engine(fleet))) as second:
                assert second.world.epoch == 2
                await nodes_up(second)
                before = second.loop.log.size
                with pytest.raises(ReadOnly, match="epoch 1 is over"):
                    await submit(first)
                await until(lambda: first.loop.failed)
                with pytest.raises(ReadOnly, match="another controller leads"):
                    await submit(first)
                assert second.loop.log.size == before
                await submit(second)
            assert first.rebuilds == 0

    asyncio.run(story())


def test_a_lock_that_was_lost_is_noticed_and_taken_again(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridhall.server.live.service.LOOK_S", 0.05)

    async def story() -> None:
        fleet = small_fleet()
        async with running(settings(store_url, fleet, hand_engine(fleet))) as service:
            await nodes_up(service)
            job = await submit(service)
            await take_its_lock(store_url)
            await until(lambda: service.rebuilds == 1)
            assert (service.lead.epoch, service.world.epoch) == (2, 2)
            assert service.world.job_named(job.id) is not None
            await submit(service)

    asyncio.run(story())


def test_the_lead_can_be_taken_again_after_it_was_given_up(store_url: str) -> None:
    async def story() -> None:
        database = await open_database(store_url)
        for epoch in (1, 2, 3):
            lead = await take_lead(database, 0)
            assert (lead.epoch, await lead.alive()) == (epoch, True)
            await lead.give_up()
        await database.close()

    asyncio.run(story())
