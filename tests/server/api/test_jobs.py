"""Jobs are submitted, read, listed and cancelled; what can never run is refused with the reason."""

from pathlib import Path
from typing import Any

from gridhall.server.live import work
from tests.server.api.house import House, in_house
from tests.server.live.house import until


def ask(gpus: int = 8, **spec: object) -> dict[str, Any]:
    return {"name": "train", "spec": {"command": ["true"], "resources": {"gpus": gpus}, **spec}}


def test_a_job_is_accepted_runs_and_ends(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        given = await house.admin.post("/v1/jobs", json=ask())
        assert given.status_code == 202, given.text
        job = given.json()
        url = given.headers["location"]
        assert url == f"/v1/jobs/{job['metadata']['id']}"
        assert job["metadata"]["project"] == "default"
        assert job["status"]["state"] == "starting"
        assert job["status"]["places"][0]["gpus"] == list(range(8))
        await until(lambda: house.engine.starts)
        key = house.engine.starts[0].key
        house.engine.started(key)
        await until(lambda: house.service.world.jobs[key.job].state == work.RUNNING)
        running = (await house.admin.get(url)).json()["status"]
        assert (running["provisioning"], running["health"], running["reason"]) == ("provisioned", "healthy", "it runs")
        house.engine.ended(key, exit_code=3)
        await until(lambda: not house.engine.held)
        done = (await house.admin.get(url)).json()["status"]
        assert (done["state"], done["exit_code"], done["health"]) == ("failed", 3, "error")
        assert done["reason"] == "it ended with exit code 3"
        attempts = (await house.admin.get(f"{url}/attempts")).json()["items"]
        assert [(each["attempt"], each["outcome"]) for each in attempts] == [(1, "exit 3")]

    in_house(tmp_path, story)


def test_what_can_never_run_is_refused_with_the_reason(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for spec, reason in (
            (ask(gpus=800), "no-place"),
            (ask(places={"sites": ["away"]}), "unknown-place"),
            (ask(gpus=0), "no-place"),
        ):
            refused = await house.admin.post("/v1/jobs", json=spec)
            assert (refused.status_code, refused.json()["reason"]) == (422, reason), refused.text
        assert (await house.admin.get("/v1/jobs")).json()["items"] == []
        unclear = await house.admin.post("/v1/jobs", json={**ask(), "project": "elsewhere"})
        assert unclear.status_code == 404

    in_house(tmp_path, story)


def test_the_same_key_submits_once(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        headers = {"Idempotency-Key": "k1"}
        first, again = [await house.admin.post("/v1/jobs", json=ask(), headers=headers) for _ in range(2)]
        assert first.json() == again.json()
        assert len((await house.admin.get("/v1/jobs")).json()["items"]) == 1

    in_house(tmp_path, story)


def test_jobs_are_listed_page_by_page_newest_first_and_filtered(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        ids = [(await house.admin.post("/v1/jobs", json=ask())).json()["metadata"]["id"] for _ in range(5)]
        await house.admin.post("/v1/jobs", json={**ask(), "name": "other"})
        pages, after = [], ""
        while after is not None:
            page = (await house.admin.get(f"/v1/jobs?limit=2&name=train&after={after}")).json()
            pages.append([each["metadata"]["id"] for each in page["items"]])
            after = page["next"]
        assert pages == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]
        for query, count in (
            ("state=queued", 4),
            ("state=starting&project=default", 2),
            ("user=admin&state=queued", 4),
            ("user=nobody", 0),
            ("organisation=home&name=other", 1),
            ("organisation=elsewhere", 0),
        ):
            found = (await house.admin.get(f"/v1/jobs?{query}")).json()["items"]
            assert len(found) == count, query
        assert (await house.admin.get("/v1/jobs?after=x")).status_code == 422

    in_house(tmp_path, story)


def test_nobody_sees_or_touches_the_jobs_of_others(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        job = (await house.admin.post("/v1/jobs", json=ask())).json()["metadata"]["id"]
        stranger = await house.somebody("elsewhere", "organisation-admin")
        assert (await stranger.get("/v1/jobs")).json()["items"] == []
        for part in ("", "/attempts", "/log", "/why", "/where"):
            assert (await stranger.get(f"/v1/jobs/{job}{part}")).status_code == 404
        assert (await stranger.get("/v1/jobs?project=default")).status_code == 404
        assert (await stranger.delete(f"/v1/jobs/{job}")).status_code == 404
        reader = await house.somebody("home", "reader")
        assert len((await reader.get("/v1/jobs")).json()["items"]) == 1
        assert (await reader.delete(f"/v1/jobs/{job}")).status_code == 403
        assert (await reader.post("/v1/jobs", json=ask())).status_code == 422

    in_house(tmp_path, story)


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_is_told_to_stop(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        running, waiting = [
            (await house.admin.post("/v1/jobs", json=ask(gpus=16))).json()["metadata"]["id"] for _ in range(2)
        ]
        gone = await house.admin.delete(f"/v1/jobs/{waiting}")
        assert (gone.status_code, gone.json()["status"]["state"]) == (202, "cancelled")
        told = await house.admin.post(f"/v1/jobs/{running}:cancel")
        assert (told.status_code, told.json()["status"]["state"]) == (202, "stopping")
        await until(lambda: house.engine.stops)
        again = await house.admin.delete(f"/v1/jobs/{waiting}")
        assert (again.status_code, again.json()["reason"]) == (409, "finished")
        stale = await house.admin.delete(f"/v1/jobs/{running}", headers={"If-Match": '"99"'})
        assert (stale.status_code, stale.json()["reason"]) == (412, "changed")

    in_house(tmp_path, story)


def test_a_batch_is_one_transaction_in_which_each_is_accepted_or_refused(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        groups = house.service.loop.groups
        given = await house.admin.post("/v1/jobs:batch", json={"jobs": [ask(), ask(gpus=800), ask(gpus=1)]})
        assert given.status_code == 202, given.text
        items = given.json()["items"]
        assert [(each["status"], each["state"], each["reason"]) for each in items] == [
            (202, "starting", ""),
            (422, "", "no-place"),
            (202, "starting", ""),
        ]
        assert house.service.loop.groups == groups + 1
        assert len((await house.admin.get("/v1/jobs")).json()["items"]) == 2
        assert (await house.admin.post("/v1/jobs:batch", json={"jobs": []})).status_code == 422

    in_house(tmp_path, story)


def test_the_output_of_a_job_is_read_from_an_offset_and_followed_to_its_end(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        job = (await house.admin.post("/v1/jobs", json=ask())).json()["metadata"]["id"]
        assert (await house.admin.get(f"/v1/jobs/{job}/log?offset=3")).text == "hand\n"
        await until(lambda: house.engine.starts)
        house.engine.started(house.engine.starts[0].key)
        house.engine.ended(house.engine.starts[0].key)
        followed = await house.admin.get(f"/v1/jobs/{job}/log?follow=true")
        assert (followed.text, followed.headers["content-type"]) == ("by hand\n", "text/plain; charset=utf-8")

    in_house(tmp_path, story)
