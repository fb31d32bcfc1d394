"""The answers of the public British services as readings: NESO's Carbon Intensity API and Elexon's Insights API.

Carbon Intensity gives for each half-hour a forecast and, afterwards, an outcome (`actual`). Elexon's market index gives
one price for each half-hour and data provider. Neither says when a value was published: for a forecast it is the
instant at which it was fetched, for an outcome the end of its period. Half-hours that two answers share count once.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridhall.energy.signals.clock import HALF_HOUR_MIN, period_start_ms
from gridhall.energy.signals.readings import Readings, Row, readings_of
from gridhall.errors import InputError, fault
from gridhall.units import MINUTE_MS, iso_utc, utc_ms

CARBON_INTENSITY = "Carbon Intensity API"
ELEXON = "Elexon market index"
CARBON_SOURCE = "Carbon intensity data from the NESO Carbon Intensity API, CC BY 4.0."
ELEXON_SOURCE = "Contains BMRS data (c) Elexon Limited copyright and database right."
PERIOD_MS = HALF_HOUR_MIN * MINUTE_MS
LONDON = "Europe/London"

Provider = Literal["APXMIDP", "N2EXMIDP"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Intensity(_Answer):
    forecast: float | None = None
    actual: float | None = None


class _HalfHour(_Answer):
    start: datetime = Field(alias="from")
    intensity: _Intensity


class _CarbonAnswer(_Answer):
    data: tuple[_HalfHour, ...]


class _Index(_Answer):
    start: datetime = Field(alias="startTime")
    provider: str = Field(alias="dataProvider")
    day: date = Field(alias="settlementDate")
    period: int = Field(alias="settlementPeriod")
    price: float
    volume: float


class _IndexAnswer(_Answer):
    data: tuple[_Index, ...]


def carbon_readings(bodies: Iterable[object], fetched_ms: int, longest_gap_min: int) -> Readings:
    """Grams of CO2 per kWh: the outcome where there is one, else the forecast as of `fetched_ms`."""
    try:
        answers = [_CarbonAnswer.model_validate(body) for body in bodies]
    except ValidationError as error:
        raise _unreadable(CARBON_INTENSITY, error) from error
    halves = {utc_ms(half.start): half.intensity for answer in answers for half in answer.data}
    rows = [_carbon_row(number, start, halves[start], fetched_ms) for number, start in enumerate(sorted(halves), 1)]
    return readings_of(rows, "g/kWh", HALF_HOUR_MIN, CARBON_INTENSITY, longest_gap_min, "published", CARBON_SOURCE)


def _carbon_row(number: int, start_ms: int, intensity: _Intensity, fetched_ms: int) -> Row:
    if intensity.actual is not None:
        return Row(number, start_ms, intensity.actual, start_ms + PERIOD_MS)
    return Row(number, start_ms, intensity.forecast, fetched_ms)


def market_index_readings(bodies: Iterable[object], provider: Provider, longest_gap_min: int) -> Readings:
    """Pounds per MWh of one data provider, known at the end of each half-hour.

    A half-hour without trade (volume 0) has no price: the service then writes 0, which must not be read as free power.
    """
    try:
        answers = [_IndexAnswer.model_validate(body) for body in bodies]
    except ValidationError as error:
        raise _unreadable(ELEXON, error) from error
    mine = {utc_ms(index.start): index for answer in answers for index in answer.data if index.provider == provider}
    rows = [_index_row(number, start, mine[start]) for number, start in enumerate(sorted(mine), 1)]
    return readings_of(rows, "GBP/MWh", HALF_HOUR_MIN, ELEXON, longest_gap_min, "published", ELEXON_SOURCE)


def _index_row(number: int, start_ms: int, index: _Index) -> Row:
    """One price, its settlement period checked against its time: they part company where a clock change is misread."""
    try:
        agreed = period_start_ms(index.day, index.period, ZoneInfo(LONDON)) == start_ms
    except ValueError:
        agreed = False
    if not agreed:
        problem = f"period {index.period} of {index.day} does not start at {iso_utc(start_ms)}"
        raise fault(f"{ELEXON} row {number}", "settlementPeriod", problem, "check how the source handles clock changes")
    return Row(number, start_ms, index.price if index.volume > 0 else None, start_ms + PERIOD_MS)


def _unreadable(service: str, error: ValidationError) -> InputError:
    first = error.errors(include_url=False)[0]
    return fault(service, _dotted(first["loc"]), f"answer cannot be read: {first['msg']}", "check the time asked for")


def _dotted(place: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in place)
