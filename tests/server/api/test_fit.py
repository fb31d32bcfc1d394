"""What would become of work is told beforehand, and nothing changes by asking."""

from pathlib import Path
from typing import Any

from tests.server.api.house import House, in_house
from tests.server.api.test_jobs import ask
from tests.server.live.house import submit


async def rehearse(house: House, **spec: Any) -> dict[str, Any]:
    said = await house.admin.post("/v1/jobs?dryRun=true", json=ask(**spec))
    assert said.status_code == 200, said.text
    return said.json()


def test_a_rehearsal_tells_the_placement_that_the_submission_then_gets(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        before, entries = house.service.world.state.digest(), house.service.loop.log.size
        said = await rehearse(house, limit_ms=3_600_000)
        assert (said["verdict"], said["start_basis"], said["site"]) == ("starts-now", "now", "home")
        assert (house.service.world.state.digest(), house.service.loop.log.size) == (before, entries)
        real = (await house.admin.post("/v1/jobs", json=ask(limit_ms=3_600_000))).json()
        assert real["status"]["places"] == said["places"]

    in_house(tmp_path, story)


def test_price_and_energy_are_those_of_the_limit_and_of_the_prediction(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        said = await rehearse(house, limit_ms=3_600_000)
        limit, predicted = said["for_limit"], said["for_prediction"]
        assert limit["gpu_ms"] == 8 * 3_600_000
        assert 8 * 1_000_000 < limit["price_micro"] < 8 * 3_000_000
        assert limit["currency"] == "GBP"
        assert limit["energy_kwh"] > 4
        assert limit["carbon_g"] is None
        assert predicted["duration_ms"] <= limit["duration_ms"]

    in_house(tmp_path, story)


def test_work_that_would_wait_is_told_why_and_what_would_help(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await submit(house.service, gpus=8)
        said = await rehearse(house, gpus=16)
        assert (said["verdict"], said["places"]) == ("waits", [])
        assert said["reason"] in ("capacity", "reserved")
        assert said["start_ms"] > house.service.loop.now_ms()

    in_house(tmp_path, story)


def test_work_that_can_never_run_is_told_so(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        said = await rehearse(house, gpus=800)
        assert (said["verdict"], said["reason"], said["for_limit"]) == ("refused", "no-place", None)

    in_house(tmp_path, story)


def test_fit_tries_each_alone_and_a_batch_one_after_the_other(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        jobs = {"jobs": [ask(gpus=16), ask(gpus=16)]}
        alone = (await house.admin.post("/v1/fit", json=jobs)).json()["items"]
        together = (await house.admin.post("/v1/jobs:batch?dryRun=true", json=jobs)).json()["items"]
        assert [each["verdict"] for each in alone] == ["starts-now", "starts-now"]
        assert [each["verdict"] for each in together] == ["starts-now", "waits"]
        assert (await house.admin.get("/v1/jobs")).json()["items"] == []

    in_house(tmp_path, story)
