"""A backup is whole while the server writes, and what is restored from it is checked, marked and never confused."""

import asyncio
import sqlite3
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from gridhall.errors import InputError
from gridhall.ledger.entries import Report, read
from gridhall.ledger.keys import load_key, make_key
from gridhall.ledger.note import SigningKey
from gridhall.ledger.verify import verify
from gridhall.server.backup import back_up, marks_of
from gridhall.server.identity.bootstrap import bootstrap
from gridhall.server.live.service import Service, open_service
from gridhall.server.live.world import JOBS_A_RESTORE
from gridhall.server.restore import restore_database, restore_file
from gridhall.server.store.log_rows import LogRows
from gridhall.server.store.tables import token
from tests.server.live.hand_engine import HandEngine
from tests.server.live.house import KEY, hand_engine, nodes_up, running, settings, small_fleet, store_in, submit, until


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The key of the test's log, kept elsewhere."""
    path = tmp_path / "kept.key"
    make_key(path, KEY.name, KEY.seed)
    return path


def in_service(
    folder: Path, engine: HandEngine | None = None, key: SigningKey = KEY
) -> AbstractAsyncContextManager[Service]:
    folder.mkdir(exist_ok=True)
    fleet = small_fleet()
    return running(replace(settings(store_in(folder), fleet, engine or hand_engine(fleet)), key=key))


def made(tmp_path: Path, with_key: Path | None = None) -> Path:
    """A backup of a store with a few jobs."""

    async def story() -> None:
        async with in_service(tmp_path / "old") as service:
            await nodes_up(service)
            for _ in range(4):
                await submit(service, gpus=1)

    asyncio.run(story())
    file = tmp_path / "backup"
    back_up(tmp_path / "old" / "gridhall.db", file, with_key)
    return file


async def restart(service: Service) -> str:
    """The verifier's word on the log of a service, after one more job."""
    await nodes_up(service)
    await submit(service, gpus=1)
    return (await verify(LogRows(service.database))).word


def test_a_backup_under_load_is_one_moment_of_the_store(tmp_path: Path, key: Path) -> None:
    async def story() -> None:
        async with in_service(tmp_path / "old") as service:
            await nodes_up(service)
            tasks = [asyncio.create_task(submit(service, gpus=1)) for _ in range(40)]
            done = await asyncio.to_thread(back_up, tmp_path / "old" / "gridhall.db", tmp_path / "backup")
            await asyncio.gather(*tasks)
            assert 0 < done.entries <= service.loop.log.size
        restored = await restore_file(tmp_path / "backup", tmp_path / "new", key)
        assert restored.entries == done.entries
        assert restored.origin == KEY.name
        async with in_service(tmp_path / "new") as service:
            assert service.lead.epoch == restored.epoch + 1 == 1_000_001
            assert await restart(service) == "PASS"

    asyncio.run(story())
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0
    assert load_key(tmp_path / "new" / "log.key") == KEY


def test_what_ran_meanwhile_is_an_orphan_and_what_is_gone_is_lost(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridhall.server.live.drift.PERIOD_S", 0.02)

    async def story() -> None:
        engine = hand_engine(small_fleet())
        async with in_service(tmp_path / "old", engine) as service:
            await nodes_up(service)
            before = await submit(service)
            await until(lambda: engine.starts)
            await until(lambda: not service.carrier.busy(before.number))
            back_up(tmp_path / "old" / "gridhall.db", tmp_path / "backup")
            after = await submit(service)
            await until(lambda: len(engine.starts) == 2)
            engine.ended(engine.starts[0].key)
            await until(lambda: len(engine.held) == 1)
        await restore_file(tmp_path / "backup", tmp_path / "new", key)
        async with in_service(tmp_path / "new", engine) as service:
            stray = engine.starts[1].key
            await until(lambda: ("hand", stray) in service.drift.orphans)
            await until(lambda: len(engine.starts) == 3)
            assert engine.starts[2].key.job == before.number  # its end was not in the backup: it runs again
            fresh = await submit(service)
            assert fresh.number > JOBS_A_RESTORE > after.number
            await until(lambda: len(engine.starts) == 4)
            assert engine.starts[3].key.job == fresh.number
            bodies = await LogRows(service.database).entries(0, service.loop.log.size)
            said = [each for each in map(read, bodies) if isinstance(each, Report)]
            assert [(each.about, each.said) for each in said] == [(f"attempt:{stray}", "orphan")]

    asyncio.run(story())


def test_every_token_ends_with_a_restore(tmp_path: Path, key: Path) -> None:
    async def story() -> None:
        async with in_service(tmp_path / "old") as service:
            await bootstrap(service, 1)
        back_up(tmp_path / "old" / "gridhall.db", tmp_path / "backup")
        await restore_file(tmp_path / "backup", tmp_path / "new", key)
        async with in_service(tmp_path / "new") as service, service.database.read() as connection:
            assert 0 not in (await connection.execute(select(token.c.revoked_ms))).scalars().all()

    asyncio.run(story())


def test_the_key_stays_out_of_a_backup_unless_it_is_asked_for(tmp_path: Path, key: Path) -> None:
    file = made(tmp_path)
    assert "key" not in marks_of(file)
    with pytest.raises(InputError, match=r"does not hold the key(.|\n)*--new-key if it is lost"):
        asyncio.run(restore_file(file, tmp_path / "new"))
    assert not list((tmp_path / "new").iterdir())
    whole = tmp_path / "whole"
    back_up(tmp_path / "old" / "gridhall.db", whole, key)
    asyncio.run(restore_file(whole, tmp_path / "new"))
    assert load_key(tmp_path / "new" / "log.key") == KEY


def test_another_logs_key_is_refused_and_a_lost_key_can_be_replaced(tmp_path: Path) -> None:
    file = made(tmp_path)
    make_key(tmp_path / "other.key", "gridhall.test/other")
    with pytest.raises(InputError, match="is not the key of this log"):
        asyncio.run(restore_file(file, tmp_path / "new", tmp_path / "other.key"))
    asyncio.run(restore_file(file, tmp_path / "new", new_key=True))
    new_key = load_key(tmp_path / "new" / "log.key")
    assert new_key.name == KEY.name
    assert new_key.seed != KEY.seed

    async def story() -> None:
        async with in_service(tmp_path / "new", key=new_key) as service:
            assert await restart(service) == "PASS"
        fleet = small_fleet()
        stranger = replace(
            settings(store_in(tmp_path / "new"), fleet, hand_engine(fleet)), key=load_key(tmp_path / "other.key")
        )
        with pytest.raises(InputError, match=r"the log is gridhall.test/log(.|\n)*put the log.key of this store back"):
            await open_service(stranger)

    asyncio.run(story())


def test_a_store_that_is_there_is_never_written_over(tmp_path: Path, key: Path) -> None:
    file = made(tmp_path)
    with pytest.raises(InputError, match=r"holds a gridhall.db"):
        asyncio.run(restore_file(file, tmp_path / "old", key))
    with pytest.raises(InputError, match="is there already"):
        back_up(tmp_path / "old" / "gridhall.db", file)


def test_a_backup_that_was_altered_is_refused(tmp_path: Path, key: Path) -> None:
    file = made(tmp_path)
    with sqlite3.connect(file) as database:
        database.execute("UPDATE entry SET body = replace(body, '1', '2') WHERE place = 3")
    with pytest.raises(InputError, match=r"entries 3 to 3 are not all(.|\n)*use another backup"):
        asyncio.run(restore_file(file, tmp_path / "new", key))
    assert not list((tmp_path / "new").iterdir())
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"(is no backup|is damaged)"):
        asyncio.run(restore_file(file, tmp_path / "new", key))


def test_a_backup_that_finds_no_room_leaves_nothing(tmp_path: Path) -> None:
    made(tmp_path)
    with pytest.raises(InputError, match="no backup was made"):
        back_up(tmp_path / "old" / "gridhall.db", tmp_path / "not there" / "backup")
    assert not (tmp_path / "not there").exists()


def test_a_database_is_marked_as_restored_unless_a_server_leads_it(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        chosen = settings(store_url, fleet, hand_engine(fleet))
        async with running(chosen) as service:
            await nodes_up(service)
            with pytest.raises(InputError, match="leads this store"):
                await restore_database(store_url)
            await submit(service)
        assert (await restore_database(store_url)).epoch == 1_000_000
        assert (await restore_database(store_url)).epoch == 2_000_000
        async with running(chosen) as service:
            assert await restart(service) == "PASS"
            assert service.world.next_job > 2 * JOBS_A_RESTORE

    asyncio.run(story())
