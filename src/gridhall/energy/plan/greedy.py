"""The plan without a solver: site by site, cheap hours first, deadlines always before price.

Running work goes at full pace where there is room, else the least valuable is slowed first. Deferrable work runs in the
cheapest share of the hours that it needs, and earlier when its deadline would otherwise be missed. Movable work goes to
the cheapest of its allowed sites. Batteries rest; ramps and peaks are left to dispatch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridhall.energy.plan.inputs import NO_TARGET, Deferrable, Grid, Movable, PlanInputs, PlanSite
from gridhall.energy.plan.result import Plan, SitePlan, by_hour

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass
class _Room:
    """One site while it is being filled: what is left of its IT power, and what has been given out of it."""

    left_w: Floats
    cost: Floats
    slowed_w: list[Floats]
    deferred_w: list[Floats]
    moved_w: list[Floats]


def greedy_plan(inputs: PlanInputs, reason: str) -> Plan:
    """A plan that keeps limits and, where the room allows it at all, deadlines; `reason` says why it was needed."""
    rooms = [_room(inputs, site) for site in inputs.sites]
    late = 0.0
    for site, room in zip(inputs.sites, rooms, strict=True):
        for work in site.deferrable:
            run_w, missed = _paced(inputs.grid, work, room.left_w, room.cost)
            room.left_w = room.left_w - run_w
            room.deferred_w.append(run_w)
            late += missed
    for group in inputs.movable:
        late += _move(inputs.grid, group, rooms)
    plans = tuple(_site_plan(inputs, site, room) for site, room in zip(inputs.sites, rooms, strict=True))
    return Plan(inputs.grid, plans, "greedy", reason, round(late))


def _room(inputs: PlanInputs, site: PlanSite) -> _Room:
    """The site after its running work, slowed where a limit or target asks for it."""
    pue = site.pue_milli / 1000
    limit_w = site.limit_w
    if site.target_w is not None:
        limit_w = np.where(site.target_w == NO_TARGET, limit_w, np.minimum(limit_w, site.target_w))
    left_w = np.minimum(site.capacity_w, limit_w / pue) - site.rigid_w
    run_w = [tier.demand_w * (1000 - tier.most_shed_milli) / 1000 for tier in site.slowable]
    left_w = np.maximum(left_w - sum(run_w), 0.0)
    for number in sorted(range(len(run_w)), key=lambda tier: -site.slowable[tier].lost_micro_mwh):
        more_w = np.minimum(site.slowable[number].demand_w - run_w[number], left_w)
        run_w[number] = run_w[number] + more_w
        left_w = left_w - more_w
    cost = np.asarray(site.cost_micro_mwh(inputs.carbon_micro_t) * pue, dtype=np.float64)
    return _Room(left_w, cost, run_w, [], [])


def _paced(grid: Grid, work: Deferrable, left_w: Floats, cost: Floats) -> tuple[Floats, float]:
    """Power of deferrable work in each step, and the energy that is late at worst."""
    most_wh = np.minimum(left_w, work.most_w) * grid.hours
    needed_wh = _latest(work.due_wh, most_wh)
    cheap = cost <= _threshold(cost, most_wh, float(work.arrived_wh[-1]))
    done, late = 0.0, 0.0
    run_wh = np.zeros(grid.steps)
    for step in range(grid.steps):
        waiting = max(0.0, work.arrived_wh[step] - done)
        wanted = waiting if cheap[step] else max(0.0, needed_wh[step] - done)
        run_wh[step] = min(wanted, waiting, most_wh[step])
        done += run_wh[step]
        late = max(late, work.due_wh[step] - done)
    return run_wh / grid.hours, late


def _latest(due_wh: Ints, most_wh: Floats) -> Floats:
    """The least that must be done by the end of each step so that every later deadline can still be met."""
    needed = due_wh.astype(np.float64)
    for step in range(len(needed) - 2, -1, -1):
        needed[step] = max(needed[step], needed[step + 1] - most_wh[step + 1])
    return needed


def _threshold(cost: Floats, most_wh: Floats, energy_wh: float) -> float:
    """The cost up to which the cheapest steps hold the energy."""
    order = np.argsort(cost, kind="stable")
    enough = int(np.searchsorted(np.cumsum(most_wh[order]), energy_wh))
    return float(cost[order[min(enough, len(order) - 1)]])


def _move(grid: Grid, group: Movable, rooms: Sequence[_Room]) -> float:
    """Paces a movable group over the room of its sites and fills the cheapest first; gives the energy late at worst."""
    sites = [rooms[site] for site in group.allowed]
    left_w, cost = (np.array(values) for values in ([room.left_w for room in sites], [room.cost for room in sites]))
    total_w, late = _paced(grid, group.work, left_w.sum(axis=0), cost.min(axis=0))
    given = _cheapest_first(total_w, left_w, cost)
    for room, part_w in zip(sites, given, strict=True):
        room.left_w = room.left_w - part_w
    moved = dict(zip(group.allowed, given, strict=True))
    for number, room in enumerate(rooms):
        room.moved_w.append(moved.get(number, np.zeros(grid.steps)))
    return late


def _cheapest_first(total_w: Floats, left_w: Floats, cost: Floats) -> Floats:
    """The power shared over sites (rows), in each step the cheapest first."""
    steps = np.arange(len(total_w))
    given = np.zeros_like(left_w)
    for place in np.argsort(cost, axis=0, kind="stable"):
        part_w = np.minimum(left_w[place, steps], total_w)
        given[place, steps] = part_w
        total_w = total_w - part_w
    return given


def _site_plan(inputs: PlanInputs, site: PlanSite, room: _Room) -> SitePlan:
    steps = inputs.grid.steps
    slowed, deferred, moved = (whole(parts, steps) for parts in (room.slowed_w, room.deferred_w, room.moved_w))
    flexible_w = slowed.sum(axis=0) + deferred.sum(axis=0) + moved.sum(axis=0)
    return SitePlan(
        name=site.name,
        draw_w=(site.rigid_w + flexible_w) * site.pue_milli // 1000,
        flexible_w=flexible_w,
        slowed_w=slowed,
        deferred_w=deferred,
        moved_w=moved,
        battery_w=np.zeros(steps, np.int64),
        placing_micro_mwh=by_hour(inputs.grid, room.cost),
    )


def whole(parts: Sequence[Floats], steps: int) -> Ints:
    """Series of watts as one row of integers each."""
    stacked = np.array(parts, dtype=np.float64).reshape(len(parts), steps)
    return np.rint(stacked).astype(np.int64)
