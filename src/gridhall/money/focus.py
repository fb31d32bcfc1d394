"""The FOCUS export: charges as a FinOps Open Cost and Usage Specification 1.2 data set, one row a charge.

`COLUMNS` is the whole layout: the 21 mandatory columns and the conditional and recommended ones that a GPU cloud can
fill. Energy, carbon and what else the specification has no column for stand in `x_` columns. All money is exact
decimals; times are UTC to the second, as the specification wants them, and to the millisecond in `x_` columns.

An organisation is the billing account, a project the sub account, a site the region, a job the resource. Corrections
carry money and no quantity, so that adding up a column of quantities counts no GPU-hour twice; one that is found within
the month that it corrects is an adjustment, as the specification has it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from gridhall.money.attribution import MJ_PER_KWH
from gridhall.money.months import month_of
from gridhall.money.rating import GPU_HOUR, Charge
from gridhall.units import iso_utc

VERSION = "1.2"
TEXT = pl.String()
MONEY = pl.Decimal(38, 6)
QUANTITY = pl.Decimal(38, 12)
COLUMNS: dict[str, pl.DataType] = {
    "BilledCost": MONEY,
    "BillingAccountId": TEXT,
    "BillingAccountName": TEXT,
    "BillingCurrency": TEXT,
    "BillingPeriodEnd": TEXT,
    "BillingPeriodStart": TEXT,
    "ChargeCategory": TEXT,
    "ChargeClass": TEXT,
    "ChargeDescription": TEXT,
    "ChargeFrequency": TEXT,
    "ChargePeriodEnd": TEXT,
    "ChargePeriodStart": TEXT,
    "ConsumedQuantity": QUANTITY,
    "ConsumedUnit": TEXT,
    "ContractedCost": MONEY,
    "ContractedUnitPrice": MONEY,
    "EffectiveCost": MONEY,
    "InvoiceId": TEXT,
    "InvoiceIssuer": TEXT,
    "ListCost": MONEY,
    "ListUnitPrice": MONEY,
    "PricingCategory": TEXT,
    "PricingQuantity": QUANTITY,
    "PricingUnit": TEXT,
    "Provider": TEXT,
    "Publisher": TEXT,
    "RegionId": TEXT,
    "RegionName": TEXT,
    "ResourceId": TEXT,
    "ResourceName": TEXT,
    "ResourceType": TEXT,
    "ServiceCategory": TEXT,
    "ServiceName": TEXT,
    "ServiceSubcategory": TEXT,
    "SkuId": TEXT,
    "SkuMeter": TEXT,
    "SkuPriceDetails": TEXT,
    "SkuPriceId": TEXT,
    "SubAccountId": TEXT,
    "SubAccountName": TEXT,
    "Tags": TEXT,
    "x_Attempt": pl.Int64(),
    "x_CarbonBasis": TEXT,
    "x_CarbonKg": pl.Decimal(38, 6),
    "x_ChargeId": TEXT,
    "x_ChargePeriodEndMs": pl.Int64(),
    "x_ChargePeriodStartMs": pl.Int64(),
    "x_Country": TEXT,
    "x_EnergyBasis": TEXT,
    "x_EnergyKwh": QUANTITY,
    "x_GpuMilliseconds": pl.Decimal(38, 3),
    "x_RateBook": TEXT,
    "x_Tier": TEXT,
    "x_UsageIntervalId": TEXT,
}
"""Every column in its order, with its type: `Decimal` and `String` of the specification; JSON and times are text."""


@dataclass(frozen=True)
class Texts:
    """What people call things, by id; an id without a name is called by its id.

    `resources` are the ids under which tenants know jobs, `tags` what they wrote on them; `invoices` are the ids of
    invoices by organisation and start of the month in ms, once there are any.
    """

    provider: str
    issuer: str
    organisations: Mapping[str, str] = field(default_factory=dict[str, str])
    projects: Mapping[str, str] = field(default_factory=dict[str, str])
    sites: Mapping[str, str] = field(default_factory=dict[str, str])
    resources: Mapping[int, str] = field(default_factory=dict[int, str])
    job_names: Mapping[int, str] = field(default_factory=dict[int, str])
    tags: Mapping[int, Mapping[str, str]] = field(default_factory=dict[int, Mapping[str, str]])
    invoices: Mapping[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])


def focus_frame(charges: Iterable[Charge], texts: Texts) -> pl.DataFrame:
    """The data set, one row a charge, in their order."""
    rows = [focus_row(charge, texts) for charge in charges]
    return pl.DataFrame({name: [row[name] for row in rows] for name in COLUMNS}, schema=COLUMNS)


def focus_row(charge: Charge, texts: Texts) -> dict[str, Any]:
    """One charge under the names of the specification."""
    return _account(charge, texts) | _money(charge) | _what(charge, texts) | _sku(charge) | _beyond(charge)


def _account(charge: Charge, texts: Texts) -> dict[str, Any]:
    first_ms, after_ms = month_of(charge.billed_ms)
    return {
        "BillingAccountId": charge.organisation,
        "BillingAccountName": texts.organisations.get(charge.organisation, charge.organisation),
        "BillingCurrency": charge.currency,
        "BillingPeriodStart": iso_utc(first_ms),
        "BillingPeriodEnd": iso_utc(after_ms),
        "InvoiceId": texts.invoices.get((charge.organisation, first_ms)),
        "InvoiceIssuer": texts.issuer,
        "Provider": texts.provider,
        "Publisher": texts.provider,
        "SubAccountId": charge.project,
        "SubAccountName": texts.projects.get(charge.project, charge.project),
    }


def _money(charge: Charge) -> dict[str, Any]:
    """Costs are all the same: nothing here is discounted, prepaid or amortised."""
    cost, counted = _scaled(charge.amount_micro, 6), charge.kind == "usage"
    gpu_hours = (Decimal(charge.gpu_milli_ms) / GPU_HOUR).quantize(Decimal(1).scaleb(-12))
    return {
        "BilledCost": cost,
        "ContractedCost": cost,
        "EffectiveCost": cost,
        "ListCost": cost,
        "ListUnitPrice": _scaled(charge.price_micro, 6) if counted else None,
        "ContractedUnitPrice": _scaled(charge.price_micro, 6) if counted else None,
        "PricingQuantity": gpu_hours if counted else None,
        "PricingUnit": "GPU-Hours" if counted else None,
        "ConsumedQuantity": gpu_hours if counted else None,
        "ConsumedUnit": "GPU-Hours" if counted else None,
    }


def _what(charge: Charge, texts: Texts) -> dict[str, Any]:
    resource = texts.resources.get(charge.job, str(charge.job))
    tags = texts.tags.get(charge.job)
    corrects = charge.kind == "correction"
    same_month = month_of(charge.start_ms) == month_of(charge.billed_ms)
    return {
        "ChargeCategory": "Adjustment" if corrects and same_month else "Usage",
        "ChargeClass": "Correction" if corrects and not same_month else None,
        "ChargeDescription": _described(charge, resource),
        "ChargeFrequency": "One-Time" if corrects else "Usage-Based",
        "ChargePeriodStart": iso_utc(charge.start_ms),
        "ChargePeriodEnd": iso_utc(charge.end_ms),
        "RegionId": charge.site,
        "RegionName": texts.sites.get(charge.site, charge.site),
        "ResourceId": resource,
        "ResourceName": texts.job_names.get(charge.job),
        "ResourceType": "Job",
        "ServiceCategory": "Compute",
        "ServiceName": "GPU Compute",
        "ServiceSubcategory": "Other (Compute)",
        "Tags": json.dumps(dict(tags), sort_keys=True) if tags else None,
    }


def _described(charge: Charge, resource: str) -> str:
    what = f"{charge.sku} GPUs, {charge.tier}, job {resource} attempt {charge.attempt}"
    return f"correction of {what}" if charge.kind == "correction" else what


def _sku(charge: Charge) -> dict[str, Any]:
    counted = charge.kind == "usage"
    details = {"GpuCount": 1, "InstanceSeries": charge.sku, "x_Tier": charge.tier}
    return {
        "PricingCategory": "Standard" if counted else None,
        "SkuId": charge.sku,
        "SkuMeter": "GPU time",
        "SkuPriceId": charge.rate if counted else None,
        "SkuPriceDetails": json.dumps(details, sort_keys=True) if counted else None,
    }


def _beyond(charge: Charge) -> dict[str, Any]:
    return {
        "x_Attempt": charge.attempt,
        "x_CarbonBasis": charge.carbon_basis,
        "x_CarbonKg": _scaled(charge.carbon_mg, 6),
        "x_ChargeId": charge.id,
        "x_ChargePeriodEndMs": charge.end_ms,
        "x_ChargePeriodStartMs": charge.start_ms,
        "x_Country": charge.country,
        "x_EnergyBasis": charge.energy_basis,
        "x_EnergyKwh": (Decimal(charge.energy_mj) / MJ_PER_KWH).quantize(Decimal(1).scaleb(-12)),
        "x_GpuMilliseconds": _scaled(charge.gpu_milli_ms, 3),
        "x_RateBook": charge.book,
        "x_Tier": charge.tier,
        "x_UsageIntervalId": charge.interval,
    }


def _scaled(value: int, places: int) -> Decimal:
    """A whole number of 10^-places units as an exact decimal."""
    return Decimal(value).scaleb(-places)
