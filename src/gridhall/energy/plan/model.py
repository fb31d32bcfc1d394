"""The look-ahead plan as a linear program, in MW, MWh and whole units of the currency.

For each site and step: import from the grid, the work of each slowable class, the cumulative energy of deferrable work,
the site's part of movable work, and the battery. A deadline is a lower bound on a cumulative energy, an arrival an
upper one, so that windows cost no rows of their own.

    import - PUE x work - charge + discharge = PUE x rigid work
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridhall.energy.plan.inputs import NO_TARGET, Battery, Deferrable, Grid, Movable, PlanInputs, PlanSite, Slowable
from gridhall.energy.plan.program import Draft, Program, Term
from gridhall.units import MICRO

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MINUTES = 60
INFINITE = float("inf")


@dataclass(frozen=True)
class SiteColumns:
    """Where a site's variables stand in the program: `work` power terms, cumulative `deferred`, `moved` by group."""

    drawn: Ints
    slowed: tuple[Ints, ...]
    deferred: tuple[Ints, ...]
    moved: tuple[Ints | None, ...]
    charge: Ints | None
    discharge: Ints | None
    held: Ints | None
    balance: Ints


@dataclass(frozen=True)
class Model:
    """The program and where everything stands in it."""

    program: Program
    sites: tuple[SiteColumns, ...]


def model_of(inputs: PlanInputs) -> Model:
    """The linear program of a plan."""
    draft = Draft()
    groups = [_movable(draft, inputs, group) for group in inputs.movable]
    sites = tuple(
        _site(draft, inputs, site, [group.get(number) for group in groups]) for number, site in enumerate(inputs.sites)
    )
    return Model(draft.program(), sites)


def _movable(draft: Draft, inputs: PlanInputs, group: Movable) -> dict[int, Ints]:
    """Power of a movable group at each of its allowed sites, by site; nowhere else is there a variable."""
    grid, work = inputs.grid, group.work
    steps = grid.steps
    done = draft.columns(steps, _due_mwh(grid, work), work.arrived_wh / MICRO, _worth_done(work))
    parts = {site: draft.columns(steps, 0.0, work.most_w / MICRO, 0.0) for site in group.allowed}
    terms: list[Term] = [(part, -grid.hours) for part in parts.values()]
    draft.rows(steps, 0.0, 0.0, (done, 1.0), (done[:-1], -1.0), *terms)
    if len(parts) > 1:
        draft.rows(steps, 0.0, work.most_w / MICRO, *((part, 1.0) for part in parts.values()))
    return parts


def _site(draft: Draft, inputs: PlanInputs, site: PlanSite, moved: Sequence[Ints | None]) -> SiteColumns:
    grid = inputs.grid
    cost = site.cost_micro_mwh(inputs.carbon_micro_t) / MICRO * grid.hours
    drawn = draft.columns(grid.steps, 0.0, site.limit_w / MICRO, cost)
    slowed = tuple(_slowable(draft, grid, tier) for tier in site.slowable)
    deferred = tuple(_deferrable(draft, grid, work) for work in site.deferrable)
    work = _work_terms(grid, slowed, deferred, moved)
    charge, discharge, held = _battery(draft, grid, site.battery) if site.battery else (None, None, None)
    stored: list[Term] = [(charge, -1.0)] if charge is not None else []
    stored += [(discharge, 1.0)] if discharge is not None else []
    pue = site.pue_milli / 1000
    rigid = site.rigid_w / MICRO
    at_meter: list[Term] = [(columns, -pue * factor) for columns, factor in work]
    balance = draft.rows(grid.steps, pue * rigid, pue * rigid, (drawn, 1.0), *at_meter, *stored)
    draft.rows(grid.steps, -INFINITE, site.capacity_w / MICRO - rigid, *work)
    _bounds_of_draw(draft, grid, site, drawn)
    return SiteColumns(drawn, slowed, deferred, tuple(moved), charge, discharge, held, balance)


def _slowable(draft: Draft, grid: Grid, tier: Slowable) -> Ints:
    """Power of a slowdown tier between its slowest pace and what it wants, each MWh worth its price."""
    least_w = tier.demand_w * (1000 - tier.most_shed_milli) / 1000
    worth = -tier.lost_micro_mwh / MICRO * grid.hours
    return draft.columns(grid.steps, least_w / MICRO, tier.demand_w / MICRO, worth)


def _deferrable(draft: Draft, grid: Grid, work: Deferrable) -> Ints:
    """Cumulative energy of deferrable work; its rise in a step is bounded by its most power."""
    done = draft.columns(grid.steps, _due_mwh(grid, work), work.arrived_wh / MICRO, _worth_done(work))
    draft.rows(grid.steps, 0.0, work.most_w / MICRO * grid.hours, (done, 1.0), (done[:-1], -1.0))
    return done


def _due_mwh(grid: Grid, work: Deferrable) -> Floats:
    """What is due, as far as the work's own most power allows: a lost cause is finished as early as can be."""
    return np.minimum(work.due_wh, work.reach_wh(grid)) / MICRO


def _worth_done(work: Deferrable) -> Floats:
    """Work done by the last edge need not be paid for later; before it only deadlines count."""
    cost = np.zeros(len(work.due_wh))
    cost[-1] = -work.later_micro_mwh / MICRO
    return cost


def _work_terms(
    grid: Grid, slowed: Sequence[Ints], deferred: Sequence[Ints], moved: Sequence[Ints | None]
) -> list[Term]:
    """The power of all work of a site that can be planned, as terms of a row for each step."""
    terms: list[Term] = [(columns, 1.0) for columns in slowed]
    for done in deferred:
        terms += [(done, 1 / grid.hours), (done[:-1], -1 / grid.hours)]
    return terms + [(part, 1.0) for part in moved if part is not None]


def _battery(draft: Draft, grid: Grid, battery: Battery) -> tuple[Ints, Ints, Ints]:
    power, energy = battery.power_w / MICRO, battery.energy_wh / MICRO
    charge = draft.columns(grid.steps, 0.0, power, 0.0)
    discharge = draft.columns(grid.steps, 0.0, power, battery.wear_micro_mwh / MICRO * grid.hours)
    least = np.zeros(grid.steps)
    least[-1] = battery.end_wh / MICRO
    held = draft.columns(grid.steps, least, energy, 0.0)
    start = np.zeros(grid.steps)
    start[0] = battery.held_wh / MICRO
    gain, drain = battery.charge_milli / 1000, 1000 / battery.discharge_milli
    terms: list[Term] = [(held, 1.0), (held[:-1], -1.0), (charge, -gain * grid.hours), (discharge, drain * grid.hours)]
    draft.rows(grid.steps, start, start, *terms)
    return charge, discharge, held


def _bounds_of_draw(draft: Draft, grid: Grid, site: PlanSite, drawn: Ints) -> None:
    """Ramp, peak and load target."""
    if site.ramp_w_min:
        most = site.ramp_w_min / MICRO * MINUTES * grid.hours[1:]
        draft.rows(grid.steps - 1, -most, most, (drawn[1:], 1.0), (drawn[:-1], -1.0))
    if site.peak_micro_mw:
        peak = draft.columns(1, site.peak_w / MICRO, INFINITE, site.peak_micro_mw / MICRO)
        draft.rows(grid.steps, -INFINITE, 0.0, (drawn, 1.0), (np.repeat(peak, grid.steps), -1.0))
    if site.target_w is not None:
        at = np.flatnonzero(site.target_w != NO_TARGET)
        missed = draft.columns(len(at), 0.0, INFINITE, site.miss_micro_mwh / MICRO * grid.hours[at])
        draft.rows(len(at), -INFINITE, site.target_w[at] / MICRO, (drawn[at], 1.0), (missed, -1.0))
