"""A schedule simulator of its own, against which waits are checked: whole nodes of one machine, no topology.

It shares no line with the scheduler and is written to be read: lists, sorting, one heap of ends. At every instant it
first frees what ended, then queues what arrived, then asks a rule which waiting jobs start now.

Three rules: first in, first out with a blocking head; EASY back-filling as published (Lifka 1995); and EASY as AccaSim
1.1.3 carries it out, which differs and is here only to reproduce AccaSim's figure.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gridhall.engines.twin.validation.traces import TraceJob


@dataclass
class Machine:
    """What a rule sees: free nodes, waiting jobs in order, and when running jobs are expected to end."""

    free: int
    waiting: list[int] = field(default_factory=list[int])
    expected_end_s: dict[int, int] = field(default_factory=dict[int, int])


@dataclass(frozen=True)
class Schedule:
    """Start times in seconds, one a job."""

    start_s: list[int]
    mean_wait_s: float
    makespan_s: int


Rule = Callable[[int, Sequence[TraceJob], Machine], list[int]]
"""(now_s, jobs, machine) -> jobs to start now, which together fit."""


def simulate(jobs: Sequence[TraceJob], nodes: int, rule: Rule) -> Schedule:
    """Run all jobs to their end under one rule. Makespan runs from the first submission to the last end."""
    start_s = [-1] * len(jobs)
    machine = Machine(free=nodes)
    ends: list[tuple[int, int]] = []
    arrived = 0
    while ends or arrived < len(jobs):
        now_s = min(ends[0][0] if ends else jobs[arrived].submit_s, _next_submit(jobs, arrived, ends))
        while ends and ends[0][0] == now_s:
            _finish(jobs, machine, heapq.heappop(ends)[1])
        while arrived < len(jobs) and jobs[arrived].submit_s == now_s:
            machine.waiting.append(arrived)
            arrived += 1
        for job in rule(now_s, jobs, machine):
            start_s[job] = now_s
            _start(now_s, jobs, machine, job)
            heapq.heappush(ends, (now_s + jobs[job].run_s, job))
    return _summary(jobs, start_s)


def fifo(now_s: int, jobs: Sequence[TraceJob], machine: Machine) -> list[int]:
    """Start from the head of the queue until one does not fit."""
    chosen: list[int] = []
    free = machine.free
    for job in machine.waiting:
        if jobs[job].nodes > free:
            break
        free -= jobs[job].nodes
        chosen.append(job)
    return chosen


def easy(now_s: int, jobs: Sequence[TraceJob], machine: Machine) -> list[int]:
    """Back-fill whatever does not delay the head, judged by the requested times."""
    chosen = fifo(now_s, jobs, machine)
    blocked = machine.waiting[len(chosen) :]
    if not blocked:
        return chosen
    free = machine.free - sum(jobs[job].nodes for job in chosen)
    ends = [(end_s, jobs[job].nodes) for job, end_s in machine.expected_end_s.items()]
    ends += [(now_s + jobs[job].requested_s, jobs[job].nodes) for job in chosen]
    shadow_s, at_shadow = _shadow(free, ends, jobs[blocked[0]].nodes)
    spare = at_shadow - jobs[blocked[0]].nodes
    for job in blocked[1:]:
        if jobs[job].nodes > free:
            continue
        harmless = now_s + jobs[job].requested_s <= shadow_s
        if harmless or jobs[job].nodes <= spare:
            chosen.append(job)
            free -= jobs[job].nodes
            spare -= 0 if harmless else jobs[job].nodes
    return chosen


@dataclass
class AccaSimEasy:
    """EASY as AccaSim 1.1.3 does it: the head's time is fixed once, and the reservation restrains nobody.

    Until the reserved time the head is not tried again, even if it would fit, and any later job that fits starts. From
    the reserved time on, the head is tried at every event; once it starts, jobs go first in, first out until the next
    one blocks.
    """

    head: int = -1
    reserved_s: int = 0

    def __call__(self, now_s: int, jobs: Sequence[TraceJob], machine: Machine) -> list[int]:
        """The jobs that start now."""
        if self.head >= 0 and (now_s < self.reserved_s or jobs[self.head].nodes > machine.free):
            return self._backfill(jobs, machine, [])
        self.head = -1
        chosen = fifo(now_s, jobs, machine)
        if len(chosen) == len(machine.waiting):
            return chosen
        self.head = machine.waiting[len(chosen)]
        free = machine.free - sum(jobs[job].nodes for job in chosen)
        ends = [(end_s, jobs[job].nodes) for job, end_s in machine.expected_end_s.items()]
        ends += [(now_s + jobs[job].requested_s, jobs[job].nodes) for job in chosen]
        self.reserved_s, _ = _shadow(free, ends, jobs[self.head].nodes)
        return self._backfill(jobs, machine, chosen)

    def _backfill(self, jobs: Sequence[TraceJob], machine: Machine, chosen: list[int]) -> list[int]:
        free = machine.free - sum(jobs[job].nodes for job in chosen)
        taken = {self.head, *chosen}
        for job in machine.waiting:
            if job not in taken and jobs[job].nodes <= free:
                free -= jobs[job].nodes
                chosen.append(job)
        return chosen


def _shadow(free: int, ends: list[tuple[int, int]], needed: int) -> tuple[int, int]:
    """When the head can start, and how many nodes are free then."""
    ends.sort()
    shadow_s = 0
    for place, (end_s, nodes) in enumerate(ends):
        free += nodes
        shadow_s = end_s
        last_of_instant = place + 1 == len(ends) or ends[place + 1][0] > end_s
        if free >= needed and last_of_instant:
            break
    return shadow_s, free


def _next_submit(jobs: Sequence[TraceJob], arrived: int, ends: list[tuple[int, int]]) -> int:
    return jobs[arrived].submit_s if arrived < len(jobs) else ends[0][0]


def _finish(jobs: Sequence[TraceJob], machine: Machine, job: int) -> None:
    machine.free += jobs[job].nodes
    del machine.expected_end_s[job]


def _start(now_s: int, jobs: Sequence[TraceJob], machine: Machine, job: int) -> None:
    machine.free -= jobs[job].nodes
    machine.waiting.remove(job)
    machine.expected_end_s[job] = now_s + jobs[job].requested_s


def _summary(jobs: Sequence[TraceJob], start_s: list[int]) -> Schedule:
    waits = [start - job.submit_s for start, job in zip(start_s, jobs, strict=True)]
    last_end_s = max(start + job.run_s for start, job in zip(start_s, jobs, strict=True))
    return Schedule(start_s, sum(waits) / len(waits), last_end_s - jobs[0].submit_s)
