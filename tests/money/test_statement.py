"""Money is exact: integer micro-units, every interval charged by itself."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridhall.money import Statement, capex_share_micro, charge_micro, convert_micro
from gridhall.units import DAY_MS, HOUR_MS, MICRO, YEAR_MS


@given(
    gpus=st.integers(1, 600_000),
    duration_ms=st.integers(0, 5 * YEAR_MS // 100),
    rate=st.integers(1, 100 * MICRO),
)
def test_a_charge_is_the_exact_product_rounded_down(gpus: int, duration_ms: int, rate: int) -> None:
    charged = charge_micro(np.array([gpus]), np.array([duration_ms]), np.array([rate]))
    assert int(charged[0]) == gpus * duration_ms * rate // HOUR_MS


def test_a_big_gang_for_a_month_does_not_overflow() -> None:
    charged = charge_micro(np.array([16_384]), np.array([30 * DAY_MS]), np.array([3 * MICRO]))
    assert int(charged[0]) == 16_384 * 720 * 3 * MICRO


def test_hardware_is_written_off_from_the_day_it_is_ready() -> None:
    start, end = 0, YEAR_MS
    whole, late, never = (MICRO, 0), (MICRO, YEAR_MS // 2), (MICRO, 2 * YEAR_MS)
    assert capex_share_micro([whole], start, end, 4) == MICRO // 4
    assert capex_share_micro([late], start, end, 4) == MICRO // 8
    assert capex_share_micro([never], start, end, 4) == 0


def test_hardware_past_its_life_costs_nothing_more() -> None:
    assert capex_share_micro([(MICRO, 0)], 5 * YEAR_MS, 6 * YEAR_MS, 4) == 0


def test_margin_is_what_is_left() -> None:
    assert Statement("USD", 100, 30, 50).margin_micro == 20
    assert Statement("USD", 10, 30, 50).margin_micro == -70


def test_money_is_changed_at_the_stated_rate() -> None:
    assert convert_micro(2 * MICRO, 1.366) == 2_732_000
