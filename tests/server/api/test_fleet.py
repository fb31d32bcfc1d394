"""The fleet as it is read: counts, power, health, and who uses what, as far as the caller may know."""

from pathlib import Path

from tests.server.api.house import House, in_house
from tests.server.live.house import submit, until


def test_a_site_tells_what_is_free_and_what_it_may_draw(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        before = (await house.admin.get("/v1/sites/home")).json()["status"]
        await submit(house.service, gpus=8)
        after = (await house.admin.get("/v1/sites/home")).json()["status"]
        assert (before["capacity"]["gpus_free"], after["capacity"]["gpus_free"]) == (16, 8)
        assert after["capacity"]["gpus_used"] == 8
        feed = after["power"][0]
        assert before["draw_w"] < after["draw_w"] == feed["committed_w"] <= feed["limit_w"]
        assert (await house.admin.get("/v1/sites/away")).status_code == 404

    in_house(tmp_path, story)


def test_halls_and_racks_count_the_same_gpus(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        hall = (await house.admin.get("/v1/halls?site=home")).json()["items"][0]
        racks = (await house.admin.get(f"/v1/racks?hall={hall['metadata']['id']}")).json()["items"]
        assert hall["metadata"]["id"] == "home:hall"
        assert [rack["status"]["capacity"] for rack in racks] == [hall["status"]["capacity"]]
        assert racks[0]["spec"]["nodes"] == ["home:r1:n1", "home:r1:n2"]
        assert racks[0]["status"]["power"][0]["id"]

    in_house(tmp_path, story)


def test_nodes_come_page_by_page_and_by_health(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        first = (await house.admin.get("/v1/nodes?limit=1")).json()
        second = (await house.admin.get(f"/v1/nodes?limit=1&after={first['next']}")).json()
        assert [each["items"][0]["metadata"]["id"] for each in (first, second)] == ["home:r1:n1", "home:r1:n2"]
        assert second["next"] is None
        house.engine.node_seen("home", "home/r1/n2", up=False)
        await until(lambda: not house.service.world.state.node_up[1])
        lost = (await house.admin.get("/v1/nodes?health=lost")).json()["items"]
        assert [(each["metadata"]["id"], each["status"]["reason"]) for each in lost] == [("home:r1:n2", "not-reported")]
        assert (await house.admin.get("/v1/nodes?health=ill")).status_code == 422

    in_house(tmp_path, story)


def test_who_may_not_read_a_job_sees_only_that_gpus_are_used(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        job = await submit(house.service, gpus=2)
        mine = (await house.admin.get("/v1/nodes/home:r1:n1")).json()["status"]["used_by"]
        assert mine == [{"job": job.id, "project": "default", "gpus": 2}]
        stranger = await house.somebody("elsewhere", "reader")
        theirs = (await stranger.get("/v1/nodes/home:r1:n1")).json()["status"]
        assert (theirs["in_use"], theirs["used_by"]) == (True, [{"job": "", "project": "", "gpus": 2}])

    in_house(tmp_path, story)


def test_the_topology_is_cut_to_what_the_caller_may_see(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        whole = (await house.admin.get("/v1/topology")).json()
        rack = whole["sites"][0]["children"][0]["children"][0]["children"][0]
        assert (rack["kind"], len(rack["children"])) == ("rack", 2)
        await submit(house.service, gpus=8)
        stranger = await house.somebody("elsewhere", "reader")
        cut = (await stranger.get("/v1/topology")).json()
        assert cut["hash"] == whole["hash"]
        assert cut["sites"][0]["gpus"] == 16
        assert cut["sites"][0]["children"][0]["children"] == []
        member = await house.somebody("home", "reader")
        assert (await member.get("/v1/topology")).json()["sites"] == whole["sites"]

    in_house(tmp_path, story)


def test_queues_tell_what_waits_and_why(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for _ in range(3):
            await submit(house.service, gpus=16)
        queue = (await house.admin.get("/v1/queues/normal")).json()
        assert (queue["status"]["jobs"], queue["status"]["gpus"]) == (2, 32)
        waiting = queue["status"]["waiting"]
        assert sum(each["jobs"] for each in waiting) == 2
        assert {each["project"] for each in waiting} == {"default"}
        assert all(each["reason"] != "none" for each in waiting)
        stranger = await house.somebody("elsewhere", "reader")
        cut = (await stranger.get("/v1/queues/normal")).json()
        assert (cut["status"]["jobs"], cut["status"]["waiting"]) == (2, [])
        assert (await house.admin.get("/v1/queues/none")).status_code == 404

    in_house(tmp_path, story)


def test_a_queue_is_counted_again_after_every_decision(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        async def waiting(name: str) -> tuple[int, int]:
            status = (await house.admin.get(f"/v1/queues/{name}")).json()["status"]
            assert status["jobs"] == sum(each["jobs"] for each in status["waiting"])
            return status["jobs"], status["gpus"]

        await submit(house.service, gpus=16)
        assert await waiting("normal") == (0, 0)
        first = await submit(house.service, gpus=16)
        assert await waiting("normal") == (1, 16)
        await submit(house.service, gpus=8, priority="high")
        assert (await waiting("normal"), await waiting("high")) == ((1, 16), (1, 8))
        assert (await house.admin.delete(f"/v1/jobs/{first.id}")).status_code == 202
        assert (await waiting("normal"), await waiting("high")) == ((0, 0), (1, 8))

    in_house(tmp_path, story)


def test_capacity_tells_delivered_healthy_reserved_and_in_use_by_tenant(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await submit(house.service, gpus=8)
        found = (await house.admin.get("/v1/capacity")).json()
        figures = [found[f"gpus_{each}"] for each in ("delivered", "healthy", "reserved", "in_use")]
        assert figures == [16, 16, 0, 8]
        assert found["tenants"] == [
            {"organisation": "home", "project": "default", "gpus_reserved": 0, "gpus_in_use": 8}
        ]

    in_house(tmp_path, story)
