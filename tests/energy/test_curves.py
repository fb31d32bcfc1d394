"""Cap curves: their tables, their inverses, and where pausing gets cheaper than capping."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gridhall.energy.curves import (
    PESSIMISTIC_CURVE,
    CapCurve,
    CapEntry,
    between,
    break_even_cap_milli,
    cap_curve,
    least_reaching,
    shipped_curves,
)

CURVES = sorted(shipped_curves().caps)
V100 = cap_curve()


def test_the_default_curve_has_the_measured_knots() -> None:
    assert [V100.throughput_at(cap) for cap in (400, 600, 1000)] == [531, 842, 1000]
    assert [V100.draw_at(cap) for cap in (400, 600, 1000)] == [447, 646, 1000]
    assert V100.throughput_at(650) == (842 + 903) // 2
    assert V100.throughput_at(100) == 531


def test_every_curve_names_its_chip_and_an_existing_source() -> None:
    curves = shipped_curves()
    for entry in [*curves.caps.values(), *curves.inference.values()]:
        assert entry.chip
        assert entry.source in curves.sources
    assert curves.caps[PESSIMISTIC_CURVE].basis == "assumed"


def test_the_pessimistic_curve_loses_three_times_as_much() -> None:
    steep = cap_curve(PESSIMISTIC_CURVE)
    for cap in (600, 700, 800, 900):
        assert 1000 - steep.throughput_at(cap) == 3 * (1000 - V100.throughput_at(cap))


@given(st.sampled_from(CURVES), st.integers(300, 1000), st.integers(0, 1000))
def test_inverse_lookups_are_the_tightest(name: str, draw: int, throughput: int) -> None:
    curve = cap_curve(name)
    lowest = int(curve.cap_milli[0])
    cap = curve.cap_for_draw(draw)
    assert curve.draw_at(cap) <= draw or cap == lowest
    assert cap == 1000 or curve.draw_at(cap + 1) > draw
    slow = curve.cap_for_throughput(throughput)
    assert curve.throughput_at(slow) >= throughput
    assert slow == lowest or curve.throughput_at(slow - 1) < throughput


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), min_size=2, max_size=8), st.integers(-10, 500))
def test_a_line_through_points_rises_and_holds_its_ends(steps: list[tuple[int, int]], x: int) -> None:
    xs, ys = (np.cumsum(part) for part in np.array(steps, dtype=np.int64).T)
    assert between(xs, ys, x) <= between(xs, ys, x + 1)
    assert ys[0] <= between(xs, ys, x) <= ys[-1]
    assert [between(xs, ys, int(knot)) for knot in xs] == ys.tolist()
    assert [least_reaching(xs, ys, int(knot)) for knot in ys] == xs.tolist()


def test_the_marginal_loss_grows_as_the_cap_falls() -> None:
    losses = [V100.marginal_loss_milli(cap) for cap in (1000, 900, 800, 700, 600, 500)]
    assert losses[0] == (1000 - 978) * 1000 // (1000 - 931)
    assert losses == sorted(losses)


def test_pausing_gets_cheaper_near_0_62_of_the_power_limit_on_the_v100_curve() -> None:
    """The break-even is the knot at a cap of 0.60, where the GPU draws 0.646: the measured band is 0.60 to 0.65."""
    cap = break_even_cap_milli(V100)
    assert 600 <= cap <= 650
    assert 600 <= (cap + V100.draw_at(cap)) // 2 <= 650


def test_at_the_break_even_no_mix_of_caps_and_pauses_does_more_work() -> None:
    """A node of 8,400 W, of which 5,600 W GPUs: half of its draw is shed; capped to the break-even, some paused."""

    def node_w(cap: int) -> float:
        return 2800 + 5.6 * V100.draw_at(cap)

    def work(cap: int, budget_w: float) -> float:
        """Work of many nodes at a cap, as many paused as the budget asks for."""
        running = min(1.0, (budget_w - 2100) / (node_w(cap) - 2100))
        return running * V100.throughput_at(cap)

    best = max(work(cap, 4200) for cap in range(400, 1001))
    assert work(break_even_cap_milli(V100), 4200) > 0.999 * best


def test_steeper_losses_move_the_break_even_up() -> None:
    assert break_even_cap_milli(cap_curve(PESSIMISTIC_CURVE)) > break_even_cap_milli(V100)


def test_a_cap_slows_memory_bound_work_less() -> None:
    half = V100.memory_bound(500)
    assert V100.memory_bound(0).throughput_milli.tolist() == V100.throughput_milli.tolist()
    assert (half.throughput_milli[:-1] > V100.throughput_milli[:-1]).all()
    assert half.throughput_at(600) == round(1000 / (0.5 / 0.842 + 0.5) - 0.5)
    assert half.throughput_milli[-1] == 1000


def test_inference_draws_little_less_with_a_small_batch() -> None:
    curve = shipped_curves().inference["h100-llama-70b"].curve
    assert (curve.power_w(8), curve.power_w(1024)) == (441, 637)
    assert curve.rate(64) == 2511
    assert curve.batch_for(4915) == 256
    assert curve.rate(8) * 14 < curve.rate(1024)
    assert curve.power_w(36) == 470


def test_a_curve_that_falls_is_refused() -> None:
    entry = shipped_curves().caps["v100-training"].model_dump()
    with pytest.raises(ValidationError, match="rise and end at 1000"):
        CapEntry.model_validate(entry | {"throughput_milli": (531, 500, 842, 903, 942, 978, 1000)})


def test_a_curve_is_integers_that_a_kernel_can_hold() -> None:
    assert isinstance(V100, CapCurve)
    assert {each.dtype for each in (V100.cap_milli, V100.throughput_milli, V100.draw_milli)} == {np.dtype(np.int64)}
