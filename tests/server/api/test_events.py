"""Events come in the order of the log, again from any place in it, and only to those who may read them."""

import asyncio
import json
from pathlib import Path
from typing import Any

from gridhall.server.api.routes.events import lines_of
from gridhall.server.objects.event import Event
from tests.server.api.house import House, in_house
from tests.server.api.test_jobs import ask
from tests.server.live.house import until


async def all_after(house: House, after: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = (await house.admin.get(f"/v1/events?after={after}")).json()
        if page["next"] == after:
            return found
        found, after = found + page["items"], page["next"]


def test_a_job_leaves_its_events_in_order(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        begin = house.service.loop.log.size - 1
        job = (await house.admin.post("/v1/jobs", json=ask())).json()["metadata"]["id"]
        await until(lambda: house.engine.starts)
        house.engine.ended(house.engine.starts[0].key)
        await until(lambda: not house.engine.held)
        events = [each for each in await all_after(house, begin) if each["object"] == job]
        kinds = ["job.submitted", "job.placed", "job.released", "job.completed"]
        assert [each["kind"] for each in events] == kinds
        assert {each["project"] for each in events} == {"default"}
        numbers = [each["number"] for each in events]
        assert numbers == sorted(numbers)
        assert await all_after(house, numbers[1]) == [each for each in events if each["number"] > numbers[1]]

    in_house(tmp_path, story)


def test_whoever_waits_is_answered_when_something_happens(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        waiting = asyncio.create_task(house.admin.get(f"/v1/events?wait=20&after={house.service.loop.log.size - 1}"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await house.admin.post("/v1/jobs", json=ask())
        found = (await asyncio.wait_for(waiting, 5)).json()["items"]
        assert [each["kind"] for each in found] == ["job.submitted", "job.placed"]

    in_house(tmp_path, story)


def test_others_get_nothing_of_it(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.admin.post("/v1/jobs", json=ask())
        stranger = await house.somebody("elsewhere", "organisation-admin")
        found = (await stranger.get("/v1/events?after=-1")).json()
        assert found["next"] == house.service.loop.log.size - 1
        assert all(each["project"] == "" and each["kind"].startswith("token.") for each in found["items"])
        member = await house.somebody("home", "member")
        kinds = {each["kind"] for each in (await member.get("/v1/events?after=-1")).json()["items"]}
        assert kinds == {"job.submitted", "job.placed"}

    in_house(tmp_path, story)


def test_only_the_last_event_of_an_entry_carries_its_number() -> None:
    common = {"time_ms": 1, "kind": "job.placed", "object": "job_1", "organisation": "o", "project": "p"}
    events = [Event.model_validate({"number": number, **common}) for number in (7, 7, 9)]
    lines = lines_of(events)
    assert [line.startswith("id: ") for line in lines] == [False, True, True]
    assert json.loads(lines[0].partition("data: ")[2]) == events[0].model_dump()


def test_the_stream_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for _ in range(2):
            await house.admin.post("/v1/jobs", json=ask())
        everything = await all_after(house, -1)
        first = next(each["number"] for each in everything if each["kind"] == "job.placed")
        house.service.loop.stopped = "the test says so"  # a stream ends when the server goes down
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(first)}
        stream = await house.admin.get("/v1/events", headers=headers)
        house.service.loop.stopped = ""
        assert stream.headers["content-type"].startswith("text/event-stream")
        data = [line.removeprefix("data: ") for line in stream.text.splitlines() if line.startswith("data: ")]
        assert [json.loads(each) for each in data] == [each for each in everything if each["number"] > first]

    in_house(tmp_path, story)
