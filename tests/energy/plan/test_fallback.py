"""Without the solver's answer there is still a plan, and it says so."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from gridhall.energy.plan import NO_TARGET, Movable, PlanInputs, Slowable, plan
from gridhall.energy.plan.program import Program
from gridhall.energy.plan.solver import NoSolution
from gridhall.units import MICRO
from tests.energy.plan.cases import MW, batch, energy_wh, flat, hours, inputs, site, wavy

DAY = [50.0] * 6 + [20.0] * 6 + [90.0] * 12


def small() -> PlanInputs:
    return inputs(site(DAY, deferrable=(batch(24, 8 * MW, 23),)))


def test_a_failing_solver_gives_way_to_the_greedy_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: Program, __: float, ___: object = None) -> None:
        raise NoSolution("the solver stopped: numerical trouble")

    monkeypatch.setattr("gridhall.energy.plan.planner.solve", failing)
    made = plan(small())
    assert (made.made_by, made.reason) == ("greedy", "the solver stopped: numerical trouble")
    assert energy_wh(made.sites[0].deferred_w[0][6:12], hours(6)) == 8 * MW


def test_a_solver_that_takes_too_long_gives_way() -> None:
    made = plan(wavy(288, 1), limit_s=1e-6)
    assert made.made_by == "greedy"
    assert "time limit" in made.reason


def test_without_the_solver_installed_plans_are_greedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    made = plan(small())
    assert made.made_by == "greedy"
    assert "gridhall[energy]" in made.reason


def test_a_deadline_that_cannot_be_met_is_told_as_late_energy() -> None:
    made = plan(inputs(site(DAY, deferrable=(batch(24, 20 * MW, 3),))))
    assert made.made_by == "lp"
    assert made.late_wh == 4 * MW  # 4 MW for four hours of the 20 MWh
    assert made.sites[0].deferred_w[0].tolist() == [4 * MW] * 5 + [0] * 19


def test_deadlines_that_crowd_each_other_out_are_planned_greedily() -> None:
    work = batch(24, 20 * MW, 3, 6 * MW)
    made = plan(inputs(site(DAY, deferrable=(work, work))))
    assert made.made_by == "greedy"
    assert "infeasible" in made.reason
    assert made.late_wh == 8 * MW  # 8 MW of room for four hours of the 40 MWh


def test_greedy_slows_the_least_valuable_work_under_a_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    target = flat(NO_TARGET, 24)
    target[10:14] = 7 * MW
    cheap, dear = (Slowable(flat(4 * MW, 24), 500, worth * MICRO) for worth in (100, 300))
    made = plan(inputs(site([50.0] * 24, slowable=(cheap, dear), target_w=target))).sites[0]
    assert made.draw_w[10:14].tolist() == [7 * MW] * 4
    assert made.slowed_w[0][10:14].tolist() == [2 * MW] * 4
    assert made.slowed_w[1][10:14].tolist() == [3 * MW] * 4


def test_greedy_moves_work_to_the_cheapest_allowed_site_and_fills_it_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    sites = [site([price] * 24, name=str(price)) for price in (90.0, 40.0, 5.0)]
    work = replace(batch(24, 200 * MW, 23), most_w=flat(12 * MW, 24))
    made = plan(inputs(*sites, movable=(Movable(work, (0, 1)),)))
    moved = np.array([each.moved_w[0] for each in made.sites])
    assert made.late_wh == 0
    assert moved[1].max() == 8 * MW
    assert moved[2].max() == 0
    assert (moved[0][moved[1] < 8 * MW] == 0).all()
