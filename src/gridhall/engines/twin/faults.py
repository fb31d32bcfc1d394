"""When nodes fail in the simulated world: a stream that depends on the seed and the window of time only."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gridhall.engines.twin.settings import WorldSettings
from gridhall.kernel import Ints
from gridhall.units import DAY_MS

FAULT_STREAM = 7
MOST_IN_WINDOW = 20_000


@dataclass(frozen=True)
class Faults:
    """Failures in order of time: when, which node, how long its repair takes."""

    time_ms: Ints
    node: Ints
    repair_ms: Ints


def fault_windows(world: WorldSettings, nodes: int, start_ms: int, end_ms: int, seed: int) -> Iterator[Faults]:
    """Windows of failures from start to end. The times are Poisson, the nodes even, the repairs log-normal."""
    per_day = world.failures_per_1000_node_days * nodes / 1000
    if per_day <= 0:
        return
    days = max(1, min(30, int(MOST_IN_WINDOW / per_day)))
    for number, first in enumerate(range(start_ms, end_ms, days * DAY_MS)):
        last = min(end_ms, first + days * DAY_MS)
        chance = np.random.Generator(np.random.Philox(key=[seed, FAULT_STREAM], counter=[0, 0, 0, number]))
        count = int(chance.poisson(per_day * (last - first) / DAY_MS))
        times = np.sort(chance.integers(first, last, count))
        repair = np.exp(chance.normal(np.log(world.repair_median_ms), world.repair_sigma, count))
        yield Faults(times, chance.integers(0, nodes, count), np.maximum(60_000, repair).astype(np.int64))


def later_than(windows: Iterator[Faults], time_ms: int) -> Iterator[Faults]:
    """The failures of a stream from a time on."""
    for each in windows:
        keep = each.time_ms >= time_ms
        yield Faults(each.time_ms[keep], each.node[keep], each.repair_ms[keep])
