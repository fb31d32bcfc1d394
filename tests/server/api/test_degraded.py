"""When the store fails the server answers reads only, loses nothing that it acknowledged, and comes back by itself."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gridhall.ledger.verify import verify
from gridhall.server.live.draft import Draft
from gridhall.server.live.loop import ReadOnly
from gridhall.server.replaying import replay_store
from gridhall.server.store.log_rows import LogRows
from tests.server.api.house import House, in_house
from tests.server.live.house import submit, until
from tests.server.postgres import Postgres

JOB = {"project": "default", "name": "a job", "spec": {"command": ["true"], "resources": {"gpus": 1}}}


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridhall.server.live.service.FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr("gridhall.server.live.service.LONGEST_PAUSE_S", 0.2)


@contextmanager
def full_disk() -> Iterator[None]:
    """This process can write no file beyond a page of the database."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def post(house: House, key: str = "") -> Any:
    return await house.admin.post("/v1/jobs", json=JOB, headers={"Idempotency-Key": key} if key else {})


async def all_is_well(house: House, acknowledged: list[str]) -> None:
    """The server decides, has every job that was acknowledged, and its log is whole and follows."""
    assert (await house.admin.get("/readyz")).status_code == 200
    for job in acknowledged:
        assert (await house.admin.get(f"/v1/jobs/{job}")).status_code == 200
    service = house.service
    assert (await verify(LogRows(service.database))).word == "PASS"
    await service.take_snapshot()
    assert (await replay_store(service.database)).verdict == "same"


def test_a_full_disk_turns_the_server_read_only_until_there_is_room(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        acknowledged = [(await post(house)).json()["metadata"]["id"]]
        with full_disk():
            refused = await post(house, "once")
            assert (refused.status_code, refused.json()["reason"]) == (503, "read-only")
            assert refused.headers["retry-after"] == "5"
            again = await post(house, "once")
            assert (again.status_code, again.json()["reason"]) == (503, "read-only")
            assert (await house.admin.get("/readyz")).status_code == 503
            assert "disk" in (await house.admin.get("/healthz")).json()["reason"]
            read = await house.admin.get(f"/v1/jobs/{acknowledged[0]}")
            assert read.status_code == 200
            await until(lambda: "not back yet" in house.service.loop.stopped)
        await until(lambda: house.service.rebuilds == 1)
        later = await post(house, "once")
        assert later.status_code == 202
        assert "idempotent-replay" not in later.headers  # the first was not written, and no answer of it was kept
        await all_is_well(house, [*acknowledged, later.json()["metadata"]["id"]])

    in_house(tmp_path, story)


def test_a_database_that_goes_away_is_waited_for(tmp_path: Path, postgres_server: Postgres) -> None:
    async def story(house: House) -> None:
        acknowledged = [(await post(house)).json()["metadata"]["id"]]
        postgres_server.kill()
        try:
            refused = await post(house)
            assert (refused.status_code, refused.json()["reason"]) == (503, "read-only")
            read = await house.admin.get(f"/v1/jobs/{acknowledged[0]}")
            assert read.status_code in (200, 503)  # it is in memory, but not all of it
            listed = await house.admin.get("/v1/jobs")
            assert (listed.status_code, listed.json()["reason"]) == (503, "store-away")
            assert (await house.admin.get("/healthz")).json()["deciding"] is False
            await until(lambda: "not back yet" in house.service.loop.stopped)
        finally:
            await asyncio.to_thread(postgres_server.start)
        await until(lambda: house.service.rebuilds == 1, 30)
        acknowledged.append((await post(house)).json()["metadata"]["id"])
        await all_is_well(house, acknowledged)

    in_house(tmp_path, story, store_url=postgres_server.new_database())


def test_a_database_that_goes_away_and_comes_back_unnoticed_costs_one_write_at_most(
    tmp_path: Path, postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridhall.server.live.service.LOOK_S", 0.05)

    async def story(house: House) -> None:
        acknowledged = [(await post(house)).json()["metadata"]["id"]]
        postgres_server.kill()
        await asyncio.to_thread(postgres_server.start)
        await until(lambda: house.service.rebuilds == 1, 30)  # the lock went with the connection
        acknowledged.append((await post(house)).json()["metadata"]["id"])
        await all_is_well(house, acknowledged)

    in_house(tmp_path, story, store_url=postgres_server.new_database())


class Fault:
    """A change with a bug in it, after it has changed something."""

    def decide(self, draft: Draft) -> None:
        job = next(iter(draft.world.jobs.values()))
        job.name = "half done"
        draft.touch(job)
        raise KeyError("a bug")


def test_a_bug_in_one_change_is_survived_and_leaves_nothing_half_done(tmp_path: Path, store_url: str) -> None:
    async def story(house: House) -> None:
        job = await submit(house.service)
        order = house.engine.starts[0] if house.engine.starts else None
        with pytest.raises(ReadOnly, match="a bug"):
            await house.service.loop.happen(Fault())
        await until(lambda: house.service.rebuilds == 1)
        assert house.service.world.jobs[job.number].name == "a job"
        assert house.service.world.epoch == 2
        await until(lambda: len(house.engine.held) == 1)
        key = next(iter(house.engine.held))
        assert order is None or order.key == key
        house.engine.started(key)
        await until(lambda: house.service.world.jobs[job.number].state == "running")
        await all_is_well(house, [job.id])

    in_house(tmp_path, story, store_url=store_url)


def test_closing_while_the_store_is_away_ends_at_once(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await post(house)
        with full_disk():
            assert (await post(house)).status_code == 503
            async with asyncio.timeout(5):
                await house.service.close()

    in_house(tmp_path, story)
