"""The marginals of a workload as data: how many jobs, how long, how large, whose, how they end, what load they are.

For a generated workload the published marginals stand beside the reached ones, so that nobody needs to take the
generator's word.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gridhall.units import HOUR_MS, SECOND_MS
from gridhall.work.generator import SyntheticWorkload
from gridhall.work.hosts import Hosts
from gridhall.work.supply import supply
from gridhall.work.table import ANYWHERE, OUTCOMES, TIERS, Ints, JobTable, Workload

PRIORITIES = ("scavenger", "normal", "high", "urgent")
SIZE_TOPS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
"""Upper ends of the size classes; the last class has none."""


@dataclass(frozen=True)
class Part:
    """Some of the jobs: of one size class, outcome, project ..."""

    label: str
    jobs: int
    gpu_hours: float


@dataclass(frozen=True)
class Marginal:
    """One figure reached, beside the published one; None where nobody published it."""

    label: str
    unit: str
    reached: float
    published: float | None


@dataclass(frozen=True)
class Description:
    """What `gridhall work describe` shows. Shares are fractions of the jobs."""

    title: str
    origin: str
    notes: tuple[str, ...]  # what was left out or assumed
    jobs: int
    first_submit_ms: int
    last_submit_ms: int
    mean_run_s: float
    median_run_s: float
    mean_gpus: float
    max_gpus: int
    gpu_hours: float
    load: float | None  # GPU-time over what the fleet has on line in the span; None without a fleet
    stretch: float | None  # of a generated workload: run times over published ones
    shared_gpu: float
    preemptible: float
    anywhere: float
    checkpointing: float
    elastic: float
    by_size: tuple[Part, ...]
    by_outcome: tuple[Part, ...]
    by_priority: tuple[Part, ...]
    by_tier: tuple[Part, ...]
    by_project: tuple[Part, ...]  # largest first
    by_organisation: tuple[Part, ...]  # largest first
    published_source: str | None
    marginals: tuple[Marginal, ...]


class _Sums:
    """Running counts over the chunks of a workload; only run times are kept whole, for their median."""

    def __init__(self, projects: int) -> None:
        self.runs: list[Ints] = []
        self.gpus = 0.0
        self.gpu_hours = 0.0
        self.max_gpus = 0
        self.flags = dict.fromkeys(("shared_gpu", "preemptible", "anywhere", "checkpointing", "elastic"), 0)
        lengths = {
            "size": len(SIZE_TOPS) + 1,
            "outcome": len(OUTCOMES),
            "priority": len(PRIORITIES),
            "tier": len(TIERS),
            "project": projects,
        }
        self.jobs = {key: np.zeros(length, np.int64) for key, length in lengths.items()}
        self.hours = {key: np.zeros(length, np.float64) for key, length in lengths.items()}

    def add(self, table: JobTable) -> None:
        """Count one chunk."""
        gpus = table.gpus * table.gpu_milli / 1000
        hours = gpus * table.duration_ms / HOUR_MS
        self.runs.append(table.duration_ms)
        self.gpus += float(gpus.sum())
        self.gpu_hours += float(hours.sum())
        self.max_gpus = max(self.max_gpus, int(table.gpus.max()))
        keys = {
            "size": np.searchsorted(np.array(SIZE_TOPS), table.gpus),
            "outcome": table.outcome,
            "priority": table.priority,
            "tier": table.tier,
            "project": table.project,
        }
        for key, index in keys.items():
            self.jobs[key] += np.bincount(index, minlength=len(self.jobs[key]))
            self.hours[key] += np.bincount(index, hours, len(self.hours[key]))
        self._count_flags(table)

    def _count_flags(self, table: JobTable) -> None:
        self.flags["shared_gpu"] += int((table.gpu_milli < 1000).sum())
        self.flags["preemptible"] += int(table.preemptible.sum())
        self.flags["anywhere"] += int((table.places == ANYWHERE).sum())
        self.flags["checkpointing"] += int((table.checkpoint_ms > 0).sum())
        self.flags["elastic"] += int((table.max_gpus > 0).sum())

    def parts(self, key: str, labels: tuple[str, ...]) -> tuple[Part, ...]:
        """The non-empty parts of one division."""
        rows = zip(labels, self.jobs[key].tolist(), self.hours[key].tolist(), strict=True)
        return tuple(Part(label, jobs, hours) for label, jobs, hours in rows if jobs)


def describe(workload: Workload, fleet: Hosts | None = None) -> Description:
    """Marginals of all jobs of `workload`; with `fleet`, also the load that they are over the span of submissions.

    A workload without jobs cannot be described and raises ValueError.
    """
    sums, first, last = _Sums(len(workload.projects)), None, 0
    for table in workload.chunks():
        sums.add(table)
        first = int(table.submit_ms[0]) if first is None else first
        last = int(table.submit_ms[-1])
    if first is None:
        raise ValueError(f"the workload {workload.title!r} has no jobs")
    plain = _description(workload, sums, first, last)
    made = workload if isinstance(workload, SyntheticWorkload) else None
    if fleet is not None:
        start_ms, end_ms = (made.start_ms, made.end_ms) if made else (first, last)
        plain = replace(plain, load=_load(plain.gpu_hours, fleet, start_ms, end_ms))
    if made is not None:
        source = made.profile.published.source
        plain = replace(plain, stretch=made.stretch, published_source=source, marginals=_marginals(plain, made))
    return plain


def _description(workload: Workload, sums: _Sums, first_ms: int, last_ms: int) -> Description:
    """What the jobs alone tell."""
    runs = np.concatenate(sums.runs)
    by_project = sums.parts("project", workload.projects)
    return Description(
        title=workload.title,
        origin=workload.origin,
        notes=tuple(getattr(workload, "notes", ())),
        jobs=len(runs),
        first_submit_ms=first_ms,
        last_submit_ms=last_ms,
        mean_run_s=float(runs.mean()) / SECOND_MS,
        median_run_s=float(np.median(runs)) / SECOND_MS,
        mean_gpus=sums.gpus / len(runs),
        max_gpus=sums.max_gpus,
        gpu_hours=sums.gpu_hours,
        load=None,
        stretch=None,
        **{name: count / len(runs) for name, count in sums.flags.items()},
        by_size=sums.parts("size", _size_labels()),
        by_outcome=sums.parts("outcome", OUTCOMES),
        by_priority=sums.parts("priority", PRIORITIES),
        by_tier=sums.parts("tier", TIERS),
        by_project=tuple(sorted(by_project, key=lambda part: -part.gpu_hours)),
        by_organisation=_organisations(workload, sums),
        published_source=None,
        marginals=(),
    )


def _load(gpu_hours: float, fleet: Hosts, start_ms: int, end_ms: int) -> float | None:
    online_ms = supply(fleet, start_ms, end_ms).gpu_ms if end_ms > start_ms else 0
    return gpu_hours * HOUR_MS / online_ms if online_ms else None


def _size_labels() -> tuple[str, ...]:
    """`0`, `1`, `2`, `3-4`, `5-8` ... and the open last class."""
    labels = [str(top) for top in SIZE_TOPS[:3]]
    labels += [f"{low + 1}-{top}" for low, top in pairwise(SIZE_TOPS[2:])]
    return (*labels, f"over {SIZE_TOPS[-1]}")


def _organisations(workload: Workload, sums: _Sums) -> tuple[Part, ...]:
    count = len(workload.organisations)
    jobs = np.bincount(workload.project_organisation, sums.jobs["project"], count)
    hours = np.bincount(workload.project_organisation, sums.hours["project"], count)
    rows = zip(workload.organisations, jobs.tolist(), hours.tolist(), strict=True)
    return tuple(sorted((Part(*row) for row in rows if row[1]), key=lambda part: -part.gpu_hours))


def _marginals(reached: Description, made: SyntheticWorkload) -> tuple[Marginal, ...]:
    """Run times are compared after taking the stretch out, so that the law and not the load is judged."""
    said, stretch = made.profile.published, made.stretch
    rows = [
        Marginal("mean run, unstretched", "s", reached.mean_run_s / stretch, said.mean_run_s),
        Marginal("median run, unstretched", "s", reached.median_run_s / stretch, said.median_run_s),
        Marginal("mean GPUs", "", reached.mean_gpus, said.mean_gpus),
        Marginal("largest gang", "GPUs", reached.max_gpus, said.max_gpus),
        Marginal("GPU-time a job, unstretched", "h", reached.gpu_hours / reached.jobs / stretch, said.mean_gpu_hours),
    ]
    hours = {part.label: part.gpu_hours for part in reached.by_outcome}
    published = said.gpu_time_by_outcome
    for index, outcome in enumerate(OUTCOMES):
        share = 100 * hours.get(outcome, 0.0) / reached.gpu_hours
        rows.append(
            Marginal(f"GPU-time {outcome}", "%", share, round(100 * published[index], 1) if published else None)
        )
    return tuple(rows)
