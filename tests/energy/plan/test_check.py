"""What cannot be planned is refused with the nearest value that can."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gridhall.energy.plan import Grid, Movable, PlanInputs, Slowable, plan
from gridhall.errors import InputError
from gridhall.units import MICRO
from tests.energy.plan.cases import BATTERY, MW, batch, flat, inputs, site

FLAT = [50.0] * 24


def told(given: PlanInputs) -> str:
    with pytest.raises(InputError) as caught:
        plan(given)
    return str(caught.value)


def test_a_limit_below_the_floor_is_refused_with_the_floor() -> None:
    tier = Slowable(flat(4 * MW, 24), 250, MICRO)
    limit = flat(10 * MW, 24)
    limit[5] = 6 * MW
    message = told(inputs(site(FLAT, limit_w=limit, slowable=(tier,), pue_milli=1300)))
    assert "6000000 W from 1970-01-01T05:00:00Z lies below the site's floor" in message
    assert "the least that can be promised is 6500000 W" in message


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"price_micro_mwh": flat(1, 23)}, "has not 24 values"),
        ({"capacity_w": flat(MW, 24)}, "capacity_w"),
        ({"battery": replace(BATTERY, held_wh=9 * MW)}, "holds 9000000 Wh"),
        ({"battery": replace(BATTERY, charge_milli=0)}, "efficiency"),
        ({"deferrable": (replace(batch(24, MW, 3), arrived_wh=flat(0, 24)),)}, "due before it arrives"),
        ({"deferrable": (replace(batch(24, MW, 3), due_wh=np.arange(24)[::-1].copy()),)}, "cumulative series falls"),
        ({"deferrable": (batch(23, MW, 3),)}, "has not 24 values"),
    ],
)
def test_a_wrong_site_is_refused(changes: dict[str, Any], problem: str) -> None:
    assert problem in told(inputs(site(FLAT, **changes)))


@pytest.mark.parametrize("allowed", [(), (0, 0), (1,), (-1,)])
def test_movable_work_must_name_sites_that_exist(allowed: tuple[int, ...]) -> None:
    assert "do not exist" in told(inputs(site(FLAT), movable=(Movable(batch(24, MW, 3), allowed),)))


def test_steps_must_rise() -> None:
    given = inputs(site(FLAT))
    assert "do not rise" in told(replace(given, grid=Grid(given.grid.edges_ms[::-1].copy())))
