"""Intervals and books to rate in tests: a project's gang on eight GPUs, and prices that are easy to multiply."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gridhall.money.intervals import UsageInterval
from gridhall.money.rates import RateBook
from gridhall.units import utc_ms


def at(text: str) -> int:
    """Milliseconds of `2026-07-01 12:00`, UTC."""
    return utc_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


GANG = UsageInterval(
    job=7,
    attempt=1,
    organisation="acme",
    project="vision",
    site="harlow",
    country="GB",
    sku="h100",
    tier="on-demand",
    state="allocated",
    start_ms=at("2026-07-01 12:00"),
    end_ms=at("2026-07-01 13:00"),
    gpu_milli=8_000,
    draw_w=6_000,
    cause="start",
)


def gang(start: str, end: str, **changes: Any) -> UsageInterval:
    return replace(GANG, start_ms=at(start), end_ms=at(end), **changes)


def price(**changes: Any) -> dict[str, Any]:
    usual = {"sku": "h100", "tier": "on-demand", "valid_from": "2026-01-01", "price_per_gpu_hour": 2}
    return usual | changes


def book(*prices: dict[str, Any]) -> RateBook:
    return RateBook.model_validate(
        {"rates": "v1", "title": "test rates", "issuer": "Test Ltd", "currency": "EUR", "prices": prices or (price(),)}
    )
