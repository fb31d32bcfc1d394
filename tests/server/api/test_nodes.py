"""Nodes are cordoned, drained and put back, and everybody can read why."""

from pathlib import Path

from gridhall.server.live import work
from tests.server.api.house import House, in_house
from tests.server.live.house import submit, until

NODE = "/v1/nodes/home:r1:n1"


def test_a_cordoned_node_takes_no_new_work_until_it_is_uncordoned(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        marked = await house.admin.post(f"{NODE}:cordon", json={"note": "a fan is loud"})
        assert marked.status_code == 200, marked.text
        node = marked.json()
        assert (node["status"]["provisioning"], node["spec"]["note"]) == ("cordoned", "a fan is loud")
        assert (await house.admin.get("/v1/sites/home")).json()["status"]["capacity"]["gpus_out"] == 8
        waiting = await submit(house.service, gpus=16)
        assert waiting.state == work.QUEUED
        listed = (await house.admin.get("/v1/nodes?provisioning=cordoned")).json()["items"]
        assert [each["metadata"]["id"] for each in listed] == ["home:r1:n1"]
        await house.admin.post(f"{NODE}:uncordon")
        await until(lambda: waiting.state == work.STARTING)
        assert (await house.admin.get(NODE)).json()["status"]["provisioning"] == "in-service"

    in_house(tmp_path, story)


def test_draining_stops_what_runs_and_is_done_when_it_is_gone(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        job = await submit(house.service, gpus=8)
        await until(lambda: house.engine.starts)
        place = house.engine.starts[0].places[0].node.replace("/", ":")
        told = await house.admin.post(f"/v1/nodes/{place}:drain")
        assert (told.status_code, told.json()["status"]["provisioning"]) == (202, "draining")
        await until(lambda: house.engine.stops)
        house.engine.stopped(house.engine.starts[0].key)
        await until(lambda: len(house.engine.starts) == 2)
        assert house.engine.starts[1].places[0].node.replace("/", ":") != place
        assert job.state == work.STARTING
        assert (await house.admin.get(f"/v1/nodes/{place}")).json()["status"]["provisioning"] == "drained"
        kinds = [each["kind"] for each in (await house.admin.get("/v1/events")).json()["items"]]
        assert "node.drained" in kinds

    in_house(tmp_path, story)


def test_a_rehearsal_marks_nothing_and_an_old_version_is_refused(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        said = await house.admin.post(f"{NODE}:cordon?dryRun=true")
        assert said.json()["status"]["provisioning"] == "cordoned"
        before = await house.admin.get(NODE)
        assert before.json()["status"]["provisioning"] == "in-service"
        version = before.headers["etag"]
        assert (await house.admin.post(f"{NODE}:cordon", headers={"If-Match": version})).status_code == 200
        stale = await house.admin.post(f"{NODE}:drain", headers={"If-Match": version})
        assert (stale.status_code, stale.json()["reason"]) == (412, "changed")

    in_house(tmp_path, story)


def test_tenants_may_not(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        tenant = await house.somebody("home", "organisation-admin")
        assert (await tenant.post(f"{NODE}:drain")).status_code == 403

    in_house(tmp_path, story)
