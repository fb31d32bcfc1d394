"""How much a job's user and name tell about its run time, measured as Helios published it.

Helios compared three orders of one queue on the same jobs: submission (FIFO), true run time (SJF, an oracle) and run
time predicted from history (QSSF). A generated workload is held to those ratios: if the predicted order came closer to
the oracle than published, every scheduler that learns would look better than it is. The queue here is Helios' too:
strict head of line, no pre-emption, one pool of GPUs, no placement. Pure Python and independent of the scheduler.
"""

import heapq
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from statistics import median

import numpy as np

from gridhall.units import DAY_MS
from gridhall.work.generator import generate
from gridhall.work.hosts import Hosts, rack_gpus
from gridhall.work.profiles import Profile, geometric_sizes
from gridhall.work.table import JobTable

HISTORY = 32
"""Finished jobs that the predictor remembers of a (user, name), and of a user."""


@dataclass(frozen=True)
class Waits:
    """Mean wait in seconds under each order, and the mean run time."""

    fifo_s: float
    oracle_s: float
    predicted_s: float
    limit_s: float  # ordered by the users' own limits
    run_s: float

    @property
    def queue_ratio(self) -> float:
        """Wait under the predicted order over wait under the oracle."""
        return self.predicted_s / self.oracle_s

    @property
    def completion_ratio(self) -> float:
        """The same for wait and run together."""
        return (self.predicted_s + self.run_s) / (self.oracle_s + self.run_s)


HELIOS_ON_PHILLY = Waits(fifo_s=56_531, oracle_s=4_731, predicted_s=7_783, limit_s=float("nan"), run_s=29_541)
"""Helios artifact, Philly workload of October and November 2017, means over 11 virtual clusters."""


class History:
    """Medians of finished jobs by (user, name), then by user, then of all; never above the job's limit."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], deque[int]] = defaultdict(lambda: deque(maxlen=HISTORY))

    def finished(self, user: int, name: int, duration_ms: int) -> None:
        """Remember one finished job."""
        for key in ((user, name), (user, -1), (-1, -1)):
            self._seen[key].append(duration_ms)

    def predict(self, user: int, name: int, limit_ms: int) -> float:
        """Expected run time in ms at submission."""
        for key in ((user, name), (user, -1), (-1, -1)):
            if key in self._seen:
                return min(median(self._seen[key]), limit_ms)
        return limit_ms


def measure(jobs: JobTable, gpus: int) -> Waits:
    """Waits of the jobs on a pool of `gpus` under the four orders."""

    def predicted(job: int, known: History) -> float:
        return known.predict(int(jobs.user[job]), int(jobs.name[job]), int(jobs.limit_ms[job]))

    return Waits(
        fifo_s=_mean_wait_s(jobs, gpus, lambda job, _: 0),
        oracle_s=_mean_wait_s(jobs, gpus, lambda job, _: int(jobs.duration_ms[job])),
        predicted_s=_mean_wait_s(jobs, gpus, predicted),
        limit_s=_mean_wait_s(jobs, gpus, lambda job, _: int(jobs.limit_ms[job])),
        run_s=float(np.mean(jobs.duration_ms)) / 1000,
    )


def philly_ratio(profile: Profile, hosts: Hosts) -> Waits:
    """Pooled waits over virtual clusters as Helios drew them from Philly, the split of `profile` being on trial.

    11 clusters of the size of `hosts` (216 GPUs in the calibration), 10,000 jobs in 61 days, 2 projects of 10 users,
    gangs of at most 16 GPUs, offered load 1.02: the contention at which FIFO and SJF wait about as long as published.
    """
    trial = replace(profile, sizes=geometric_sizes(1.93, 16), projects=2, organisations=1, anywhere=1.0)
    waits = [
        measure(
            generate(trial, seed=seed, start_ms=0, end_ms=61 * DAY_MS, fleet=hosts, jobs=10_000, load=1.02).chunk(0),
            int(rack_gpus(hosts).sum()),
        )
        for seed in range(11)
    ]
    return Waits(*(float(np.mean([getattr(wait, column.name) for wait in waits])) for column in fields(Waits)))


def _mean_wait_s(jobs: JobTable, gpus: int, rank: Callable[[int, History], float]) -> float:
    known, free, waited = History(), gpus, 0
    queue: list[tuple[float, int]] = []
    running: list[tuple[int, int]] = []
    submit, need, run = (column.tolist() for column in (jobs.submit_ms, np.minimum(jobs.gpus, gpus), jobs.duration_ms))
    user, name = jobs.user.tolist(), jobs.name.tolist()
    arriving = 0
    while arriving < len(submit) or queue:
        now = submit[arriving] if arriving < len(submit) else running[0][0]
        if running and running[0][0] <= now:
            now, job = heapq.heappop(running)
            free += need[job]
            known.finished(user[job], name[job], run[job])
        else:
            heapq.heappush(queue, (rank(arriving, known), arriving))
            arriving += 1
        while queue and need[queue[0][1]] <= free:
            _, job = heapq.heappop(queue)
            free -= need[job]
            waited += now - submit[job]
            heapq.heappush(running, (now + run[job], job))
    return waited / len(submit) / 1000
