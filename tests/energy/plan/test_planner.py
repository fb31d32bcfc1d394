"""What the plan decides, and what it never does."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridhall.energy.plan import NO_TARGET, Movable, Plan, PlanInputs, PlanSite, Slowable, plan
from gridhall.energy.plan.greedy import greedy_plan
from gridhall.units import MICRO
from tests.energy.plan.cases import BATTERY, MW, batch, energy_wh, flat, hours, inputs, site, wavy

DAY = [50.0] * 6 + [20.0] * 6 + [90.0] * 12


def test_work_that_can_wait_runs_in_the_cheapest_hours_before_its_deadline() -> None:
    made = plan(inputs(site(DAY, deferrable=(batch(24, 8 * MW, 23),))))
    assert made.made_by == "lp"
    run = made.sites[0].deferred_w[0]
    assert energy_wh(run[6:12], hours(6)) == pytest.approx(8 * MW, abs=100)


def test_a_deadline_outranks_the_price() -> None:
    run = plan(inputs(site(DAY, deferrable=(batch(24, 8 * MW, 3),)))).sites[0].deferred_w[0]
    assert energy_wh(run[:4], hours(4)) == pytest.approx(8 * MW, abs=100)


def test_negative_prices_are_sought() -> None:
    prices = [10.0] * 12 + [-30.0] + [10.0] * 11
    run = plan(inputs(site(prices, deferrable=(batch(24, 4 * MW, 23),)))).sites[0].deferred_w[0]
    assert run[12] == pytest.approx(4 * MW, abs=100)


def test_carbon_counts_at_its_price() -> None:
    dirty = flat(0, 24)
    dirty[:12] = 500 * MICRO
    work = site([10.0] * 12 + [20.0] * 12, carbon_ug_kwh=dirty, deferrable=(batch(24, 8 * MW, 23),))
    early = plan(inputs(work)).sites[0].deferred_w[0]
    late = plan(inputs(work, carbon_micro_t=80 * MICRO)).sites[0].deferred_w[0]
    assert energy_wh(early[:12], hours(12)) == pytest.approx(8 * MW, abs=100)
    assert energy_wh(late[12:], hours(12)) == pytest.approx(8 * MW, abs=100)


def test_what_is_left_at_the_end_is_weighed_against_its_later_cost() -> None:
    waiting = replace(batch(24, 8 * MW, 23), due_wh=flat(0, 24))
    put_off = plan(inputs(site(DAY, deferrable=(waiting,)))).sites[0].deferred_w[0]
    weighed = plan(inputs(site(DAY, deferrable=(replace(waiting, later_micro_mwh=30 * MICRO),)))).sites[0].deferred_w[0]
    assert put_off.sum() == 0
    assert energy_wh(weighed[6:12], hours(6)) == pytest.approx(8 * MW, abs=100)


def test_work_is_slowed_when_power_costs_more_than_it_is_worth() -> None:
    tier = Slowable(flat(4 * MW, 24), most_shed_milli=250, lost_micro_mwh=80 * MICRO)
    run = plan(inputs(site(DAY, slowable=(tier,)))).sites[0].slowed_w[0]
    assert run[:12].tolist() == [4 * MW] * 12
    assert run[12:].tolist() == [3 * MW] * 12


def test_a_battery_buys_cheap_and_gives_dear_within_its_means() -> None:
    made = plan(inputs(site(DAY, battery=BATTERY))).sites[0].battery_w
    assert made[6:12].sum() > 0 > made[12:].sum()
    held = BATTERY.held_wh + np.cumsum(np.where(made > 0, made * 0.95, made / 0.95))
    assert held.min() >= -100
    assert held.max() <= BATTERY.energy_wh + 100
    assert held[-1] >= BATTERY.end_wh - 100
    assert np.abs(made).max() <= BATTERY.power_w


def test_movable_work_goes_to_the_cheapest_allowed_site_and_nowhere_else() -> None:
    sites = [site([price] * 24, name=name) for price, name in ((90.0, "a"), (40.0, "b"), (5.0, "forbidden"))]
    work = Movable(batch(24, 30 * MW, 23), allowed=(0, 1))
    made = plan(inputs(*sites, movable=(work,)))
    energies = [energy_wh(each.moved_w[0], made.grid) for each in made.sites]
    assert energies == pytest.approx([0, 30 * MW, 0], abs=100)


def test_a_target_is_met_with_the_battery_and_the_least_valuable_work_first() -> None:
    target = flat(NO_TARGET, 24)
    target[10:14] = 7 * MW
    cheap, dear = (Slowable(flat(4 * MW, 24), 500, worth * MICRO) for worth in (100, 300))
    made = plan(inputs(site([50.0] * 24, slowable=(cheap, dear), target_w=target))).sites[0]
    assert made.draw_w[10:14].max() <= 7 * MW
    assert made.slowed_w[0][10:14].tolist() == [2 * MW] * 4
    assert made.slowed_w[1][10:14].tolist() == [3 * MW] * 4
    assert made.draw_w[9] == 10 * MW


def test_the_draw_keeps_its_ramp() -> None:
    work = site(DAY, deferrable=(batch(24, 40 * MW, 23),), ramp_w_min=20_000)
    draw = plan(inputs(work)).sites[0].draw_w
    assert np.abs(np.diff(draw)).max() <= 20_000 * 60 + 1


def test_a_peak_is_avoided_when_it_costs_more_than_waiting() -> None:
    work = site(DAY, deferrable=(batch(24, 16 * MW, 23),), peak_micro_mw=10_000 * MICRO)
    assert plan(inputs(work)).sites[0].draw_w.max() == pytest.approx(2 * MW + 16 * MW / 24, abs=100)


def test_the_placing_price_is_what_one_more_megawatt_hour_would_cost() -> None:
    made = plan(inputs(site(DAY, pue_milli=1250)))
    assert made.sites[0].placing_micro_mwh.tolist() == [round(price * 1.25 * MICRO) for price in DAY]


def test_a_full_site_is_priced_by_what_it_would_push_aside() -> None:
    tier = Slowable(flat(8 * MW, 24), 500, 400 * MICRO)
    made = plan(inputs(site(DAY, slowable=(tier,))))
    assert made.sites[0].placing_micro_mwh.tolist() == pytest.approx([400 * MICRO] * 24)


def cost_of(made: Plan, given: PlanInputs) -> float:
    pairs = zip(made.sites, given.sites, strict=True)
    return sum(float((each.draw_w * made.grid.hours * of.price_micro_mwh).sum()) / 1e12 for each, of in pairs)


def test_a_fine_plan_begun_from_a_coarse_one_costs_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    given_ = wavy(288, 7)
    begun = plan(given_)
    monkeypatch.setattr("gridhall.energy.plan.planner.MANY_STEPS", 10_000)
    cold = plan(given_)
    assert begun.made_by == cold.made_by == "lp"
    assert cost_of(begun, given_) == pytest.approx(cost_of(cold, given_), rel=1e-3)


def test_the_same_inputs_give_the_same_plan() -> None:
    first, second = plan(wavy(288, 3)), plan(wavy(288, 3))
    assert all((a.draw_w == b.draw_w).all() for a, b in zip(first.sites, second.sites, strict=True))


@st.composite
def any_inputs(draw: st.DrawFn) -> PlanInputs:
    """Two or three sites over 16 hours with room for all their work in principle."""
    steps = 16
    sites: list[PlanSite] = []
    for number in range(draw(st.integers(2, 3))):
        prices = draw(st.lists(st.floats(-50, 300), min_size=steps, max_size=steps))
        waiting = draw(st.integers(0, 6)) * MW
        tier = Slowable(
            flat(draw(st.integers(0, 3)) * MW, steps), draw(st.sampled_from([0, 100, 250, 500])), 120 * MICRO
        )
        work = batch(steps, waiting, draw(st.integers(2, steps - 1)), 2 * MW)
        battery = BATTERY if draw(st.booleans()) else None
        sites.append(site(prices, name=str(number), slowable=(tier,), deferrable=(work,), battery=battery))
    moved = Movable(batch(steps, draw(st.integers(0, 4)) * MW, steps - 1, 2 * MW), (0, 1))
    return inputs(*sites, movable=(moved,), carbon_micro_t=80 * MICRO)


@settings(max_examples=40, deadline=None)
@given(any_inputs(), st.booleans())
def test_every_plan_keeps_limits_deadlines_floors_and_allowed_sites(given_: PlanInputs, by_solver: bool) -> None:
    made = plan(given_) if by_solver else greedy_plan(given_, "asked for")
    assert made.late_wh == 0
    for number, (each, of) in enumerate(zip(made.sites, given_.sites, strict=True)):
        assert (each.draw_w <= of.limit_w).all()
        assert (of.rigid_w + each.flexible_w <= of.capacity_w + 1).all()
        tier, work = of.slowable[0], of.deferrable[0]
        assert (each.slowed_w[0] >= tier.demand_w * (1000 - tier.most_shed_milli) // 1000 - 1).all()
        assert (each.slowed_w[0] <= tier.demand_w + 1).all()
        assert (np.cumsum(each.deferred_w[0]) >= work.due_wh - 100).all()
        assert (np.cumsum(each.deferred_w[0]) <= work.arrived_wh + 100).all()
        assert number in given_.movable[0].allowed or (each.moved_w == 0).all()
    moved = np.cumsum(sum(each.moved_w[0] for each in made.sites))
    assert (moved >= given_.movable[0].work.due_wh - 100).all()
