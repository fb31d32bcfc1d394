"""The British services, replayed from small answers written for these tests."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from gridhall.energy.signals import known_at
from gridhall.engines.signals import fetch_carbon, fetch_market_index
from gridhall.errors import InputError
from gridhall.units import DAY_MS, HOUR_MS, MICRO, utc_ms

START = utc_ms(datetime(2023, 10, 29))


def clock(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=None)


def halves(since: datetime, until: datetime) -> list[datetime]:
    count = int((until - since) / timedelta(minutes=30))
    return [since + timedelta(minutes=30 * n) for n in range(count)]


def carbon_service(asked: list[str], now: datetime) -> httpx.Client:
    """Answers like the service: the half-hour that ends at `from` too, and no outcome for what lies ahead."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        since, until = (clock(part) for part in request.url.path.split("/")[-2:])
        data = [
            {
                "from": f"{half:%Y-%m-%dT%H:%MZ}",
                "to": f"{half + timedelta(minutes=30):%Y-%m-%dT%H:%MZ}",
                "intensity": {"forecast": 200, "actual": 100 if half < now else None, "index": "low"},
            }
            for half in halves(since - timedelta(minutes=30), until)
        ]
        return httpx.Response(200, json={"data": data})

    return httpx.Client(transport=httpx.MockTransport(answer))


def test_outcomes_are_known_at_their_end_and_forecasts_when_fetched() -> None:
    now = START + 2 * HOUR_MS
    with carbon_service([], datetime(2023, 10, 29, 2)) as http:
        readings = fetch_carbon(http, START, START + DAY_MS, now)
    seen = known_at(readings, now, START, START + DAY_MS)
    assert (seen.value_micro[:24] == 100 * MICRO).all()
    assert (seen.value_micro[24:] == 200 * MICRO).all()
    assert known_at(readings, now - 1, START, START + DAY_MS).known_steps == 18
    assert "NESO" in readings.source


def test_a_long_time_is_asked_for_in_pieces_and_shared_half_hours_count_once() -> None:
    asked: list[str] = []
    with carbon_service(asked, datetime(2024, 1, 1)) as http:
        readings = fetch_carbon(http, START, START + 30 * DAY_MS, START + 60 * DAY_MS)
    assert len(asked) == 3
    assert len(readings.start_ms) == 30 * 48 + 1


def index_row(start: str, day: str, period: int, price: float, volume: float = 10.0, provider: str = "APXMIDP") -> Any:
    return {
        "startTime": start,
        "dataProvider": provider,
        "settlementDate": day,
        "settlementPeriod": period,
        "price": price,
        "volume": volume,
    }


def index_service(*rows: Any) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, json={"data": list(rows)})))


def test_the_market_index_of_one_provider_is_read_newest_first_or_not() -> None:
    rows = [
        index_row("2023-10-29T01:00:00Z", "2023-10-29", 5, -7.5),
        index_row("2023-10-29T00:30:00Z", "2023-10-29", 4, 60.0),
        index_row("2023-10-29T00:30:00Z", "2023-10-29", 4, 0.0, 0.0, "N2EXMIDP"),
    ]
    with index_service(*rows) as http:
        readings = fetch_market_index(http, START, START + HOUR_MS)
    assert readings.value_micro.tolist() == [60 * MICRO, -7_500_000]


def test_a_half_hour_without_trade_is_a_gap_and_not_free_power() -> None:
    rows = [
        index_row("2023-10-29T00:00:00Z", "2023-10-29", 3, 50.0),
        index_row("2023-10-29T00:30:00Z", "2023-10-29", 4, 0.0, 0.0),
        index_row("2023-10-29T01:00:00Z", "2023-10-29", 5, 40.0),
    ]
    with index_service(*rows) as http:
        assert fetch_market_index(http, START, START + HOUR_MS).value_micro.tolist() == [50 * MICRO, 40 * MICRO]
    with index_service(*rows) as http, pytest.raises(InputError, match="longest_gap_min: 30"):
        fetch_market_index(http, START, START + HOUR_MS, longest_gap_min=0)


def test_a_period_that_does_not_fit_its_time_is_refused() -> None:
    wrong = index_row("2023-10-29T02:00:00Z", "2023-10-29", 5, 50.0)
    with index_service(wrong) as http, pytest.raises(InputError, match="does not start at"):
        fetch_market_index(http, START, START + HOUR_MS)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (httpx.Response(503), "answered 503"),
        (httpx.Response(200, text="<html>"), "no JSON"),
        (httpx.Response(200, json={"data": [{"from": "2023-10-29T00:00Z"}]}), "data.0.intensity"),
        (httpx.Response(200, json={"error": "?"}), "answer cannot be read"),
    ],
)
def test_a_service_in_trouble_is_told_as_a_fault(answer: httpx.Response, told: str) -> None:
    with httpx.Client(transport=httpx.MockTransport(lambda _: answer)) as http, pytest.raises(InputError, match=told):
        fetch_carbon(http, START, START + HOUR_MS, START)


def test_a_silent_service_is_told_as_a_fault() -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("timed out", request=request)

    with (
        httpx.Client(transport=httpx.MockTransport(silent)) as http,
        pytest.raises(InputError, match="does not answer"),
    ):
        fetch_market_index(http, START, START + HOUR_MS)
