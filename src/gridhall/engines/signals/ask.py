"""One GET for JSON, with every way it can fail told as a fault; and how a long time is asked for in pieces."""

from collections.abc import Iterator
from typing import cast

import httpx

from gridhall.errors import fault
from gridhall.units import iso_utc


def get_json(http: httpx.Client, service: str, address: str, parameters: dict[str, str]) -> object:
    """The body of an answer. Raises InputError when there is none, it is an error or it is no JSON."""
    try:
        answer = http.get(address, params=parameters, headers={"Accept": "application/json"})
        answer.raise_for_status()
        return cast(object, answer.json())
    except httpx.HTTPStatusError as error:
        problem = f"answered {error.response.status_code}"
        raise fault(service, address, problem, "check the time asked for, or try again later") from error
    except httpx.HTTPError as error:
        problem = f"does not answer: {error}"
        raise fault(service, address, problem, "check the network and the client's time-out") from error
    except ValueError as error:
        raise fault(service, address, "the answer is no JSON", "check the address") from error


def stretches(start_ms: int, end_ms: int, most_ms: int) -> Iterator[tuple[int, int]]:
    """A time in pieces of at most `most_ms`."""
    for since in range(start_ms, end_ms, most_ms):
        yield since, min(since + most_ms, end_ms)


def minute(time_ms: int) -> str:
    """`2026-01-31T12:00Z`, as both services write times."""
    return iso_utc(time_ms)[:16] + "Z"
