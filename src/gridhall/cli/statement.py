"""Revenue and margin of a run, where the scenario states prices of a fictional operator."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gridhall.engines.twin.assemble import Prepared
from gridhall.engines.twin.scenario import Money
from gridhall.engines.twin.summary import figure
from gridhall.engines.twin.tables import scan_table
from gridhall.errors import fault
from gridhall.money import Statement, capex_share_micro, charge_micro, convert_micro
from gridhall.units import MICRO


def money_section(run: Path, prepared: Prepared, energy_cost: float) -> dict[str, Any] | None:
    """The `money` part of a summary; None where the scenario states no rates.

    `energy_cost` is in the currency of the scenario's electricity prices. What `check_money` asks for must be there.
    """
    money = prepared.scenario.money
    if not money.gpu_hour_rates:
        return None
    revenue = revenue_micro(run, _rates(prepared))
    energy = convert_micro(round(energy_cost * MICRO), _exchange(prepared, prepared.scenario.price.currency))
    # Racks that stand from the start have no date; they are taken to be new when the run begins.
    start_ms = prepared.index.start_ms
    purchases = [(group.capex_musd, group.ready_from_ms or start_ms) for group in prepared.index.arrivals]
    capex_usd = capex_share_micro(purchases, start_ms, prepared.index.end_ms, money.asset_life_years)
    statement = Statement(money.currency, sum(revenue), energy, convert_micro(capex_usd, _exchange(prepared, "USD")))
    return _section(money, statement, revenue, prepared)


def check_money(prepared: Prepared) -> None:
    """Refuse a scenario with rates that lacks one of them. Raises InputError."""
    if prepared.scenario.money.gpu_hour_rates:
        _rates(prepared)
        for currency in (prepared.scenario.price.currency, "USD"):
            _exchange(prepared, currency)


def revenue_micro(run: Path, rate_micro: list[int]) -> list[int]:
    """Charges for all usage intervals, by hardware index; every interval is rounded down by itself."""
    rates = np.array(rate_micro, dtype=np.int64)
    totals = np.zeros(len(rates), dtype=np.int64)
    spans = scan_table(run, "intervals").select("hw", "gpus", _share_of_span())
    for batch in spans.collect(engine="streaming").iter_slices(1_000_000):
        hw, gpus, span = (batch[name].to_numpy() for name in ("hw", "gpus", "span"))
        np.add.at(totals, hw, charge_micro(gpus, span, rates[hw]))
    return totals.tolist()


def _share_of_span() -> pl.Expr:
    """The time of an interval, cut to the share of a GPU that it had."""
    return ((pl.col("end_ms") - pl.col("start_ms")) * pl.col("gpu_milli") // 1000).alias("span")


def _rates(prepared: Prepared) -> list[int]:
    rates = prepared.scenario.money.gpu_hour_rates
    where = str(prepared.loaded.path)
    for name in prepared.index.hardware:
        if name not in rates:
            raise fault(where, "money.gpu_hour_rates", f"there is no rate for {name!r}", f"add `{name}: ...`")
    return [round(rates[name] * MICRO) for name in prepared.index.hardware]


def _exchange(prepared: Prepared, currency: str) -> float:
    money = prepared.scenario.money
    if currency == money.currency:
        return 1.0
    if currency not in money.exchange:
        mend = f"add `{currency}: ...`, the {money.currency} that one {currency} buys"
        raise fault(str(prepared.loaded.path), "money.exchange", f"there is no rate for {currency}", mend)
    return money.exchange[currency]


def _section(money: Money, statement: Statement, revenue: list[int], prepared: Prepared) -> dict[str, Any]:
    def sum_of(micro: int) -> Any:
        return figure(micro / MICRO, statement.currency, "assumed")

    life = f"hardware is written off evenly over {money.asset_life_years:g} years"
    return {
        "operator": money.operator,
        "rests_on": f"{money.source or 'Rates are assumed'}; {life}; staff and buildings are not counted.",
        "revenue": sum_of(statement.revenue_micro),
        "energy": sum_of(statement.energy_micro),
        "capex_share": sum_of(statement.capex_share_micro),
        "margin": sum_of(statement.margin_micro),
        "revenue_by_hardware": dict(zip(prepared.index.hardware, map(sum_of, revenue), strict=True)),
        "gpu_hour_rates": {
            name: figure(rate, f"{money.currency}/GPU h", "assumed") for name, rate in money.gpu_hour_rates.items()
        },
    }
