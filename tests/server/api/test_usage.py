"""Usage adds up to what was allocated, charges to usage at the rates that are set, and both only for those who may."""

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.server.api.house import House, in_house
from tests.server.api.test_jobs import ask
from tests.server.live.hand_clock import HandClock
from tests.server.live.house import until

HOUR_MS = 3_600_000


async def hours_of_work(house: House, clock: HandClock) -> None:
    """Eight GPUs for two hours, which are over, and eight for the second of them, which go on."""
    await house.admin.post("/v1/jobs", json=ask(gpus=8))
    await until(lambda: house.engine.starts)
    await clock.move(HOUR_MS)
    await house.admin.post("/v1/jobs", json=ask(gpus=8))
    await until(lambda: len(house.engine.starts) == 2)
    await clock.move(HOUR_MS)
    house.engine.ended(house.engine.starts[0].key)
    await until(lambda: len(house.engine.held) == 1)


async def total(house: House, query: str = "") -> int:
    items = (await house.admin.get(f"/v1/usage{query}")).json()["items"]
    return sum(each["gpu_milli_ms"] for each in items)


def test_usage_counts_what_is_over_and_what_goes_on(tmp_path: Path) -> None:
    clock = HandClock()

    async def story(house: House) -> None:
        await hours_of_work(house, clock)
        assert await total(house) == 24 * 1000 * HOUR_MS
        items = (await house.admin.get("/v1/usage")).json()["items"]
        assert [(each["project"], each["site"], each["sku"], each["tier"]) for each in items] == [
            ("default", "home", "h100", "rigid")
        ]
        assert items[0]["energy_mj"] > 0
        assert (items[0]["energy_basis"], items[0]["carbon_basis"]) == ("declared", "assumed")

    in_house(tmp_path, story, clock=clock)


def test_any_two_spans_add_up_to_the_whole(tmp_path: Path) -> None:
    clock = HandClock()
    begin = clock.now_ms()

    async def story(house: House) -> None:
        await hours_of_work(house, clock)
        for middle in (begin + 1, begin + HOUR_MS - 1, begin + HOUR_MS + 1234, begin + 2 * HOUR_MS - 1):
            spans = (f"?from_ms={begin}&until_ms={middle}", f"?from_ms={middle}")
            assert sum([await total(house, span) for span in spans]) == 24 * 1000 * HOUR_MS

    in_house(tmp_path, story, clock=clock)


def test_intervals_come_page_by_page_and_what_goes_on_last(tmp_path: Path) -> None:
    clock = HandClock()

    async def story(house: House) -> None:
        await hours_of_work(house, clock)
        first = (await house.admin.get("/v1/usage/intervals?limit=1")).json()
        second = (await house.admin.get(f"/v1/usage/intervals?limit=1&after={first['next']}")).json()
        assert [each["open"] for page in (first, second) for each in page["items"]] == [False, True]
        assert second["next"] is None
        for no_cursor in ("x", f"{1 << 52}:x", f"{1 << 52}"):
            assert (await house.admin.get(f"/v1/usage/intervals?after={no_cursor}")).status_code == 422
        none = await house.admin.get("/v1/usage/intervals?sku=gb300-nvl72")
        assert none.json()["items"] == []

    in_house(tmp_path, story, clock=clock)


def test_charges_are_usage_at_the_rates_that_are_set(tmp_path: Path) -> None:
    clock = HandClock()

    async def story(house: House) -> None:
        await hours_of_work(house, clock)
        charges = (await house.admin.get("/v1/charges")).json()["items"]
        totals = (await house.admin.get("/v1/charges/totals")).json()
        assert totals["currency"] == "GBP"
        amounts = [each["amount_micro"] for each in charges]
        assert sum(amounts) == totals["items"][0]["amount_micro"] == 24 * charges[0]["price_micro"]
        focus = await house.admin.get("/v1/focus.csv")
        rows = list(csv.DictReader(io.StringIO(focus.text)))
        assert sum(round(float(row["BilledCost"]) * 1_000_000) for row in rows) == sum(amounts)
        assert rows[0]["ResourceId"].startswith("job_")
        assert rows[0]["RegionId"] == "home"
        house.service.settings = replace(house.service.settings, rates=None)
        assert (await house.admin.get("/v1/charges")).json()["reason"] == "no-rates"

    in_house(tmp_path, story, clock=clock)


def test_nobody_reads_the_usage_of_others(tmp_path: Path) -> None:
    clock = HandClock()

    async def story(house: House) -> None:
        await hours_of_work(house, clock)
        stranger = await house.somebody("elsewhere", "organisation-auditor")
        answers: list[Any] = [
            (await stranger.get(f"/v1/{each}")).json()["items"] for each in ("usage", "usage/intervals")
        ]
        assert answers == [[], []]
        assert (await stranger.get("/v1/usage?project=default")).status_code == 404
        mine = await house.somebody("home", "organisation-auditor")
        assert len((await mine.get("/v1/usage")).json()["items"]) == 1

    in_house(tmp_path, story, clock=clock)
