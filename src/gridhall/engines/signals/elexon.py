"""Elexon's Insights API: the market index price of Great Britain by half-hour. Free, without a key."""

import httpx

from gridhall.energy.signals.gb import ELEXON, Provider, market_index_readings
from gridhall.energy.signals.readings import Readings
from gridhall.engines.signals.ask import get_json, minute, stretches
from gridhall.units import DAY_MS

ADDRESS = "https://data.elexon.co.uk/bmrs/api/v1/balancing/pricing/market-index"
MOST_MS = 7 * DAY_MS
"""The service answers for at most 7 days at a time."""


def fetch_market_index(
    http: httpx.Client, start_ms: int, end_ms: int, provider: Provider = "APXMIDP", longest_gap_min: int = 120
) -> Readings:
    """Prices from `start_ms` to `end_ms` in GBP/MWh; gaps of up to `longest_gap_min` are left for the fill rule."""
    bodies = [
        get_json(
            http,
            ELEXON,
            ADDRESS,
            {"from": minute(since), "to": minute(until), "dataProviders": provider, "format": "json"},
        )
        for since, until in stretches(start_ms, end_ms, MOST_MS)
    ]
    return market_index_readings(bodies, provider, longest_gap_min)
