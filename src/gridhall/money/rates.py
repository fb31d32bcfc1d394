"""The rate book: what a GPU-hour costs, by SKU, tier and time, as written in a rate file.

A price holds from `valid_from` until `valid_to`; within a week, windows of hours in a named time zone may cost
otherwise. The prices of one SKU and tier follow one another without overlap or gap, so that at every moment of a book
there is exactly one price. A book is never edited once charges rest on it: a new one is written, and the difference is
charged as a correction (`rating.correct`).
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from gridhall.errors import Fault, InputError
from gridhall.money.windows import spans_of
from gridhall.units import MICRO, iso_utc, known_zone, utc_ms

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FOREVER_MS = 1 << 60
MEND = "see docs/metering.md for every field of a rate file"


def _midnight(raw: Any) -> Any:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return datetime(raw.year, raw.month, raw.day, tzinfo=UTC)
    return raw


def _minute(raw: Any) -> Any:
    """`HH:MM` as minutes of the day; YAML itself reads an unquoted 22:00 as the number 1320."""
    if not isinstance(raw, str):
        return raw
    hours, colon, minutes = raw.partition(":")
    if not (colon and hours.isdigit() and minutes.isdigit() and int(minutes) < 60):
        raise ValueError(f"{raw!r} is no time of day; write HH:MM, from 00:00 to 24:00")
    return int(hours) * 60 + int(minutes)


Moment = Annotated[datetime, BeforeValidator(_midnight)]
Minute = Annotated[int, BeforeValidator(_minute), Field(ge=0, le=1440)]
Price = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=6)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Window(_Part):
    """Hours of the week with a price of their own. `to` is exclusive; 24:00 is the next midnight."""

    name: Name
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = DAYS
    start: Annotated[Minute, Field(validation_alias="from")]
    end: Annotated[Minute, Field(validation_alias="to")]
    price_per_gpu_hour: Price

    @model_validator(mode="after")
    def _has_length(self) -> "Window":
        if self.end <= self.start:
            raise ValueError(
                "`to` is not after `from`; write a window over midnight as two, up to 24:00 and from 00:00"
            )
        return self


class Rate(_Part):
    """The price of one SKU in one tier for a time; empty `valid_to` = until further notice."""

    sku: Name
    tier: Name
    valid_from: Moment
    valid_to: Moment | None = None
    price_per_gpu_hour: Price
    zone: str = "UTC"
    windows: tuple[Window, ...] = ()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        return known_zone(zone)

    @model_validator(mode="after")
    def _in_order(self) -> "Rate":
        if self.to_ms <= self.from_ms:
            raise ValueError("`valid_to` is not after `valid_from`")
        placed = sorted((DAYS.index(day), w.start, w.end, w.name) for w in self.windows for day in w.days)
        for before, after in pairwise(placed):
            if before[0] == after[0] and after[1] < before[2]:
                raise ValueError(f"the windows {before[3]!r} and {after[3]!r} overlap on {DAYS[before[0]]}")
        return self

    @property
    def from_ms(self) -> int:
        """Start, ms UTC."""
        return utc_ms(self.valid_from)

    @property
    def to_ms(self) -> int:
        """End (exclusive), ms UTC."""
        return FOREVER_MS if self.valid_to is None else utc_ms(self.valid_to)

    @property
    def name(self) -> str:
        """`sku/tier/2026-01-01`: what charges and exports call it."""
        return f"{self.sku}/{self.tier}/{iso_utc(self.from_ms)[:10]}"


@dataclass(frozen=True, slots=True)
class Piece:
    """A span of time at one price; `name` is the rate's, with the window's where one holds."""

    start_ms: int
    end_ms: int
    price_micro: int
    name: str


class RateBook(_Part):
    """A whole rate file."""

    rates: Literal["v1"]
    title: Annotated[str, Field(min_length=1)]
    issuer: Annotated[str, Field(min_length=1)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    notes: tuple[str, ...] = ()
    prices: Annotated[tuple[Rate, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_price_at_a_time(self) -> "RateBook":
        ordered = sorted(self.prices, key=lambda rate: (rate.sku, rate.tier, rate.from_ms))
        problems = [said for before, after in pairwise(ordered) if (said := _seam(before, after))]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @cached_property
    def hash(self) -> str:
        """Sixteen hexadecimal digits over everything in the book: charges say by it which book they rest on."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    @cached_property
    def _in_turn(self) -> dict[tuple[str, str], list[Rate]]:
        """The rates of each SKU and tier in order of time."""
        found: dict[tuple[str, str], list[Rate]] = {}
        for rate in sorted(self.prices, key=lambda rate: rate.from_ms):
            found.setdefault((rate.sku, rate.tier), []).append(rate)
        return found

    def pieces(self, sku: str, tier: str, start_ms: int, end_ms: int) -> Iterator[Piece]:
        """A span cut where the price may change, in order. Raises InputError where the book has no price."""
        at = start_ms
        for rate in self._in_turn.get((sku, tier), ()):
            if rate.from_ms <= at < min(end_ms, rate.to_ms):
                yield from _priced(rate, at, min(end_ms, rate.to_ms))
                at = min(end_ms, rate.to_ms)
        if at < end_ms:
            problem = f"no price for {sku} in tier {tier} at {iso_utc(at)}"
            raise InputError([Fault(self.title, "prices", problem, "add a price that is valid then")])


def _seam(before: Rate, after: Rate) -> str:
    """What is wrong where one price follows another of the same SKU and tier."""
    if (before.sku, before.tier) != (after.sku, after.tier) or before.to_ms == after.from_ms:
        return ""
    what = f"{before.sku} in tier {before.tier}"
    if before.to_ms > after.from_ms:
        return f"two prices for {what} hold at {iso_utc(after.from_ms)}; end the earlier one there"
    return f"no price for {what} holds from {iso_utc(before.to_ms)} to {iso_utc(after.from_ms)}; let them meet"


def _priced(rate: Rate, start_ms: int, end_ms: int) -> Iterator[Piece]:
    """A span within one rate, cut at the edges of its windows."""
    spans = sorted(
        (span, window)
        for window in rate.windows
        for span in spans_of(
            frozenset(map(DAYS.index, window.days)), window.start, window.end, rate.zone, start_ms, end_ms
        )
    )
    at, usual = start_ms, micro(rate.price_per_gpu_hour)
    for (opens_ms, closes_ms), window in spans:
        if at < opens_ms:
            yield Piece(at, opens_ms, usual, rate.name)
        yield Piece(opens_ms, closes_ms, micro(window.price_per_gpu_hour), f"{rate.name}/{window.name}")
        at = closes_ms
    if at < end_ms:
        yield Piece(at, end_ms, usual, rate.name)


def micro(price: Decimal) -> int:
    """A price in micro-units; prices have at most six decimals, so nothing is lost."""
    return int(price * MICRO)


def load_rates(path: Path, skus: Collection[str] | None = None) -> RateBook:
    """Read a rate file. Raises InputError with every fault; a SKU that is not among `skus` (if given) is one."""
    try:
        book = RateBook.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise InputError([Fault(str(path), "", str(problem), "give a readable YAML file")]) from problem
    except ValidationError as problem:
        # A list is called too short when its only entry is wrong, which is said already.
        said = [error for error in problem.errors() if error["type"] != "too_short"] or problem.errors()
        raise InputError([_fault(path, error["loc"], error["msg"], error["input"]) for error in said]) from problem
    unknown = [(place, rate.sku) for place, rate in enumerate(book.prices) if skus is not None and rate.sku not in skus]
    if unknown:
        mend = f"use one of {', '.join(sorted(skus or ()))}"
        raise InputError(
            [Fault(str(path), f"prices.{at}.sku", f"there is no SKU {sku!r}", mend) for at, sku in unknown]
        )
    return book


def _fault(path: Path, place: tuple[int | str, ...], said: str, value: object) -> Fault:
    field = ".".join(str(step) for step in place)
    said = said.removeprefix("Value error, ")
    return Fault(str(path), field, said if isinstance(value, dict) else f"{said} (got {value!r})", MEND)
