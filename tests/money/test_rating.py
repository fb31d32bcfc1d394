"""Charges are usage times price, add up however usage is cut, and are corrected without editing any."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridhall.errors import InputError
from gridhall.money.intervals import cut
from gridhall.money.rating import correct, rate
from gridhall.units import DAY_MS, MICRO
from tests.money.samples import GANG, at, book, gang, price

NIGHT = {"name": "night", "from": "00:00", "to": "06:00", "price_per_gpu_hour": "1.234567"}
CHEAPER = book(price(price_per_gpu_hour="1.5"))


def test_eight_gpus_for_an_hour_at_two() -> None:
    (charge,) = rate([GANG], book())
    assert (charge.amount_micro, charge.currency, charge.rate) == (16 * MICRO, "EUR", "h100/on-demand/2026-01-01")
    assert charge.gpu_milli_ms == GANG.gpu_milli_ms


def test_an_interval_over_an_edge_is_split_exactly() -> None:
    two = book(price(valid_to="2026-07-01"), price(valid_from="2026-07-01", price_per_gpu_hour=1, windows=[NIGHT]))
    long = gang("2026-06-30 12:00", "2026-07-01 12:00", energy_mj=1_000_001, carbon_mg=7)
    charges = rate([long], two)
    assert [charge.price_micro for charge in charges] == [2 * MICRO, 1_234_567, MICRO]
    assert [charge.amount_micro for charge in charges] == [192 * MICRO, 48 * 1_234_567, 48 * MICRO]
    assert sum(charge.gpu_milli_ms for charge in charges) == long.gpu_milli_ms
    assert sum(charge.energy_mj for charge in charges) == 1_000_001
    assert sum(charge.carbon_mg for charge in charges) == 7


def test_no_charge_belongs_to_two_months() -> None:
    charges = rate([gang("2026-01-30 00:00", "2026-04-02 00:00")], book())
    assert [charge.start_ms for charge in charges] == [
        at(f"2026-{day}") for day in ("01-30", "02-01", "03-01", "04-01")
    ]
    assert [charge.billed_ms for charge in charges] == [charge.start_ms for charge in charges]


@given(
    offset_ms=st.integers(0, 40 * DAY_MS),
    length_ms=st.integers(2, 5 * DAY_MS),
    gpu_milli=st.integers(1, 16_384_000),
    cuts=st.lists(st.floats(0.001, 0.999), max_size=5),
)
def test_a_cut_changes_no_bill(offset_ms: int, length_ms: int, gpu_milli: int, cuts: list[float]) -> None:
    first_ms = at("2026-03-01") + offset_ms
    whole = replace(GANG, start_ms=first_ms, end_ms=first_ms + length_ms, gpu_milli=gpu_milli)
    pieces = [whole]
    for share in cuts:
        time_ms = first_ms + round(length_ms * share)
        pieces = [part for piece in pieces for part in cut(piece, time_ms)]
    rates = book(price(windows=[NIGHT], zone="Europe/London"))
    charged = sum(charge.amount_micro for charge in rate(pieces, rates))
    assert charged == sum(charge.amount_micro for charge in rate([whole], rates))
    exact = sum(charge.gpu_milli_ms * charge.price_micro / 3.6e9 for charge in rate([whole], rates))
    assert charged == pytest.approx(exact, rel=1e-12, abs=20)


def test_rating_again_gives_the_same_ids() -> None:
    once, again = rate([GANG], book()), rate([GANG], book())
    assert [charge.id for charge in once] == [charge.id for charge in again]
    assert {charge.id for charge in once}.isdisjoint(charge.id for charge in rate([GANG], CHEAPER))


def test_a_correction_is_the_difference_and_repeats_no_quantity() -> None:
    billed = rate([GANG], book())
    now_ms = at("2026-08-03 09:00")
    (fixed,) = correct(billed, [GANG], CHEAPER, now_ms)
    assert (fixed.kind, fixed.amount_micro, fixed.billed_ms) == ("correction", -4 * MICRO, now_ms)
    assert (fixed.gpu_milli_ms, fixed.energy_mj, fixed.carbon_mg) == (0, 0, 0)
    assert (fixed.start_ms, fixed.end_ms) == (GANG.start_ms, GANG.end_ms)
    assert [charge.amount_micro for charge in billed] == [16 * MICRO]


def test_correcting_twice_adds_nothing_and_back_again_undoes_it() -> None:
    billed = rate([GANG], book())
    billed += correct(billed, [GANG], CHEAPER, at("2026-08-03"))
    assert correct(billed, [GANG], CHEAPER, at("2026-08-04")) == []
    billed += correct(billed, [GANG], book(), at("2026-08-05"))
    billed += correct(billed, [GANG], CHEAPER, at("2026-08-06"))
    assert [charge.amount_micro for charge in billed] == [16 * MICRO, -4 * MICRO, 4 * MICRO, -4 * MICRO]
    assert len({charge.id for charge in billed}) == 4


def test_what_was_never_billed_is_corrected_in_full() -> None:
    (fixed,) = correct([], [GANG], CHEAPER, at("2026-08-03"))
    assert fixed.amount_micro == 12 * MICRO


def test_a_book_in_another_currency_corrects_nothing() -> None:
    billed = [replace(charge, currency="USD") for charge in rate([GANG], book())]
    with pytest.raises(ValueError, match="charges in USD cannot be corrected by a book in EUR"):
        correct(billed, [GANG], CHEAPER, 0)


def test_usage_without_a_price_is_not_free() -> None:
    with pytest.raises(InputError, match="no price for gb300 in tier on-demand"):
        rate([replace(GANG, sku="gb300")], book())
