"""Seeded traces on which other simulators' schedules were published, generated anew to the last job.

Each job draws from Python's `random` in a fixed order: gap to the next submission, nodes, run time, requested time.
Python guarantees these sequences for a seed, so the traces carry check sums instead of files.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class TraceJob:
    """One rigid job on whole nodes; times in seconds."""

    submit_s: int
    nodes: int
    run_s: int
    requested_s: int


@dataclass(frozen=True)
class SeededTrace:
    """How to draw a trace, and the machine that it runs on."""

    title: str
    jobs: int
    span_s: int
    machine_nodes: int
    most_nodes: int
    seed: int = 1

    def draw(self) -> list[TraceJob]:
        """The jobs, in order of submission."""
        return list(self._each())

    def _each(self) -> Iterator[TraceJob]:
        rng = random.Random(self.seed)
        submit = 0.0
        for _ in range(self.jobs):
            submit += rng.expovariate(self.jobs / self.span_s)
            nodes = min(self.most_nodes, max(1, int(rng.paretovariate(0.9))))
            run_s = int(min(43_200, max(60, rng.lognormvariate(7.5, 1.3))))
            requested_s = int(min(86_400, run_s * rng.uniform(1, 3)))
            yield TraceJob(int(submit), nodes, run_s, requested_s)


SETH_LIKE = SeededTrace("Seth-like", jobs=5_000, span_s=1_300_000, machine_nodes=120, most_nodes=64)
"""15 days at 77 % load on 120 nodes of 4 cores, after the Seth log that AccaSim's authors use."""
FRONTIER_DAY = SeededTrace("Frontier-like day", jobs=5_000, span_s=86_400, machine_nodes=9_472, most_nodes=3_000)
"""A day at 25 % load on Frontier's 9,472 nodes: nobody waits."""
