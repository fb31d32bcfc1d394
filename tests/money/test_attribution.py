"""Energy and carbon: what the arithmetic says, and the same however an interval is cut."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridhall.money.attribution import SiteEnergy, Steps, attribute
from gridhall.money.intervals import UsageInterval, cut, weakest
from gridhall.units import HOUR_MS
from tests.money.samples import GANG, at, gang

NOON = at("2026-07-01 12:00")


def steps(*values: int, basis: str = "measured", start_ms: int = NOON) -> Steps:
    return Steps(start_ms, HOUR_MS // 2, np.array(values, dtype=np.int64), basis)  # pyright: ignore[reportArgumentType]


SITE = SiteEnergy(1_250, "measured", carbon=steps(100_000, 200_000))


def test_an_hour_of_declared_watts_with_the_sites_overhead() -> None:
    done = attribute(GANG, SITE)
    assert done.energy_mj == 6_000 * 1_250 * HOUR_MS // 1_000
    assert done.carbon_mg == round(7.5 * 150_000)


def test_each_figure_says_the_weakest_that_it_rests_on() -> None:
    done = attribute(GANG, SITE)
    assert (done.energy_basis, done.carbon_basis) == ("declared", "declared")
    assumed = SiteEnergy(1_250, "assumed", SITE.carbon)
    assert attribute(GANG, assumed).carbon_basis == "assumed"
    assert weakest("measured", "measured") == "measured"


def test_beyond_its_series_carbon_is_assumed_to_stay_as_it_was() -> None:
    late = attribute(gang("2026-07-01 13:00", "2026-07-01 14:00"), SITE)
    assert (late.carbon_mg, late.carbon_basis) == (1_500_000, "assumed")
    early = attribute(gang("2026-07-01 11:00", "2026-07-01 12:00"), SITE)
    assert (early.carbon_mg, early.carbon_basis) == (750_000, "assumed")


@given(
    length_ms=st.integers(2, 3 * HOUR_MS),
    draw_w=st.integers(0, 20_000_000),
    pue=st.integers(1_000, 2_000),
    values=st.lists(st.integers(0, 900_000), min_size=1, max_size=8),
    share=st.floats(0.01, 0.99),
)
def test_a_cut_changes_no_sum(length_ms: int, draw_w: int, pue: int, values: list[int], share: float) -> None:
    site = SiteEnergy(pue, "declared", steps(*values))
    whole = UsageInterval(
        7, 1, "o", "p", "s", "GB", "h100", "t", "allocated", NOON - 9, NOON + length_ms, 1, draw_w, "cut"
    )
    pieces = cut(whole, NOON + round(length_ms * share))
    done, parts = attribute(whole, site), [attribute(piece, site) for piece in pieces]
    assert sum(part.energy_mj for part in parts) == done.energy_mj
    assert sum(part.carbon_mg for part in parts) == done.carbon_mg
    assert sum(piece.gpu_milli_ms for piece in pieces) == whole.gpu_milli_ms


def test_a_cut_outside_an_interval_leaves_it_whole() -> None:
    done = attribute(GANG, SITE)
    assert cut(done, done.start_ms) == cut(done, done.end_ms) == [done]
