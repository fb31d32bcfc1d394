"""Workloads on which it matters who goes first: arrivals pressed together until a plain queue suffers.

Without contention all schedulers look alike, so a comparison counts only where FIFO's mean wait is at least twice that
of oracle SJF. Arrivals are pressed together step by step until that holds; run times stay as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import openb
from benchmarks.peers.schedules import Schedule, concat, fifo, sjf
from gridhall.fleet import compile_fleet
from gridhall.fleet.arrays import FleetArrays
from gridhall.fleet.imports.nodes_csv import openb_fleet
from gridhall.fleet.synthetic import uniform_fleet
from gridhall.units import DAY_MS
from gridhall.work.generator import generate
from gridhall.work.profiles import profile
from gridhall.work.readers import read_jobs
from gridhall.work.table import JobTable, Workload

CONTENTION = 2.0
CHUNK = 65_536
M100 = Path(__file__).resolve().parents[2] / "shared" / "data" / "traces" / "m100" / "m100_real_jobs.parquet"
GENERATED_LOAD = 0.87
JOBS_PER_DAY = 1_000_000 / 365
NODE_LIST = "openb_node_list_gpu_node.csv"
EVERY_NODE = 8


@dataclass(frozen=True)
class Case:
    """Jobs on a fleet, arrivals pressed together `pressed` times; FIFO and SJF ran already to find that out."""

    fleet: FleetArrays
    source: Workload
    table: JobTable
    pressed: float
    fifo: Schedule
    sjf: Schedule

    @property
    def void(self) -> bool:
        """Whether even the most pressed arrivals make no difference."""
        return not contended(self.fifo, self.sjf)

    @property
    def workload(self) -> Workload:
        """The pressed jobs as the twin takes them."""

        def chunks() -> Iterator[JobTable]:
            return (self.table.take(slice(row, row + CHUNK)) for row in range(0, len(self.table), CHUNK))

        return replace(plain(self.source), chunks=chunks)


def generated(days: int) -> Case:
    """The year benchmark's workload at 87 % load on 60,000 GPUs, or a shorter span of it."""
    fleet = uniform_fleet(60_000)
    work = generate(
        profile("training-cloud"),
        seed=1,
        start_ms=0,
        end_ms=days * DAY_MS,
        fleet=fleet,
        jobs=round(JOBS_PER_DAY * days),
        load=GENERATED_LOAD,
    )
    return press(fleet, work, (1.0, 1.05, 1.1, 1.2, 1.5, 2.0))


def openb_pods() -> Case | None:
    """The pods of openb's default workload on every eighth of its nodes; None where the trace is absent.

    On all 1,213 nodes nothing would ever wait: its pods fit together even if they all came at once.
    """
    path = openb.OPENB / "openb_pod_list_default.csv"
    if not path.exists():
        return None
    fleet = openb_part(EVERY_NODE)
    return press(fleet, read_jobs(path, "openb", fleet), tuple(2.0**step for step in range(14)))


def openb_part(every: int) -> FleetArrays:
    """Each `every`-th node of openb's node list."""
    header, *nodes = (openb.OPENB / NODE_LIST).read_text(encoding="utf-8").splitlines(keepends=True)
    with TemporaryDirectory() as folder:
        part = Path(folder) / NODE_LIST
        part.write_text(header + "".join(nodes[::every]), encoding="utf-8")
        return compile_fleet(openb_fleet(part))


def marconi100() -> Case | None:
    """The GPU jobs of Marconi100 on as many nodes as make them wait; None where the trace is absent."""
    if not M100.exists():
        return None
    fleet = uniform_fleet(448, shares=(100,), nodes_per_rack=4, hardware="gb300-nvl72")
    return press(fleet, read_jobs(M100, "m100"), (1.0, 2.0, 4.0, 8.0, 16.0))


def press(fleet: FleetArrays, work: Workload, factors: tuple[float, ...]) -> Case:
    """The least of the factors that makes the jobs contended, or the last."""
    original = without_write_cost(concat(work.chunks()))
    for factor in factors:
        first_ms = original.submit_ms[0]
        pressed = first_ms + ((original.submit_ms - first_ms) / factor).astype(np.int64)
        table = replace(original, submit_ms=pressed)
        case = Case(fleet, work, table, factor, fifo(fleet, table), sjf(fleet, table))
        if not case.void:
            break
    return case


def contended(plain_queue: Schedule, oracle: Schedule) -> bool:
    """Whether FIFO waits at least CONTENTION times as long as SJF."""
    return bool(plain_queue.wait_ms.mean() >= CONTENTION * max(1.0, oracle.wait_ms.mean()))


def without_write_cost(table: JobTable) -> JobTable:
    """Checkpoints that cost nothing to write: peers write none, and all shall carry the same load."""
    return replace(table, checkpoint_cost_ms=np.zeros_like(table.checkpoint_cost_ms))


def plain(work: Workload) -> Workload:
    """The workload's own fields, without what its source adds."""
    return Workload(work.title, work.origin, work.projects, work.organisations, work.project_organisation, work.chunks)
