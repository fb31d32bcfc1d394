"""Load targets over the API: accepted, refused with the nearest that could be, listed, and heard of by subscribers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from gridhall.controller.events import TARGET
from gridhall.ledger.entries import Decision, read
from gridhall.server.store.log_rows import LogRows
from tests.server.api.house import House, in_house
from tests.server.live.house import submit, until

MOST_W = 1_000_000
"""The limit of the house's one feed."""
PUE_MILLI = 1200


def at(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def target(kilowatts: float | None, begin: float = 0, end: float | None = None, **more: Any) -> dict[str, Any]:
    constraint = None if kilowatts is None else {"value": kilowatts, "unit": "kW"}
    interval = {"start_time": at(begin), "end_time": None if end is None else at(end)}
    return {"interval": interval, "load_constraint": constraint, "feed_tags": ["f"], **more}


async def post(house: House, body: dict[str, Any], path: str = "/v1/load-targets", **headers: str) -> httpx.Response:
    return await house.admin.post(path, json=body, headers=headers)


async def feed(house: House) -> dict[str, Any]:
    return (await house.admin.get("/v1/feeds/home:f")).json()


async def told(house: House) -> list[int]:
    """The IT watts that the core was told of the feed, one after the other."""
    bodies = await LogRows(house.service.database).entries(0, house.service.loop.log.size)
    events = [entry.event for entry in map(read, bodies) if isinstance(entry, Decision)]
    return [event[3] for event in events if event[0] == TARGET]


def test_a_target_from_now_on_reaches_the_core_in_it_watts_at_once(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        answer = await post(house, target(600, -5, correlation_id="evening"))
        assert answer.status_code == 201, answer.text
        (item,) = answer.json()["items"]
        assert (item["load_constraint"], item["feed_tags"]) == ({"value": 600_000.0, "unit": "W"}, ["home:f"])
        assert item["interval"]["end_time"] is None
        now = await feed(house)
        assert (now["status"]["limit_w"], now["status"]["target"]["correlation_id"]) == (600_000, "evening")
        assert await told(house) == [600_000 * 1000 // PUE_MILLI]
        assert (await post(house, target(None))).json() == {"items": [], "next": None}
        now = await feed(house)
        assert (now["status"]["limit_w"], now["status"]["target"]) == (MOST_W, None)
        assert (await told(house))[1:] == [-1]

    in_house(tmp_path, story)


def test_a_target_to_come_is_listed_and_the_core_hears_nothing_yet(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await post(house, target(600, 60, 120))
        await post(house, target(700, 90, 180))
        listed = (await house.admin.get("/v1/load-targets", params={"feed": "home:f"})).json()["items"]
        assert [each["load_constraint"]["value"] for each in listed] == [600_000, 700_000]
        assert listed[0]["interval"]["end_time"] == listed[1]["interval"]["start_time"]
        page = (await house.admin.get("/v1/load-targets", params={"limit": 1})).json()
        rest = (await house.admin.get("/v1/load-targets", params={"limit": 1, "after": page["next"]})).json()
        assert [*page["items"], *rest["items"]] == listed
        assert rest["next"] is None
        past = {"from_ms": 0, "until_ms": 1_000}
        assert (await house.admin.get("/v1/load-targets", params=past)).json()["items"] == []
        assert (await feed(house))["status"]["limit_w"] == MOST_W
        assert await told(house) == []

    in_house(tmp_path, story)


def test_what_cannot_be_is_refused_with_the_nearest_and_nothing_changes(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await post(house, target(500, 60, 120, strategy="firm", correlation_id="promise"))
        before = await feed(house)
        least_w = before["status"]["minimum_w"]
        wrong: list[tuple[dict[str, Any], int, str, int | None]] = [
            (target(1_001, 0, 30), 422, "above-maximum", MOST_W),
            (target(0.1, 0, 30), 422, "below-floor", least_w),
            (target(700, 90), 409, "firm-overlap", 500_000),
            (target(None), 409, "firm-overlap", 500_000),
            (target(700, 0, 30, strategy="firm"), 422, "firm-without-id", None),
            (target(700, -10, -5), 422, "in-the-past", None),
        ]
        for body, status, reason, nearest_w in wrong:
            answer = await post(house, body)
            problem = answer.json()
            assert (answer.status_code, problem["reason"]) == (status, reason), problem
            assert problem.get("nearest_w") == nearest_w, problem
        after = await feed(house)
        assert after["metadata"] == before["metadata"]
        assert await told(house) == []
        withdrawn = await post(house, target(None, 0, correlation_id="promise"))
        assert withdrawn.json()["items"] == []

    in_house(tmp_path, story)


def test_an_unknown_feed_and_a_bad_number_are_refused(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        unknown = await post(house, target(700) | {"feed_tags": ["f", "g"]})
        assert (unknown.status_code, unknown.json()["reason"]) == (422, "unknown-feed")
        for value in ("NaN", -1, 1e300):
            body = target(700) | {"load_constraint": {"value": value, "unit": "kW"}}
            answer = await post(house, body)
            assert (answer.status_code, answer.json()["reason"]) == (422, "invalid"), answer.text
        assert (await house.admin.get("/v1/feeds/home:g")).status_code == 404

    in_house(tmp_path, story)


def test_the_floor_is_what_is_up_and_rigid_work(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        empty = (await feed(house))["status"]
        assert empty["idle_w"] == empty["minimum_w"] == empty["draw_w"] > 0
        await submit(house.service, gpus=8)
        await submit(house.service, gpus=8, tier=4)
        await until(lambda: len(house.engine.starts) == 2)
        busy = (await feed(house))["status"]
        assert busy["idle_w"] == empty["idle_w"]
        assert busy["rigid_w"] == busy["flexible_w"] > 0
        assert busy["minimum_w"] == busy["idle_w"] + busy["rigid_w"]
        assert busy["draw_w"] == busy["minimum_w"] + busy["flexible_w"]
        least_kw = busy["minimum_w"] / 1000
        assert (await post(house, target(least_kw - 0.001))).json()["nearest_w"] == busy["minimum_w"]
        assert (await post(house, target(least_kw))).status_code == 201

    in_house(tmp_path, story)


def test_a_write_is_rehearsed_repeated_and_guarded_like_every_other(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        body = target(600, 60)
        said = await post(house, body, "/v1/load-targets?dryRun=true")
        assert said.json()["items"][0]["load_constraint"]["value"] == 600_000
        before = await house.admin.get("/v1/feeds/home:f")
        assert before.headers["etag"] == '"1"'
        first = await post(house, body, **{"Idempotency-Key": "k", "If-Match": '"1"'})
        again = await post(house, body, **{"Idempotency-Key": "k", "If-Match": '"1"'})
        assert (first.text, first.headers["etag"]) == (again.text, '"2"')
        assert again.headers["Idempotent-Replay"] == "true"
        stale = await post(house, body, **{"If-Match": '"1"'})
        assert (stale.status_code, stale.json()["reason"]) == (412, "changed")
        lines = (await house.admin.get("/v1/audit")).json()["items"]
        mine = [(each["object"], each["result"]) for each in lines if each["kind"] == "load-target"]
        assert mine == [("home:f", "done"), ("home:f", "changed")]

    in_house(tmp_path, story)


def test_the_energy_desk_sets_targets_and_hears_of_them_and_tenants_do_not(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        desk = await house.somebody("home", "energy-desk")
        assert (await desk.post("/v1/load-targets", json=target(600))).status_code == 201
        items = (await desk.get("/v1/events")).json()["items"]
        heard = [(each["kind"], each["object"]) for each in items if "target" in each["kind"]]
        assert heard == [("feed.target", "home:f"), ("load-target.create", "home:f")]
        assert (await desk.post("/v1/nodes/home:r1:n1:drain")).status_code == 403
        for role in ("organisation-admin", "member"):
            tenant = await house.somebody("home", role)
            for path in ("/v1/load-targets", "/v1/feeds"):
                assert (await tenant.get(path)).status_code == 403
            assert (await tenant.post("/v1/load-targets", json=target(700))).status_code == 403
            seen = (await tenant.get("/v1/events")).json()["items"]
            assert not [each for each in seen if "target" in each["kind"]]

    in_house(tmp_path, story)
