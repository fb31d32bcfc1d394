"""Fluid work as arrivals and deadlines: a steady stream of which each part may wait for the same time."""

import numpy as np

from gridhall.energy.plan.inputs import Deferrable, Grid
from gridhall.units import HOUR_MS


def steady(
    grid: Grid,
    since_ms: int,
    rate_w: int,
    window_ms: int,
    done_wh: int,
    most_w: int,
    end_ms: int,
    later_micro_mwh: int = 0,
) -> Deferrable:
    """Work arriving at `rate_w` from `since_ms` on, each part due `window_ms` later and all of it by `end_ms`.

    `done_wh` of it was done before the grid begins. A part that arrives during a step may run in it.
    """
    ends = grid.edges_ms[1:]
    arrived = rate_w * np.maximum(np.minimum(ends, end_ms) - since_ms, 0) // HOUR_MS
    due = np.where(ends >= end_ms, arrived, rate_w * np.maximum(ends - window_ms - since_ms, 0) // HOUR_MS)
    left_wh, due_wh = np.maximum(arrived - done_wh, 0), np.maximum(due - done_wh, 0)
    return Deferrable(left_wh, due_wh, np.full(grid.steps, most_w, dtype=np.int64), later_micro_mwh)
