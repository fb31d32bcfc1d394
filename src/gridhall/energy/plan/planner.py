"""Inputs in, plan out: by the solver where it answers in time, else greedily."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gridhall.energy.plan.check import check
from gridhall.energy.plan.coarse import MERGED, coarse, laid_over
from gridhall.energy.plan.greedy import greedy_plan, whole
from gridhall.energy.plan.inputs import Grid, PlanInputs, PlanSite
from gridhall.energy.plan.model import Model, SiteColumns, model_of
from gridhall.energy.plan.result import Plan, SitePlan, by_hour
from gridhall.energy.plan.solver import Basis, NoSolution, Solution, solve
from gridhall.units import MICRO

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LIMIT_S = 10.0
MANY_STEPS = 288
"""From so many steps on a coarse plan is solved first: below, it costs more than it saves."""


def plan(inputs: PlanInputs, limit_s: float = LIMIT_S) -> Plan:
    """The look-ahead plan. Raises InputError for inputs that cannot be planned.

    Each run of the solver may take `limit_s` seconds; without its answer the plan is `made_by` "greedy".
    """
    check(inputs)
    try:
        model, solution = _solved(inputs, limit_s)
    except NoSolution as error:
        return greedy_plan(inputs, str(error))
    sites = tuple(
        _site_plan(inputs.grid, site, columns, solution)
        for site, columns in zip(inputs.sites, model.sites, strict=True)
    )
    return Plan(inputs.grid, sites, "lp", "", round(_late_wh(inputs)))


def _late_wh(inputs: PlanInputs) -> float:
    """Work that its own most power makes late; the program holds every other deadline."""
    deferrable = [work for site in inputs.sites for work in site.deferrable]
    return sum(work.late_wh(inputs.grid) for work in [*deferrable, *(group.work for group in inputs.movable)])


def _solved(inputs: PlanInputs, limit_s: float) -> tuple[Model, Solution]:
    model = model_of(inputs)
    return model, solve(model.program, limit_s, _start(inputs, model, limit_s))


def _start(inputs: PlanInputs, model: Model, limit_s: float) -> Basis | None:
    """Where the solver may begin: at a coarse plan, if there is one and it saves more than it costs."""
    if inputs.grid.steps < MANY_STEPS or inputs.grid.steps % MERGED:
        return None
    first = model_of(coarse(inputs)).program
    try:
        return laid_over(solve(first, limit_s).basis, first, model.program)
    except NoSolution:
        return None


def _site_plan(grid: Grid, site: PlanSite, columns: SiteColumns, solution: Solution) -> SitePlan:
    values = solution.values * MICRO
    zero = np.zeros(grid.steps)
    slowed = [values[tier] for tier in columns.slowed]
    deferred = [np.diff(values[done], prepend=0.0) / grid.hours for done in columns.deferred]
    moved = [zero if part is None else values[part] for part in columns.moved]
    stored = zero if columns.charge is None else values[columns.charge] - values[columns.discharge]
    return SitePlan(
        name=site.name,
        draw_w=np.rint(values[columns.drawn]).astype(np.int64),
        flexible_w=whole([_sum([*slowed, *deferred, *moved], grid.steps)], grid.steps)[0],
        slowed_w=whole(slowed, grid.steps),
        deferred_w=whole(deferred, grid.steps),
        moved_w=whole(moved, grid.steps),
        battery_w=np.rint(stored).astype(np.int64),
        placing_micro_mwh=_placing(grid, site, solution.shadow[columns.balance]),
    )


def _placing(grid: Grid, site: PlanSite, shadow: Floats) -> Ints:
    """What one more MWh of work at the site would cost in each hour: power, carbon, peak and what it pushes aside."""
    return by_hour(grid, shadow * MICRO * site.pue_milli / 1000 / grid.hours)


def _sum(parts: Sequence[Floats], steps: int) -> Floats:
    return np.sum(parts, axis=0) if parts else np.zeros(steps)
