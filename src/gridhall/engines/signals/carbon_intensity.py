"""NESO's Carbon Intensity API: national intensity of Great Britain by half-hour, outcome and forecast."""

import httpx

from gridhall.energy.signals.gb import CARBON_INTENSITY, carbon_readings
from gridhall.energy.signals.readings import Readings
from gridhall.engines.signals.ask import get_json, minute, stretches
from gridhall.units import DAY_MS

ADDRESS = "https://api.carbonintensity.org.uk/intensity"
MOST_MS = 14 * DAY_MS
"""The service answers for at most 14 days at a time."""


def fetch_carbon(http: httpx.Client, start_ms: int, end_ms: int, now_ms: int, longest_gap_min: int = 120) -> Readings:
    """Intensity from `start_ms` to `end_ms` in g/kWh; what lies ahead is the service's forecast, known as of now.

    Gaps up to `longest_gap_min` minutes are left for the fill rule.
    """
    bodies = [
        get_json(http, CARBON_INTENSITY, f"{ADDRESS}/{minute(since)}/{minute(until)}", {})
        for since, until in stretches(start_ms, end_ms, MOST_MS)
    ]
    return carbon_readings(bodies, now_ms, longest_gap_min)
