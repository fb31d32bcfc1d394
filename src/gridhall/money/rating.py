"""Rating: usage intervals times a rate book are charges. The book of charges, which can be made again.

A charge is one span of one interval at one price within one calendar month; amounts add up however the interval was
cut (`exact`). Charges of a closed month are never edited. When its prices turn out wrong, the usage is rated with
another book and the differences are charged as corrections in the month in which they are found.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from gridhall.money.exact import flow, part
from gridhall.money.intervals import Basis, UsageInterval
from gridhall.money.months import month_edges
from gridhall.money.rates import Piece, RateBook
from gridhall.units import HOUR_MS

GPU_HOUR = 1_000 * HOUR_MS
"""One GPU-hour in 1/1000 GPU x ms."""


@dataclass(frozen=True, slots=True)
class Charge:
    """Money for a span of a usage interval, in micro-units of `currency`; a correction may be negative.

    `price_micro` is per GPU-hour, `rate` the price's name and `book` the hash of the rate book. `billed_ms` lies in the
    month whose invoice carries the charge: for a correction a later one than that of the usage. A correction repeats no
    quantity: its GPU-time, energy and carbon are 0.
    """

    kind: Literal["usage", "correction"]
    interval: str
    job: int
    attempt: int
    organisation: str
    project: str
    site: str
    country: str
    sku: str
    tier: str
    start_ms: int
    end_ms: int
    billed_ms: int
    gpu_milli_ms: int
    price_micro: int
    amount_micro: int
    currency: str
    rate: str
    book: str
    energy_mj: int
    energy_basis: Basis
    carbon_mg: int
    carbon_basis: Basis

    @property
    def id(self) -> str:
        """32 hexadecimal digits over interval, start, kind, book and time of billing: rating twice adds nothing."""
        about = f"{self.interval}.{self.start_ms}.{self.kind}.{self.book}.{self.billed_ms}"
        return hashlib.sha256(about.encode()).hexdigest()[:32]


def rate(intervals: Iterable[UsageInterval], book: RateBook) -> list[Charge]:
    """The charges for intervals, in their order. Raises InputError where the book has no price."""
    return [charge for interval in intervals for charge in _charges(interval, book)]


def correct(billed: Iterable[Charge], intervals: Iterable[UsageInterval], book: RateBook, now_ms: int) -> list[Charge]:
    """What another book would have charged for intervals, less all that was `billed` for them so far.

    One correction for each interval whose sum differs, billed at `now_ms`. Raises InputError as `rate` does, and
    ValueError when the book's currency is not that of the charges.
    """
    sums: dict[str, int] = {}
    for charge in billed:
        if charge.currency != book.currency:
            raise ValueError(f"charges in {charge.currency} cannot be corrected by a book in {book.currency}")
        sums[charge.interval] = sums.get(charge.interval, 0) + charge.amount_micro
    corrections: list[Charge] = []
    for interval in intervals:
        difference = sum(charge.amount_micro for charge in _charges(interval, book)) - sums.get(interval.id, 0)
        if difference != 0:
            corrections.append(_correction(interval, book, difference, now_ms))
    return corrections


def _charges(interval: UsageInterval, book: RateBook) -> Iterator[Charge]:
    edges = [interval.start_ms, *month_edges(interval.start_ms, interval.end_ms), interval.end_ms]
    for start_ms, end_ms in pairwise(edges):
        for piece in book.pieces(interval.sku, interval.tier, start_ms, end_ms):
            yield _usage(interval, book, piece)


def _usage(interval: UsageInterval, book: RateBook, piece: Piece) -> Charge:
    whole = (interval.start_ms, interval.end_ms)
    return Charge(
        kind="usage",
        interval=interval.id,
        job=interval.job,
        attempt=interval.attempt,
        organisation=interval.organisation,
        project=interval.project,
        site=interval.site,
        country=interval.country,
        sku=interval.sku,
        tier=interval.tier,
        start_ms=piece.start_ms,
        end_ms=piece.end_ms,
        billed_ms=piece.start_ms,
        gpu_milli_ms=interval.gpu_milli * (piece.end_ms - piece.start_ms),
        price_micro=piece.price_micro,
        amount_micro=flow(interval.gpu_milli * piece.price_micro, GPU_HOUR, piece.start_ms, piece.end_ms),
        currency=book.currency,
        rate=piece.name,
        book=book.hash,
        energy_mj=part(interval.energy_mj, whole, piece.start_ms, piece.end_ms),
        energy_basis=interval.energy_basis,
        carbon_mg=part(interval.carbon_mg, whole, piece.start_ms, piece.end_ms),
        carbon_basis=interval.carbon_basis,
    )


def _correction(interval: UsageInterval, book: RateBook, difference_micro: int, now_ms: int) -> Charge:
    piece = Piece(interval.start_ms, interval.end_ms, 0, f"{interval.sku}/{interval.tier}/correction")
    again = _usage(interval, book, piece)
    money = {"kind": "correction", "billed_ms": now_ms, "amount_micro": difference_micro}
    return replace(again, **money, gpu_milli_ms=0, energy_mj=0, carbon_mg=0)
