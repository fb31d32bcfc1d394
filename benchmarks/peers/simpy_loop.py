"""The same jobs through one bare SimPy container: what a general simulation library costs before any policy.

It does far less than the twin, so it is no rival: one number of free GPUs, first in first out, no places, no nodes, no
quotas, no power, no failures. Each job is a SimPy process that takes its GPUs, sleeps, and gives them back.
"""

import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass

import simpy

from gridhall.work.table import JobTable


@dataclass(frozen=True)
class LoopResult:
    """CPU time of the loop, and proof that it ran: jobs that ended, mean wait, time of the last end."""

    jobs: int
    cpu_s: float
    mean_wait_s: float
    end_ms: int


def simpy_loop(tables: Iterable[JobTable], gpus: int) -> LoopResult:
    """Run all jobs on a container of `gpus`. Jobs that are larger are left out, as they would wait for ever."""
    began = time.process_time()
    env = simpy.Environment()
    pool = simpy.Container(env, capacity=gpus, init=gpus)
    waits_ms: list[int] = []
    env.process(_arrivals(env, pool, tables, gpus, waits_ms))
    env.run()
    mean_wait_s = sum(waits_ms) / len(waits_ms) / 1000 if waits_ms else 0.0
    return LoopResult(len(waits_ms), time.process_time() - began, mean_wait_s, int(env.now))


def _arrivals(
    env: simpy.Environment, pool: simpy.Container, tables: Iterable[JobTable], gpus: int, waits_ms: list[int]
) -> Generator[simpy.Event, None, None]:
    for table in tables:
        columns = (table.submit_ms.tolist(), table.duration_ms.tolist(), table.gpus.tolist())
        for submit_ms, duration_ms, wanted in zip(*columns, strict=True):
            if submit_ms > env.now:
                yield env.timeout(submit_ms - env.now)
            if 0 < wanted <= gpus:
                env.process(_job(env, pool, wanted, duration_ms, waits_ms))


def _job(
    env: simpy.Environment, pool: simpy.Container, wanted: int, duration_ms: int, waits_ms: list[int]
) -> Generator[simpy.Event, None, None]:
    submitted_ms = env.now
    yield pool.get(wanted)
    waits_ms.append(int(env.now - submitted_ms))
    yield env.timeout(duration_ms)
    yield pool.put(wanted)
