"""How full shared GPUs can get at best: a linear-programming bound on packing (Gilmore and Gomory 1961).

Jobs that take part of a GPU are cut from whole GPUs like lengths from a roll. A pattern is a set of shares that fits
one GPU; the program finds the least number of GPUs, in fractions of patterns, that holds every job of the offered mix.
New patterns are priced by a knapsack until none helps (column generation). CPU, memory, and the grouping of GPUs into
nodes are relaxed and jobs on whole GPUs waste nothing, so no scheduler that accepts the offered mix as it comes can
exceed `density`. One that refuses awkward sizes can.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

Ints = NDArray[np.int64]
GPU_MILLI = 1000
REDUCED_COST = 1e-9


@dataclass(frozen=True)
class PackingBound:
    """`demand_gpus` is what the jobs ask for; `needed_gpus` the least that holds them; `density` their ratio."""

    demand_gpus: float
    needed_gpus: float

    @property
    def density(self) -> float:
        """Largest share of GPU capacity that the offered mix can fill, 0..1."""
        return self.demand_gpus / self.needed_gpus if self.needed_gpus else 1.0


def packing_bound(gpus: Ints, gpu_milli: Ints) -> PackingBound:
    """The bound for jobs that each take `gpu_milli` per mille (1..1000) of `gpus` GPUs; zero GPUs are ignored."""
    shared = (gpus > 0) & (gpu_milli < GPU_MILLI)
    if np.any(gpus[shared] > 1):
        raise ValueError("a job takes part of one GPU or the whole of several")
    whole = float(gpus[~shared].sum())
    sizes, counts = np.unique(gpu_milli[shared], return_counts=True)
    demand = whole + float((sizes * counts).sum()) / GPU_MILLI
    return PackingBound(demand, whole + (_cut(sizes, counts) if len(sizes) else 0.0))


def _cut(sizes: Ints, counts: Ints) -> float:
    """Least fractional number of GPUs that holds `counts` jobs of each of `sizes`."""
    patterns = [np.where(sizes == size, GPU_MILLI // size, 0) for size in sizes]
    while True:
        columns = np.column_stack(patterns)
        result = linprog(np.ones(len(patterns)), A_ub=-columns, b_ub=-counts, method="highs")
        if not result.success:
            raise RuntimeError(result.message)
        worth = -np.asarray(result.ineqlin.marginals)
        value, pattern = _best_pattern(sizes, worth)
        if value <= 1 + REDUCED_COST:
            return float(result.fun)
        patterns.append(pattern)


def _best_pattern(sizes: Ints, worth: NDArray[np.float64]) -> tuple[float, Ints]:
    """The set of shares within one GPU that is worth most (unbounded knapsack by dynamic programming)."""
    unit = int(np.gcd.reduce(np.append(sizes, GPU_MILLI)))
    cells = GPU_MILLI // unit
    best = np.zeros(cells + 1)
    last = np.full(cells + 1, -1)
    for room in range(1, cells + 1):
        best[room] = best[room - 1]
        fits = np.flatnonzero(sizes <= room * unit)
        if len(fits):
            values = best[room - sizes[fits] // unit] + worth[fits]
            choice = int(np.argmax(values))
            if values[choice] > best[room]:
                best[room], last[room] = values[choice], fits[choice]
    return float(best[cells]), _trace_back(sizes // unit, last)


def _trace_back(steps: Ints, last: Ints) -> Ints:
    pattern = np.zeros(len(steps), dtype=np.int64)
    room = len(last) - 1
    while room > 0:
        if last[room] < 0:
            room -= 1
            continue
        pattern[last[room]] += 1
        room -= int(steps[last[room]])
    return pattern
