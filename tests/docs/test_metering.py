"""The metering page names every field and column, and its example is a rate file of hardware that exists."""

import re
from dataclasses import fields
from datetime import date
from pathlib import Path

from gridhall.fleet.catalogue import shipped_hardware
from gridhall.money.focus import COLUMNS
from gridhall.money.intervals import UsageInterval
from gridhall.money.rates import load_rates
from gridhall.money.rating import Charge, rate
from gridhall.units import DAY_MS, utc_ms
from gridhall.work import TIERS

MIDSUMMER_MS = utc_ms(date(2026, 6, 29))
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/metering.md").read_text()


def test_metering_page_names_every_field_and_column() -> None:
    named = set(re.findall(r"`([A-Za-z0-9_]+)`", PAGE))
    records = {field.name for record in (UsageInterval, Charge) for field in fields(record)}
    assert (records | set(COLUMNS)) - named == set()


def interval(sku: str, tier: str) -> UsageInterval:
    """A week from June into July of one GPU."""
    job = [*TIERS].index(tier) + 10 * len(sku)
    span = (MIDSUMMER_MS, MIDSUMMER_MS + 7 * DAY_MS)
    return UsageInterval(job, 1, "o", "p", "s", "GB", sku, tier, "allocated", *span, 1_000, 700, "start")


def test_example_rates_price_every_tier_of_hardware_of_the_catalogue() -> None:
    book = load_rates(ROOT / "examples/rates.yaml", skus=shipped_hardware())
    asked = [(sku, tier) for sku in ("h100", "gb300-nvl72") for tier in TIERS]
    assert {(price.sku, price.tier) for price in book.prices} == set(asked)
    charges = rate([interval(sku, tier) for sku, tier in asked], book)
    assert len({charge.interval for charge in charges}) == len(asked)
    assert min(charge.amount_micro for charge in charges) > 0
