"""Power against each feed's limit; energy, what it cost and what it emitted, by site and month.

Site energy is IT energy times the site's declared PUE, until the cooling room computes it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gridhall.engines.twin.index import FeedName, RunIndex
from gridhall.engines.twin.series import SLOT_MS, Sampled
from gridhall.engines.twin.summary.figure import figure, share
from gridhall.engines.twin.tables import scan_table
from gridhall.units import J_PER_KWH, MICRO

Document = dict[str, Any]
WH_PER_MWH = 1_000_000
MINUTE_S = 60


def power(run: Path, index: RunIndex) -> list[Document]:
    """Per feed: limit, peak, mean, committed, and minutes in which the site drew more than the limit."""
    limits = pl.LazyFrame({"feed": [f.node for f in index.feeds], "limit": [f.limit_it_w for f in index.feeds]})
    columns = [
        pl.col("it_w").max().alias("peak"),
        pl.col("it_w").mean().alias("mean"),
        pl.col("it_w").quantile(0.99).alias("p99"),
        pl.col("committed_w").max().alias("committed"),
        (pl.col("it_w") > pl.col("limit")).sum().alias("over"),
    ]
    frame = scan_table(run, "site_power").join(limits, on="feed").group_by("feed").agg(columns).collect()
    rows = {row["feed"]: row for row in frame.to_dicts()}
    return [_feed(index, feed, rows[feed.node]) for feed in index.feeds if feed.node in rows]


def _feed(index: RunIndex, feed: FeedName, row: Mapping[str, Any]) -> Document:
    site = index.sites[feed.site]

    def mw(it_w: float) -> float:
        return it_w * site.pue_milli / 1000 / 1e6

    return {
        "feed": feed.name,
        "site": site.name,
        "limit": figure(mw(feed.limit_it_w), "MW", "assumed"),
        "peak": figure(mw(row["peak"]), "MW"),
        "p99": figure(mw(row["p99"]), "MW"),
        "mean": figure(mw(row["mean"]), "MW"),
        "committed_peak": figure(mw(row["committed"]), "MW"),
        "peak_of_limit": figure(share(row["peak"], feed.limit_it_w), "share"),
        "minutes_over_limit": figure(row["over"], "min"),
    }


def energy_slots(
    run: Path, index: RunIndex, prices: Mapping[str, Sampled], carbon: Mapping[str, Sampled]
) -> pl.DataFrame:
    """Columns site, slot_ms, it_wh, site_wh, cost_micro, carbon_g.

    `prices` (per MWh) and `carbon` (g/kWh) are by country.
    """
    slot = (pl.col("minute_ms") // SLOT_MS * SLOT_MS).alias("slot_ms")
    feeds = pl.LazyFrame({"feed": [f.node for f in index.feeds], "site": [f.site for f in index.feeds]})
    joules = (pl.col("it_w") * MINUTE_S).sum().alias("it_j")
    frame = scan_table(run, "site_power").join(feeds, on="feed").group_by("site", slot).agg(joules)
    slots = frame.sort("site", "slot_ms").collect()
    return pl.concat([_priced(slots, number, index, prices, carbon) for number in range(len(index.sites))])


def _priced(
    slots: pl.DataFrame, number: int, index: RunIndex, prices: Mapping[str, Sampled], carbon: Mapping[str, Sampled]
) -> pl.DataFrame:
    site = index.sites[number]
    mine = slots.filter(pl.col("site") == number)
    times, it_j = mine["slot_ms"].to_numpy(), mine["it_j"].to_numpy()
    site_wh = it_j * site.pue_milli // J_PER_KWH
    price_micro = np.rint(prices[site.country].at(times) * MICRO).astype(np.int64)
    grams = np.rint(site_wh / 1000 * carbon[site.country].at(times)).astype(np.int64)
    return mine.select("site", "slot_ms").with_columns(
        it_wh=pl.Series(it_j // 3600),
        site_wh=pl.Series(site_wh),
        cost_micro=pl.Series(site_wh * price_micro // WH_PER_MWH),
        carbon_g=pl.Series(grams),
    )


def energy(slots: pl.DataFrame, index: RunIndex, currency: str) -> Document:
    """Totals of `energy_slots`, by month and by site."""
    sums = pl.col("it_wh", "site_wh", "cost_micro", "carbon_g").sum()
    month = pl.from_epoch("slot_ms", time_unit="ms").dt.strftime("%Y-%m").alias("month")
    months = slots.group_by(month).agg(sums).sort("month").to_dicts()
    sites = slots.group_by("site").agg(sums).sort("site").to_dicts()
    return {
        **_energy(slots.select(sums).to_dicts()[0], currency),
        "by_month": [{"month": row["month"], **_energy(row, currency)} for row in months],
        "by_site": [{"site": index.sites[int(row["site"])].name, **_energy(row, currency)} for row in sites],
    }


def _energy(row: Mapping[str, int], currency: str) -> Document:
    mwh = row["site_wh"] / WH_PER_MWH
    cost = row["cost_micro"] / MICRO
    return {
        "it_energy": figure(row["it_wh"] / WH_PER_MWH, "MWh"),
        "site_energy": figure(mwh, "MWh"),
        "cost": figure(cost, currency),
        "mean_price": figure(share(cost, mwh), f"{currency}/MWh"),
        "carbon": figure(row["carbon_g"] / 1e6, "t CO2e"),
    }
