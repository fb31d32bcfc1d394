"""Nodes are reserved for a project, kept from the rest, and told to those who may know."""

from pathlib import Path
from typing import Any

from tests.server.api.house import House, in_house
from tests.server.api.test_jobs import ask

HOUR_MS = 3_600_000


def wish(house: House, nodes: int = 1, **spec: object) -> dict[str, Any]:
    until_ms = house.service.loop.now_ms() + HOUR_MS
    return {"name": "week", "spec": {"nodes": nodes, "until_ms": until_ms, **spec}}


def test_reserved_nodes_are_named_and_out_of_what_is_free(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        said = (await house.admin.post("/v1/reservations?dryRun=true", json=wish(house))).json()
        assert (said["verdict"], said["for_span"]["energy_kwh"] > 0) == ("kept", True)
        given = await house.admin.post("/v1/reservations", json=wish(house))
        assert given.status_code == 201, given.text
        made = given.json()
        assert made["status"]["nodes"] == said["nodes"]
        assert (made["status"]["state"], made["status"]["gpus"]) == ("pending", 8)
        url = given.headers["location"]
        assert (await house.admin.get(url)).json() == made
        node = (await house.admin.get(f"/v1/nodes/{made['status']['nodes'][0]}")).json()
        assert node["status"]["reservation"] == made["metadata"]["id"]
        site = (await house.admin.get("/v1/sites/home")).json()["status"]["capacity"]
        assert (site["gpus_free"], site["gpus_held"]) == (8, 8)
        capacity = (await house.admin.get("/v1/capacity")).json()
        assert capacity["gpus_reserved"] == 8

    in_house(tmp_path, story)


def test_what_cannot_be_kept_is_refused_in_words(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.admin.post("/v1/jobs", json=ask(gpus=16))
        refused = await house.admin.post("/v1/reservations", json=wish(house, nodes=5))
        assert (refused.status_code, refused.json()["reason"]) == (507, "capacity")
        said = (await house.admin.post("/v1/reservations?dryRun=true", json=wish(house, nodes=5))).json()
        assert (said["verdict"], said["reason"]) == ("refused", "capacity")
        over = await house.admin.post("/v1/reservations", json={"spec": {"nodes": 1, "until_ms": 5}})
        assert (over.status_code, over.json()["reason"]) == (422, "over")
        assert (await house.admin.get("/v1/reservations")).json()["items"] == []

    in_house(tmp_path, story)


def test_others_do_not_see_it(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        made = (await house.admin.post("/v1/reservations", json=wish(house))).json()
        stranger = await house.somebody("elsewhere", "organisation-admin")
        assert (await stranger.get("/v1/reservations")).json()["items"] == []
        assert (await stranger.get(f"/v1/reservations/{made['metadata']['id']}")).status_code == 404
        node = (await stranger.get(f"/v1/nodes/{made['status']['nodes'][0]}")).json()
        assert node["status"]["reservation"] == ""

    in_house(tmp_path, story)
