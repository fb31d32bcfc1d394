"""The client against a small server on loopback."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from toadr3.models import Event

from gridhall.energy.targets import FeedMetadata
from gridhall.engines.openadr import Ven, VenSettings, demand_report, meaning_of
from gridhall.errors import InputError
from gridhall.units import MINUTE_MS
from tests.energy.vtn import CLIENT, SECRET, Vtn, vtn

T = TypeVar("T")

MW = 1_000_000
FEED = FeedMetadata(feed_tag="west", minimum_w=2 * MW, maximum_w=12 * MW, default_w=10 * MW)
START_MS = 1_769_864_400_000  # 2026-01-31 13:00 UTC


@pytest.fixture
def server() -> Iterator[Vtn]:
    with vtn() as running:
        yield running


def settings(server: Vtn, folder: Path, **changes: Any) -> VenSettings:
    (folder / "secret").write_text(SECRET + "\n")
    fields: dict[str, Any] = {
        "vtn_url": server.url,
        "token_url": f"{server.url}/auth/token",
        "client_id": CLIENT,
        "secret_file": folder / "secret",
        "program_id": "program-1",
        "ven_name": "gridhall",
        "resource_name": "west-feed",
        "feed_tag": "west",
    }
    return VenSettings.model_validate(fields | changes)


def with_ven(given: VenSettings, do: Callable[[Ven], Awaitable[T]]) -> T:
    async def run() -> T:
        ven = Ven(given)
        try:
            return await do(ven)
        finally:
            await ven.close()

    return asyncio.run(run())


def put_up(server: Vtn, value: float = 6000, **body: Any) -> None:
    interval = {"id": 0, "payloads": [{"type": "IMPORT_CAPACITY_LIMIT", "values": [value]}]}
    period = {"start": "2026-01-31T13:00:00Z", "duration": "PT1H"}
    fields: dict[str, Any] = {"programID": "program-1", "intervalPeriod": period, "intervals": [interval]}
    server.add_event(**fields | body)


def events(given: VenSettings) -> list[Event]:
    return with_ven(given, lambda ven: ven.events())


def test_events_of_the_program_become_load_targets(server: Vtn, tmp_path: Path) -> None:
    put_up(server)
    put_up(server, programID="another")
    found = events(settings(server, tmp_path))
    assert [each.id for each in found] == ["event-0"]
    target = meaning_of(found[0], FEED, (150, 300, 500), START_MS).targets[0]
    assert target.load_constraint is not None
    assert (target.load_constraint.watts, target.interval.start_ms) == (6 * MW, START_MS)


def test_a_long_list_is_read_in_pages_under_one_token(server: Vtn, tmp_path: Path) -> None:
    for number in range(120):
        put_up(server, value=number)
    assert len(events(settings(server, tmp_path))) == 120
    assert server.tokens == 1
    assert len([asked for asked in server.asked if asked.startswith("GET /events")]) == 3


def test_a_report_of_what_was_drawn_reaches_the_server(server: Vtn, tmp_path: Path) -> None:
    asked = [{"payloadType": kind} for kind in ("DEMAND", "BASELINE", "OPERATING_STATE", "STORAGE_CHARGE_LEVEL")]
    put_up(server, reportDescriptors=asked)
    given = settings(server, tmp_path)

    async def send(ven: Ven) -> str:
        event = (await ven.events())[0]
        drawn, baseline = [9 * MW, 6 * MW], [10 * MW, 10 * MW]
        return await ven.report(demand_report(given, event, START_MS, 30 * MINUTE_MS, drawn, baseline, True))

    assert with_ven(given, send) == "report-0"
    resource = server.reports[0]["resources"][0]
    assert resource["resourceName"] == "west-feed"
    assert resource["intervalPeriod"]["start"] == "2026-01-31T13:00:00Z"
    assert resource["intervals"][1]["payloads"] == [
        {"type": "DEMAND", "values": [6000.0]},
        {"type": "BASELINE", "values": [10000.0]},
        {"type": "OPERATING_STATE", "values": ["RUNNING_CURTAILED"]},
    ]
    assert server.reports[0]["payloadDescriptors"][0]["units"] == "KW"


def test_a_report_that_the_server_refuses_is_told(server: Vtn, tmp_path: Path) -> None:
    put_up(server, reportDescriptors=[{"payloadType": "DEMAND"}])
    given = settings(server, tmp_path)

    async def send(ven: Ven) -> str:
        event = (await ven.events())[0]
        server.events.clear()
        return await ven.report(demand_report(given, event, START_MS, MINUTE_MS, [1], [1], False))

    with pytest.raises(InputError, match="eventID"):
        with_ven(given, send)


def test_a_wrong_secret_is_told(server: Vtn, tmp_path: Path) -> None:
    given = settings(server, tmp_path)
    given.secret_file.write_text("wrong\n")
    with pytest.raises(InputError, match="client id, secret"):
        events(given)


def test_a_server_in_trouble_is_told(server: Vtn, tmp_path: Path) -> None:
    server.broken = 500
    with pytest.raises(InputError, match="as the test wished"):
        events(settings(server, tmp_path))


def test_an_event_that_breaks_the_standard_is_told(server: Vtn, tmp_path: Path) -> None:
    put_up(server, intervals="none")
    with pytest.raises(InputError, match="cannot be read"):
        events(settings(server, tmp_path))


def test_a_server_that_is_gone_is_told(tmp_path: Path) -> None:
    with vtn() as server:
        given = settings(server, tmp_path)
    with pytest.raises(InputError, match="does not answer"):
        events(given)
