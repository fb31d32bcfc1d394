"""Usage and charges: the books of what was used and of what that costs, and their totals.

Quantities are exact whole numbers: GPU-time in 1/1000 GPU x ms, energy in mJ, carbon in mg, money in micro-units.
"""

from typing import Literal

from gridhall.server.objects.part import Part

Basis = Literal["measured", "declared", "assumed"]


class Usage(Part):
    """One usage interval. `open` = it goes on: what is said is what it would be if it ended now."""

    id: str
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
    gpu_milli: int
    gpu_milli_ms: int
    draw_w: int
    cause: str
    energy_mj: int
    energy_basis: Basis
    carbon_mg: int
    carbon_basis: Basis
    open: bool


class UsageTotal(Part):
    """What one project used of one SKU in one tier at one site. Bases are the weakest of what went in."""

    organisation: str
    project: str
    site: str
    country: str
    sku: str
    tier: str
    intervals: int
    gpu_milli_ms: int
    energy_mj: int
    energy_basis: Basis
    carbon_mg: int
    carbon_basis: Basis


class UsageTotals(Part):
    """Totals from a time until a time; what is open counts until then, or until now."""

    from_ms: int
    until_ms: int
    items: tuple[UsageTotal, ...]


class Charge(Part):
    """Money for a span of a usage interval, as docs/metering.md says it."""

    id: str
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


class ChargeTotal(Part):
    """What one project owes for one SKU in one tier at one site."""

    organisation: str
    project: str
    site: str
    sku: str
    tier: str
    gpu_milli_ms: int
    amount_micro: int


class ChargeTotals(Part):
    """Totals from a time until a time at the rates of one book."""

    from_ms: int
    until_ms: int
    currency: str
    book: str
    items: tuple[ChargeTotal, ...]
