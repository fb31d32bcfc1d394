"""What cannot be planned is refused before the solver sees it, with the nearest value that can be."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gridhall.energy.plan.inputs import Battery, Deferrable, Grid, PlanInputs, PlanSite
from gridhall.errors import Fault, InputError
from gridhall.units import iso_utc

Ints = NDArray[np.int64]


def check(inputs: PlanInputs) -> None:
    """Raises InputError with every fault of the inputs."""
    faults = [*_grid(inputs.grid)]
    if not faults:
        faults += [fault for site in inputs.sites for fault in _site(inputs.grid, site)]
        faults += [fault for number in range(len(inputs.movable)) for fault in _movable(inputs, number)]
    if faults:
        raise InputError(faults)


def _grid(grid: Grid) -> Iterator[Fault]:
    if grid.steps < 2 or (np.diff(grid.edges_ms) <= 0).any():
        yield Fault("plan", "edges_ms", "the steps do not rise", "give at least three instants in order of time")


def _site(grid: Grid, site: PlanSite) -> Iterator[Fault]:
    arrays = [site.price_micro_mwh, site.carbon_ug_kwh, site.limit_w, site.capacity_w, site.rigid_w]
    arrays += [tier.demand_w for tier in site.slowable]
    arrays += [site.target_w] if site.target_w is not None else []
    if any(len(values) != grid.steps for values in arrays):
        yield Fault(site.name, "", f"a series has not {grid.steps} values", "give one value for each step")
        return
    yield from _floor(grid, site)
    for number, work in enumerate(site.deferrable):
        yield from _work(grid, site.name, f"deferrable[{number}]", work)
    if site.battery:
        yield from _battery(site.name, site.battery)


def _floor(grid: Grid, site: PlanSite) -> Iterator[Fault]:
    """A limit below what rigid work and the slowest pace of running work draw cannot be kept."""
    least_w = site.rigid_w + sum((tier.demand_w * (1000 - tier.most_shed_milli) // 1000 for tier in site.slowable), 0)
    for field, limit_w, floor_w in (
        ("limit_w", site.limit_w, least_w * site.pue_milli // 1000),
        ("capacity_w", site.capacity_w, least_w),
    ):
        low = np.flatnonzero(limit_w < floor_w)
        if len(low):
            step = int(low[0])
            problem = f"{limit_w[step]} W from {iso_utc(int(grid.edges_ms[step]))} lies below the site's floor"
            yield Fault(site.name, field, problem, f"the least that can be promised is {floor_w[step]} W")


def _work(grid: Grid, where: str, field: str, work: Deferrable) -> Iterator[Fault]:
    if any(len(values) != grid.steps for values in (work.arrived_wh, work.due_wh, work.most_w)):
        yield Fault(where, field, f"a series has not {grid.steps} values", "give one value for each step")
    elif (np.diff(work.arrived_wh) < 0).any() or (np.diff(work.due_wh) < 0).any():
        yield Fault(where, field, "a cumulative series falls", "give energy summed from the first step on")
    elif (work.due_wh > work.arrived_wh).any():
        yield Fault(where, field, "work is due before it arrives", "move its deadline behind its arrival")


def _movable(inputs: PlanInputs, number: int) -> Iterator[Fault]:
    group, field = inputs.movable[number], f"movable[{number}]"
    yield from _work(inputs.grid, "plan", field, group.work)
    if not group.allowed or not _known(group.allowed, len(inputs.sites)):
        problem, last = f"allowed sites {group.allowed} do not exist", len(inputs.sites) - 1
        yield Fault("plan", field, problem, f"name different sites from 0 to {last}, at least one")


def _known(sites: Sequence[int], count: int) -> bool:
    return len(set(sites)) == len(sites) and all(0 <= site < count for site in sites)


def _battery(where: str, battery: Battery) -> Iterator[Fault]:
    if not 0 <= battery.held_wh <= battery.energy_wh or not 0 <= battery.end_wh <= battery.energy_wh:
        problem = f"holds {battery.held_wh} Wh, to end with {battery.end_wh} Wh, of {battery.energy_wh} Wh"
        yield Fault(where, "battery", problem, f"give values from 0 to {battery.energy_wh}")
    if not 0 < battery.charge_milli <= 1000 or not 0 < battery.discharge_milli <= 1000:
        yield Fault(where, "battery", "an efficiency is not within 1..1000 per mille", "give per mille, such as 950")
