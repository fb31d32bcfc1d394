"""Organisations, projects, quotas and budgets: what people set is what the core decides by."""

from pathlib import Path
from typing import Any

from gridhall.controller.events import BLOCKED
from gridhall.server.live import work
from gridhall.server.live.submit import NewJob, new_job_id
from gridhall.server.live.work import Job
from gridhall.server.objects.job import JobSpec
from gridhall.server.tenants.budgets import SetStanding
from tests.server.api.house import House, in_house


async def made(house: House, path: str, **body: Any) -> Any:
    answer = await house.admin.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def put(house: House, path: str, version: int, **spec: Any) -> Any:
    return await house.admin.put(path, json={"spec": spec}, headers={"If-Match": f'"{version}"'})


async def submit(house: House, project: Any, gpus: int = 8, **fields: Any) -> Any:
    spec = JobSpec.model_validate({"command": ["true"], "resources": {"gpus": gpus}, **fields})
    place = project["metadata"]["organisation"], project["metadata"]["id"], project["status"]["number"]
    return await house.service.loop.happen(NewJob(new_job_id(), "a job", *place, "user", spec))


def test_a_new_project_of_a_new_organisation_runs_work(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        organisation = await made(house, "/v1/organisations", name="Vision Ltd")
        project = await made(house, "/v1/projects", name="depth", organisation=organisation["metadata"]["id"])
        assert (organisation["status"]["number"], project["status"]["number"]) == (1, 1)
        job = await submit(house, project)
        assert isinstance(job, Job)
        assert job.state == work.STARTING
        path = f"/v1/projects/{project['metadata']['id']}"
        assert (await house.admin.get(path)).json()["status"]["live_jobs"] == 1
        refused = await house.admin.delete(path)
        assert (refused.status_code, refused.json()["reason"]) == (409, "in-use")

    in_house(tmp_path, story)


def test_closed_ones_are_gone_and_their_names_are_free_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        organisation = (await made(house, "/v1/organisations", name="Brief Ltd"))["metadata"]["id"]
        project = (await made(house, "/v1/projects", name="p", organisation=organisation))["metadata"]["id"]
        twice = await house.admin.post("/v1/projects", json={"name": "p", "organisation": organisation})
        assert (twice.status_code, twice.json()["reason"]) == (409, "name-taken")
        assert (await house.admin.delete(f"/v1/organisations/{organisation}")).json()["reason"] == "in-use"
        assert (await house.admin.delete(f"/v1/projects/{project}")).status_code == 200
        assert (await house.admin.get(f"/v1/projects/{project}")).status_code == 404
        await made(house, "/v1/projects", name="p", organisation=organisation)

    in_house(tmp_path, story)


def test_the_room_ends_with_507(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.service.world.state.project_room[0] = 2
        await made(house, "/v1/projects", name="one more", organisation="home")
        full = await house.admin.post("/v1/projects", json={"name": "too many", "organisation": "home"})
        assert (full.status_code, full.json()["reason"]) == (507, "no-room")
        assert house.service.world.directory.named("project", "too many") is None

    in_house(tmp_path, story)


def test_a_quota_is_set_in_the_core_and_needs_the_version_seen(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        project = await made(house, "/v1/projects", name="small", organisation="home")
        path = f"/v1/quotas/quota.{project['metadata']['id']}"
        assert (await house.admin.put(path, json={"spec": {}})).status_code == 428
        done = await put(house, path, 1, gpus=8, borrow_gpus=0, lend_gpus=0)
        assert (done.status_code, done.headers["etag"]) == (200, '"2"'), done.text
        assert (await put(house, path, 1, gpus=16)).status_code == 412
        first, second = await submit(house, project), await submit(house, project)
        assert (first.state, second.state) == (work.STARTING, work.QUEUED)
        assert (await house.admin.get(path)).json()["status"]["used_gpus"] == 8
        less = await put(house, path, 2, gpus=0, borrow_gpus=0, lend_gpus=0)
        assert (less.status_code, less.json()["reason"]) == (409, "in-use")
        assert (await put(house, path, 2, gpus=16, borrow_gpus=0, lend_gpus=0)).status_code == 200
        assert second.state == work.STARTING

    in_house(tmp_path, story)


def test_ceilings_on_hardware_and_power_hold(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        project = await made(house, "/v1/projects", name="capped", organisation="home")
        path = f"/v1/quotas/quota.{project['metadata']['id']}"
        assert (await put(house, path, 1, hardware_gpus={"abacus": 1})).json()["reason"] == "unknown-hardware"
        assert (await put(house, path, 1, hardware_gpus={"h100": 8})).status_code == 200
        first, second = await submit(house, project), await submit(house, project)
        assert (first.state, second.state) == (work.STARTING, work.QUEUED)
        seen = (await house.admin.get(path)).json()
        assert seen["status"]["used_hardware_gpus"] == {"h100": 8}
        assert seen["status"]["used_kilowatts"] > 1
        assert (await put(house, path, 2, kilowatts=1)).status_code == 200
        assert second.state == work.QUEUED
        assert (await put(house, path, 3)).status_code == 200
        assert second.state == work.STARTING

    in_house(tmp_path, story)


def test_what_was_set_is_there_after_a_restart(tmp_path: Path) -> None:
    store: list[Any] = []

    async def story(house: House) -> None:
        project = (await made(house, "/v1/projects", name="kept", organisation="home"))["metadata"]["id"]
        await put(house, f"/v1/quotas/quota.{project}", 1, gpus=8, hardware_gpus={"h100": 3})
        store.extend((project, house.service.world.state.digest()))

    async def again(house: House) -> None:
        assert house.service.world.state.digest() == store[1]
        quota = (await house.admin.get(f"/v1/quotas/quota.{store[0]}")).json()
        assert (quota["spec"]["gpus"], quota["spec"]["hardware_gpus"]) == (8, {"h100": 3})
        assert (await put(house, f"/v1/quotas/quota.{store[0]}", 2, gpus=9)).status_code == 200

    in_house(tmp_path, story)
    in_house(tmp_path, again)


def test_a_spent_budget_stops_new_work_until_it_is_open_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        project = await made(house, "/v1/projects", name="thrifty", organisation="home")
        path = f"/v1/budgets/budget.{project['metadata']['id']}"
        assert (await put(house, path, 1, limit_micro=5_000_000)).status_code == 200
        owner = house.service.world.directory.get("project", project["metadata"]["id"])
        assert owner is not None
        await house.service.loop.happen(SetStanding(owner, "blocked", 5_000_001))
        job = await submit(house, project)
        assert job.state == work.QUEUED
        assert int(house.service.world.state.project_standing[owner.number]) == BLOCKED
        status = (await house.admin.get(path)).json()["status"]
        assert (status["standing"], status["spent_micro"]) == ("blocked", 5_000_001)
        await house.service.loop.happen(SetStanding(owner, "open", 0))
        assert job.state == work.STARTING

    in_house(tmp_path, story)


def test_what_the_operator_gives_the_tenant_cannot_raise(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        boss = await house.somebody("home", "organisation-admin")
        for kind in ("quota", "budget"):
            path = f"/v1/{kind}s/{kind}.home"
            assert (await boss.get(path)).status_code == 200
            refused = await boss.put(path, json={"spec": {}}, headers={"If-Match": '"1"'})
            assert (refused.status_code, refused.json()["reason"]) == (403, "not-allowed")
        heavier = await boss.put("/v1/organisations/home", json={"name": "home", "spec": {"weight": 900}})
        assert heavier.status_code == 403

    in_house(tmp_path, story)
