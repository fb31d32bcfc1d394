"""How far a schedule is from fair shares: the share of allocated GPUs that the wrong project holds.

At each sampled instant, projects want what they hold and what they wait for. The fair division of the GPUs held in all
is max-min over projects of equal weight: nobody gets more than it wants, and nobody less than another while it wants
more. The error is half the sum of differences, over the GPUs held; its mean counts only instants at which somebody
waits. Zero is perfectly fair at every instant; a scheduler that runs long jobs to their end cannot reach it.
"""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def fair_share_error(
    project: Ints, gpus: Ints, submit_ms: Ints, end_ms: Ints, held: tuple[Ints, Ints, Ints], instants_ms: Ints
) -> float:
    """Mean error in 0..1. `held` are intervals of running: job (row), start and end in ms."""
    row, start_ms, stop_ms = held
    projects = int(project.max()) + 1
    running = _over_time(project[row], gpus[row], start_ms, stop_ms, instants_ms, projects)
    wanted = _over_time(project, gpus, submit_ms, end_ms, instants_ms, projects)
    errors = [
        np.abs(now - max_min(want, now.sum())).sum() / (2 * now.sum())
        for now, want in zip(running, wanted, strict=True)
        if 0 < now.sum() < want.sum()
    ]
    return float(np.mean(errors)) if errors else 0.0


def max_min(wanted: Floats, total: float) -> Floats:
    """`total` divided among those who want it: equal parts, none more than it wants."""
    order = np.argsort(wanted)
    parts = np.zeros(len(wanted))
    for place, index in enumerate(order):
        parts[index] = min(wanted[index], total / (len(order) - place))
        total -= parts[index]
    return parts


def _over_time(
    project: Ints, gpus: Ints, since_ms: Ints, until_ms: Ints, instants_ms: Ints, projects: int
) -> list[Floats]:
    """GPUs of each project at each instant, from spans of time."""
    table = np.zeros((projects, len(instants_ms)))
    for times, sign in ((since_ms, 1), (until_ms, -1)):
        place = np.searchsorted(instants_ms, times, side="left")
        seen = place < len(instants_ms)
        np.add.at(table, (project[seen], place[seen]), sign * gpus[seen])
    return list(np.cumsum(table, axis=1).T)
