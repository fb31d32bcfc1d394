"""A year of British prices and carbon for the energy benchmark: GB 2023 from the shared data, or a synthetic one."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gridhall.energy.signals import Readings, Signal, SignalFile, known_at, read_signal
from gridhall.energy.signals.forecast import ErrorLaw
from gridhall.units import DAY_MS, HOUR_MS, MICRO, MINUTE_MS, utc_ms

Ints = NDArray[np.int64]

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
STEP_MS = 30 * MINUTE_MS
DAYS = 365
START_MS = utc_ms(datetime(2023, 1, 1))
END_MS = START_MS + DAYS * DAY_MS
LATER_MS = END_MS + 1000 * DAY_MS
HISTORY_DAYS = 8

PRICES = SignalFile.model_validate(
    {
        "path": "energy/gb_prices_halfhourly_2023-01_2024-05.csv",
        "time_column": "period_end_utc",
        "value_column": "market_gbp_mwh",
        "unit": "GBP/MWh",
        "resolution_min": 30,
        "zone": "Europe/London",
        "stamp": "end",
        "published": {"kind": "day-ahead", "hour": 12},
        "longest_gap_min": 4 * 24 * 60,
        "source": "Contains BMRS data (c) Elexon Limited copyright and database right 2024.",
    }
)
CARBON = SignalFile.model_validate(
    {
        "path": "energy/gb_carbon_neso_halfhourly_2023_forecast_actual.csv",
        "time_column": "from",
        "value_column": "actual",
        "unit": "g/kWh",
        "resolution_min": 30,
        "zone": "UTC",
        "published": {"kind": "lag", "minutes": 0},
        "longest_gap_min": 4 * 24 * 60,
        "source": "Carbon intensity data from the NESO Carbon Intensity API, CC BY 4.0.",
    }
)


@dataclass(frozen=True)
class Year:
    """`prices` with what was known when; the whole year of both as it turned out, by the half-hour."""

    prices: Readings
    price: Signal
    carbon: Signal
    data: str
    sources: tuple[str, ...]

    def price_known(self, step: int, end: int) -> Signal:
        """Prices known at the start of a step, with the days before it that a forecast needs, to the step `end`."""
        now_ms = START_MS + step * STEP_MS
        since_ms = max(START_MS, now_ms - now_ms % DAY_MS - HISTORY_DAYS * DAY_MS)
        return known_at(self.prices, now_ms, since_ms, START_MS + end * STEP_MS, STEP_MS)


def load_year() -> Year:
    """GB 2023 where the shared data is there, else a synthetic year from a fixed seed."""
    if not (SHARED / PRICES.path).exists() or not (SHARED / CARBON.path).exists():
        print("the shared data is not on this machine: a synthetic year stands in")
        return synthetic_year()
    prices, carbon = read_signal(PRICES, SHARED), read_signal(CARBON, SHARED)
    return _year(prices, carbon, "GB 2023", (PRICES.source, CARBON.source))


def synthetic_year(seed: int = 1) -> Year:
    """Days with a morning and an evening peak, windy spells, negative hours: like GB in its statistics, invented."""
    steps = DAYS * 48
    at = np.arange(steps)
    hour, day = at % 48 / 2, at // 48
    peaks = np.exp(-(((hour - 18) / 2.5) ** 2)) + 0.6 * np.exp(-(((hour - 8) / 2) ** 2)) - 0.4
    wind = ErrorLaw(1, 1, HOUR_MS, 0.99).shape(steps, seed)
    noise = ErrorLaw(1, 1, HOUR_MS, 0.7).shape(steps, seed + 1)
    quiet = np.where(day % 7 >= 5, 0.85, 1.0)
    price = quiet * (95 + 12 * np.cos((day - 15) / 58)) + 55 * peaks - 23 * wind + 20 * noise
    carbon = np.clip(150 + 25 * peaks - 60 * wind + 8 * noise, 20, 350)
    start = START_MS + at * STEP_MS
    noon_before = start - start % DAY_MS - DAY_MS // 2
    known = Readings("GBP/MWh", STEP_MS, start, _micro(price), noon_before, "synthetic", "synthetic")
    outcome = Readings("g/kWh", STEP_MS, start, _micro(carbon), start + STEP_MS, "synthetic", "synthetic")
    return _year(known, outcome, f"synthetic year (seed {seed})", ())


def _micro(values: NDArray[np.float64]) -> Ints:
    return np.rint(values * MICRO).astype(np.int64)


def _year(prices: Readings, carbon: Readings, data: str, sources: tuple[str, ...]) -> Year:
    price, intensity = (known_at(each, LATER_MS, START_MS, END_MS, STEP_MS) for each in (prices, carbon))
    return Year(prices, price, intensity, data, sources)
