"""Where and when should power be drawn over the next two days? The look-ahead plan.

`plan(inputs)` weighs price, carbon, work that can wait, move or slow down, batteries, peaks, ramps and load targets of
all sites at once, as a linear program, and hands the scheduler three things: a price for each site and hour at which to
place and start work, a virtual capacity curve (the most that flexible work may draw, site by site and step by step) and
a battery schedule. When the solver fails or takes too long, a greedy plan stands in and says so.

    inputs -> check -> model (program) -> coarse start -> solver -> result
                                          greedy      -> result

- `inputs` are integers, made from a site's state and from signals as known at the instant of planning; `windows` turns
  work that arrives evenly into arrivals and deadlines.
- `result.plan_rows` gives the plan as rows of integers, ready to enter the core as an event: a replay needs no solver.

A plan is advice: limits, allowances and targets are held by dispatch, whatever the plan says.
"""

from gridhall.energy.plan.check import check
from gridhall.energy.plan.inputs import (
    NO_TARGET,
    Battery,
    Deferrable,
    Grid,
    Movable,
    PlanInputs,
    PlanSite,
    Slowable,
)
from gridhall.energy.plan.planner import plan
from gridhall.energy.plan.result import BATTERY, CAPACITY, PRICE, Plan, SitePlan, plan_rows

__all__ = [
    "BATTERY",
    "CAPACITY",
    "NO_TARGET",
    "PRICE",
    "Battery",
    "Deferrable",
    "Grid",
    "Movable",
    "Plan",
    "PlanInputs",
    "PlanSite",
    "SitePlan",
    "Slowable",
    "check",
    "plan",
    "plan_rows",
]
