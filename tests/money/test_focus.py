"""The export keeps to FOCUS 1.2: columns, types, nulls, allowed values, and costs that match quantity times price."""

import json
import re
from dataclasses import replace
from decimal import Decimal

import polars as pl
import pytest

from gridhall.money.focus import Texts, focus_frame
from gridhall.money.rating import Charge, correct, rate
from tests.money.samples import GANG, at, book, gang, price

MANDATORY = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuer",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "Provider",
    "Publisher",
    "ServiceCategory",
    "ServiceName",
]
NEVER_NULL = set(MANDATORY) - {
    "BillingAccountName",
    "ChargeClass",
    "ChargeDescription",
    "PricingQuantity",
    "PricingUnit",
}
ALSO_NEVER_NULL = {"ChargeFrequency", "ServiceSubcategory"}
DECIMALS = [
    "BilledCost",
    "ContractedCost",
    "EffectiveCost",
    "ListCost",
    "PricingQuantity",
    "ConsumedQuantity",
    "ListUnitPrice",
    "ContractedUnitPrice",
]
ALLOWED = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    "ChargeClass": {"Correction", None},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "PricingCategory": {"Standard", "Dynamic", "Committed", "Other", None},
    "ServiceCategory": {"AI and Machine Learning", "Compute"},
    "ServiceSubcategory": {"Other (Compute)"},
}
NOT_NULL_IN_USAGE = [
    "PricingQuantity",
    "PricingUnit",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ListUnitPrice",
    "ContractedUnitPrice",
    "PricingCategory",
    "SkuId",
    "SkuPriceId",
    "SkuMeter",
    "ResourceId",
    "RegionId",
    "SubAccountId",
]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
TEXTS = Texts(
    provider="Example Cloud",
    issuer="Example Cloud Ltd",
    organisations={"acme": "Acme Ltd"},
    resources={7: "job_01J"},
    job_names={7: "train"},
    tags={7: {"team": 'a "quoted" one', "stage": "test"}},
    invoices={("acme", at("2026-07-01")): "INV-2026-07-acme"},
)


def charges() -> list[Charge]:
    """Usage over a month's edge, a share of a GPU, a correction of a closed month and one within the month."""
    night = {"name": "night", "from": "00:00", "to": "06:00", "price_per_gpu_hour": "1.234567"}
    long = gang("2026-06-29 11:22:33.457", "2026-07-01 18:00:00.001", energy_mj=123_456_789_012, carbon_mg=98_765)
    share = replace(GANG, gpu_milli=250, job=8)
    billed = rate([long, share], book(price(windows=[night])))
    cheaper = book(price(price_per_gpu_hour=1))
    return [
        *billed,
        *correct(billed, [long], cheaper, at("2026-07-15")),
        *correct(billed, [share], cheaper, at("2026-07-15")),
    ]


def conform(frame: pl.DataFrame) -> None:
    """Raise AssertionError where a data set is not FOCUS 1.2."""
    assert set(MANDATORY) <= set(frame.columns)
    assert [name for name in frame.columns if not re.fullmatch(r"(x_)?[A-Z][A-Za-z]+", name)] == []
    for name in NEVER_NULL | ALSO_NEVER_NULL:
        assert frame[name].null_count() == 0, name
    for name in DECIMALS:
        assert frame.schema[name].is_decimal(), name
    for name, allowed in ALLOWED.items():
        assert set(frame[name]) <= allowed, name
    for row in frame.iter_rows(named=True):
        conform_row(row)


def conform_row(row: dict[str, object]) -> None:
    usage = row["ChargeCategory"] == "Usage" and row["ChargeClass"] != "Correction"
    if usage:
        assert [name for name in NOT_NULL_IN_USAGE if row[name] is None] == []
        for cost, unit_price in (("ListCost", "ListUnitPrice"), ("ContractedCost", "ContractedUnitPrice")):
            product = decimal(row["PricingQuantity"]) * decimal(row[unit_price])
            assert abs(product - decimal(row[cost])) <= Decimal("0.000001")
    assert (row["PricingQuantity"] is None) == (row["PricingUnit"] is None)
    assert (row["ConsumedQuantity"] is None) == (row["ConsumedUnit"] is None)
    assert row["ChargeCategory"] == "Usage" or row["ConsumedQuantity"] is None
    assert (row["SkuPriceId"] is not None) or row["SkuPriceDetails"] is None
    assert re.fullmatch(r"[A-Z]{3}", str(row["BillingCurrency"]))
    for name in ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd"):
        assert MOMENT.fullmatch(str(row[name]))
    for name in ("Tags", "SkuPriceDetails"):
        if row[name] is not None:
            values = json.loads(str(row[name])).values()
            assert all(isinstance(value, str | int | float | bool) for value in values)
    if row["ChargeClass"] is None:
        assert str(row["BillingPeriodStart"]) <= str(row["ChargePeriodStart"]) < str(row["BillingPeriodEnd"])


def decimal(value: object) -> Decimal:
    assert isinstance(value, Decimal)
    return value


def test_the_export_is_focus() -> None:
    assert len(MANDATORY) == 21
    conform(focus_frame(charges(), TEXTS))
    conform(focus_frame([], TEXTS))


@pytest.mark.parametrize(
    "wrong", ["Provider", "PricingQuantity", "BillingCurrency", "ChargePeriodStart", "ListUnitPrice"]
)
def test_a_value_that_is_missing_is_found_out(wrong: str) -> None:
    frame = focus_frame(charges(), TEXTS)
    with pytest.raises(AssertionError):
        conform(frame.with_columns(pl.lit(None, dtype=frame.schema[wrong]).alias(wrong)))


def test_a_row_says_whose_what_where_and_how_much() -> None:
    row = focus_frame(charges(), TEXTS).row(-3, named=True)
    assert (row["BillingAccountId"], row["BillingAccountName"], row["SubAccountId"]) == ("acme", "Acme Ltd", "vision")
    assert (row["RegionId"], row["x_Country"], row["SkuId"]) == ("harlow", "GB", "h100")
    assert (row["ResourceId"], row["Tags"]) == ("8", None)
    assert (row["PricingQuantity"], row["BilledCost"]) == (Decimal("0.25"), Decimal("0.5"))
    assert row["x_GpuMilliseconds"] == 900_000
    assert row["InvoiceId"] == "INV-2026-07-acme"


def test_sums_of_the_export_are_those_of_the_charges() -> None:
    frame = focus_frame(charges(), TEXTS)
    assert frame["BilledCost"].sum() == Decimal(sum(charge.amount_micro for charge in charges())).scaleb(-6)
    assert frame["x_GpuMilliseconds"].sum() == Decimal(sum(charge.gpu_milli_ms for charge in charges())).scaleb(-3)
    assert float(frame["x_EnergyKwh"].sum()) == pytest.approx(123_456_789_012 / 3.6e9, abs=1e-9)
    assert frame["x_CarbonKg"].sum() == Decimal("0.098765")


def test_a_correction_says_which_month_it_corrects() -> None:
    closed, same_month = focus_frame(charges(), TEXTS).rows(named=True)[-2:]
    assert (closed["ChargeClass"], closed["ChargeCategory"]) == ("Correction", "Usage")
    assert (closed["BillingPeriodStart"], closed["ChargePeriodStart"]) == (
        "2026-07-01T00:00:00Z",
        "2026-06-29T11:22:33Z",
    )
    assert (same_month["ChargeClass"], same_month["ChargeCategory"]) == (None, "Adjustment")
