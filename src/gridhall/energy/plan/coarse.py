"""A fine plan found from a coarse one: some steps merged, solved quickly, and its basis laid over the fine program.

Prices hold for a half-hour or an hour, so most of a fine plan repeats the coarse one; the solver then has little left
to do. The optimum is that of the fine program, whatever the start.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gridhall.energy.plan.inputs import NO_TARGET, Deferrable, Grid, Movable, PlanInputs, PlanSite
from gridhall.energy.plan.program import Program
from gridhall.energy.plan.solver import AT_LOWER, BASIC, Basis

Ints = NDArray[np.int64]

MERGED = 6
"""Five-minute steps in a half-hour."""


def coarse(inputs: PlanInputs) -> PlanInputs:
    """The same plan over steps six times as long; their number must be a multiple of six."""
    grid = Grid(inputs.grid.edges_ms[::MERGED])
    movable = tuple(Movable(_deferrable(group.work), group.allowed) for group in inputs.movable)
    return replace(inputs, grid=grid, sites=tuple(_site(site) for site in inputs.sites), movable=movable)


def _site(site: PlanSite) -> PlanSite:
    return replace(
        site,
        price_micro_mwh=_mean(site.price_micro_mwh),
        carbon_ug_kwh=_mean(site.carbon_ug_kwh),
        limit_w=_mean(site.limit_w),
        capacity_w=_mean(site.capacity_w),
        rigid_w=_mean(site.rigid_w),
        slowable=tuple(replace(tier, demand_w=_mean(tier.demand_w)) for tier in site.slowable),
        deferrable=tuple(_deferrable(work) for work in site.deferrable),
        target_w=None if site.target_w is None else _strictest(site.target_w),
    )


def _deferrable(work: Deferrable) -> Deferrable:
    arrived_wh, due_wh = _last(work.arrived_wh), _last(work.due_wh)
    return replace(work, arrived_wh=arrived_wh, due_wh=due_wh, most_w=_mean(work.most_w))


def _mean(values: Ints) -> Ints:
    return values.reshape(-1, MERGED).sum(axis=1) // MERGED


def _last(values: Ints) -> Ints:
    return values[MERGED - 1 :: MERGED]


def _strictest(target_w: Ints) -> Ints:
    none = np.iinfo(np.int64).max
    least = np.where(target_w == NO_TARGET, none, target_w).reshape(-1, MERGED).min(axis=1)
    return np.where(least == none, NO_TARGET, least)


def laid_over(basis: Basis, coarse: Program, fine: Program) -> Basis:
    """The coarse program's basis as a start for the fine one."""
    columns = _laid(basis.columns, coarse.column_blocks, fine.column_blocks, AT_LOWER)
    rows = _laid(basis.rows, coarse.row_blocks, fine.row_blocks, BASIC)
    return Basis(columns, rows)


def _laid(status: Ints, coarse: Sequence[Ints], fine: Sequence[Ints], otherwise: int) -> Ints:
    return np.concatenate([_block(status[old], len(new), otherwise) for old, new in zip(coarse, fine, strict=True)])


def _block(status: Ints, count: int, otherwise: int) -> Ints:
    """One block: as it is, repeated, or, of differences between steps, at the borders of the long steps."""
    if len(status) == count:
        return status
    if len(status) * MERGED == count:
        return np.repeat(status, MERGED)
    block = np.full(count, otherwise, dtype=np.int64)
    if (len(status) + 1) * MERGED - 1 == count:
        block[MERGED - 1 :: MERGED] = status
    return block
