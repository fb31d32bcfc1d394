"""What Prometheus scrapes is what is, and it is cheap."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from gridhall.fleet.load import load_fleet
from gridhall.server.live.changes import Cancel
from gridhall.server.live.fleet_map import map_fleet
from gridhall.server.metrics import open_metrics
from tests.server.api.house import House, in_house
from tests.server.live.house import hand_engine, running, settings, store_in, submit, until

Samples = dict[tuple[str, ...], float]
EXAMPLES = Path(__file__).parents[3] / "examples"


async def scrape(house: House) -> Samples:
    answer = await house.client().get("/metrics")  # nobody needs a token
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return samples_of(answer.text)


def samples_of(text: str) -> Samples:
    families = text_string_to_metric_families(text)
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


def test_gauges_follow_the_work(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        before = await scrape(house)
        assert before["gridhall_gpus", "home", "free"] == 16
        assert before["gridhall_nodes", "home", "up"] == 2
        jobs = [await submit(house.service, gpus=8) for _ in range(3)]
        await until(lambda: len(house.engine.starts) == 2)
        house.engine.started(house.engine.starts[0].key)
        await until(lambda: jobs[0].state == "running")
        now = await scrape(house)
        assert (now["gridhall_jobs", "running"], now["gridhall_jobs", "queued"]) == (2, 1)
        assert sum(value for key, value in now.items() if key[0] == "gridhall_queue_jobs") == 1
        assert (now["gridhall_gpus", "home", "used"], now["gridhall_gpus", "home", "free"]) == (16, 0)
        feed = next(key for key in now if key[0] == "gridhall_power_limit_watts")
        assert now[feed] == house.service.world.state.power_limit_w[0] > 0
        assert now["gridhall_power_committed_watts", *feed[1:]] > before["gridhall_power_committed_watts", *feed[1:]]
        assert now["gridhall_engine_reports_total", "hand", "started"] == 1
        assert now["gridhall_decisions_total",] == house.service.world.decisions
        assert now["gridhall_ledger_entries",] == house.service.loop.log.size
        assert now["gridhall_commit_seconds_count",] > before["gridhall_commit_seconds_count",]
        assert 0 <= now["gridhall_snapshot_age_seconds",] < 60

    in_house(tmp_path, story)


def test_ends_are_counted_and_a_server_that_does_not_decide_says_so(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        job = await submit(house.service)
        waiting = [await submit(house.service), await submit(house.service)]
        await house.service.loop.happen(Cancel(waiting[1].id))
        await until(lambda: house.engine.starts)
        house.engine.ended(house.engine.starts[0].key)
        await until(lambda: job.state == "completed")
        house.service.drift.orphans.add(("hand", house.engine.starts[0].key))
        await house.service.loop.settled()
        now = await scrape(house)
        assert now["gridhall_jobs_finished_total", "completed"] == 1
        assert now["gridhall_jobs_finished_total", "cancelled"] == 1
        assert (now["gridhall_orphans",], now["gridhall_read_only",]) == (1, 0)
        house.service.loop.stopped = "the disk is full"
        assert (await scrape(house))["gridhall_read_only",] == 1

    in_house(tmp_path, story)


def test_a_scrape_of_a_large_fleet_takes_little(tmp_path: Path) -> None:
    async def story() -> None:
        fleet = map_fleet(load_fleet(EXAMPLES / "uk-2026.yaml"))
        engine = hand_engine(fleet)
        sites = dict.fromkeys(fleet.arrays.site_names, "hand")
        engine.nodes = engine.nodes[:8]
        async with running(replace(settings(store_in(tmp_path), fleet, engine), engine_of_site=sites)) as service:
            metrics = open_metrics(service)
            metrics.text()  # the maps of the fleet are made once
            began = time.process_time()
            samples = samples_of(metrics.text().decode())
            assert time.process_time() - began < 0.25
            nodes = sum(value for key, value in samples.items() if key[0] == "gridhall_nodes" and key[2] == "all")
            assert nodes == len(fleet.nodes) > 5000

    asyncio.run(story())
