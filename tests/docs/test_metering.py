"""The metering page names every field and column, and its example is a rate file of hardware that exists."""

import re
from dataclasses import fields
from pathlib import Path

from gridhall.fleet.catalogue import shipped_hardware
from gridhall.money.focus import COLUMNS
from gridhall.money.intervals import UsageInterval
from gridhall.money.rates import load_rates
from gridhall.money.rating import Charge

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/metering.md").read_text()


def test_metering_page_names_every_field_and_column() -> None:
    named = set(re.findall(r"`([A-Za-z0-9_]+)`", PAGE))
    records = {field.name for record in (UsageInterval, Charge) for field in fields(record)}
    assert (records | set(COLUMNS)) - named == set()


def test_example_rates_are_for_hardware_of_the_catalogue() -> None:
    book = load_rates(ROOT / "examples/rates.yaml", skus=shipped_hardware())
    assert {rate.tier for rate in book.prices} == {"on-demand", "curtailable"}
    assert all(rate.to_ms > rate.from_ms for rate in book.prices)
