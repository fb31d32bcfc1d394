"""From a reader's rows to a workload: the last checks that every format shares, and names turned into indexes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from gridhall.errors import fault
from gridhall.work.hosts import Hosts, largest_gang
from gridhall.work.making import CHUNK
from gridhall.work.readers.result import TraceWorkload
from gridhall.work.readers.rules import ROW, Rule, refuse
from gridhall.work.table import ANYWHERE, OUTCOMES, Ints, JobTable

PRIORITY_NORMAL = 1
POWER_MILLI = 700
"""Share of a GPU's dynamic power that a traced job is taken to draw: no trace tells, this is assumed."""
DEFAULTS: dict[str, pl.Expr] = {
    "limit_ms": pl.lit(0),
    "gpu_milli": pl.lit(1000),
    "cpu_milli": pl.lit(0),
    "mem_mib": pl.lit(0),
    "project": pl.lit("all"),
    "user": pl.lit("all"),
    "name": pl.lit("all"),
    "priority": pl.lit(PRIORITY_NORMAL),
    "preemptible": pl.lit(0),
    "hardware": pl.lit(ANYWHERE),
    "outcome": pl.lit(OUTCOMES.index("completed")),
}
"""What a reader may leave out: no limit, whole GPUs, everything else in proportion, one project, any hardware."""
NUMBERS = ("submit_ms", "duration_ms", "limit_ms", "gpus", "gpu_milli", "cpu_milli", "mem_mib")
FILLED = ("priority", "preemptible", "hardware", "outcome")


@dataclass(frozen=True)
class Source:
    """One file being read, and what a person is told of it."""

    path: Path
    title: str
    origin: str  # attribution to print
    notes: tuple[str, ...] = ()


def workload(rows: pl.DataFrame, source: Source, hosts: Hosts | None, align_ms: int | None) -> TraceWorkload:
    """Jobs of `rows`, whose columns are `row`, `submit_ms`, `duration_ms`, `gpus`, and any of DEFAULTS.

    `align_ms` moves the first submission there. Raises InputError for missing or senseless numbers, gangs that no block
    of `hosts` can hold, and where no job is left.
    """
    if rows.height == 0:
        raise fault(str(source.path), "", _none_left(source), "check the dates and the format of the file")
    frame = rows.with_columns(**{name: value for name, value in DEFAULTS.items() if name not in rows.columns})
    frame = frame.with_columns(pl.col(name).cast(pl.Int64, strict=False) for name in (*NUMBERS, *FILLED))
    refuse(frame, source.path, _rules(hosts))
    frame = frame.sort("submit_ms", ROW)
    shift = 0 if align_ms is None else align_ms - int(frame["submit_ms"][0])
    frame = frame.with_columns(pl.col("submit_ms") + shift)
    projects = frame["project"].fill_null("none").unique().sort()
    table = _table(frame, projects)

    def chunks() -> Iterator[JobTable]:
        return (table.take(slice(first, first + CHUNK)) for first in range(0, len(table), CHUNK))

    return TraceWorkload(
        title=source.title,
        origin=source.origin,
        projects=tuple(projects.to_list()),
        organisations=("all",),
        project_organisation=np.zeros(len(projects), np.int64),
        chunks=chunks,
        notes=(*source.notes, f"power: every job draws {POWER_MILLI / 10:.0f} % of a GPU's dynamic power (assumed)"),
        jobs=len(table),
        start_ms=int(table.submit_ms[0]),
        end_ms=int(table.submit_ms[-1]),
    )


def _none_left(source: Source) -> str:
    return "; ".join(("no job is left to run", *source.notes))


def _rules(hosts: Hosts | None) -> list[Rule]:
    rules = [
        Rule(name, pl.col(name).is_null(), "is missing or not a number", "give a number, or leave the row out")
        for name in NUMBERS
    ]
    rules += [
        Rule(name, pl.col(name) < 0, "{value} is negative", "give a number from 0, or leave the row out")
        for name in NUMBERS
    ]
    share = pl.col("gpu_milli")
    rules.append(
        Rule(
            "gpu_milli",
            (share > 1000) | ((share < 1000) & (pl.col("gpus") != 1)) | ((share == 0) & (pl.col("gpus") > 0)),
            "a share of {value} per mille does not go with the job's GPUs",
            "a share below 1,000 is of exactly one GPU",
        )
    )
    if hosts is not None:
        most = largest_gang(hosts)
        problem = f"the job asks for {{value}} GPUs; the fleet's largest block of one hardware at one site has {most}"
        rules.append(Rule("gpus", pl.col("gpus") > most, problem, "take a larger fleet, or leave the job out"))
    return rules


def _table(frame: pl.DataFrame, projects: pl.Series) -> JobTable:
    project = pl.col("project").fill_null("none")
    user = pl.struct(project, pl.col("user").fill_null("none"))
    name = pl.col("name").fill_null("none")
    frame = frame.with_columns(
        project=project.replace_strict(projects, pl.Series(range(len(projects)), dtype=pl.Int64)),
        user=user.rank("dense").cast(pl.Int64) - 1,
        name=name.rank("dense").over(user).cast(pl.Int64) - 1,
    )
    count = frame.height
    zeros = ("gpus_per_node", "tier", "checkpoint_ms", "checkpoint_cost_ms", "deadline_ms", "min_gpus", "max_gpus")
    columns = {column: np.zeros(count, np.int64) for column in zeros}
    columns |= {column: _ints(frame, column) for column in (*NUMBERS, *FILLED, "project", "user", "name")}
    return JobTable(
        job_id=_job_ids(frame),
        places=np.full(count, ANYWHERE, np.int64),
        power_milli=np.full(count, POWER_MILLI, np.int64),
        **columns,
    )


def _job_ids(frame: pl.DataFrame) -> Ints:
    """The trace's own numbers where it has good ones, else positions in order of submission."""
    if "job_id" in frame.columns:
        own = frame["job_id"].cast(pl.Int64, strict=False)
        least = own.min()
        if own.null_count() == 0 and own.n_unique() == frame.height and isinstance(least, int) and least >= 0:
            return own.to_numpy().copy()
    return np.arange(frame.height, dtype=np.int64)


def _ints(frame: pl.DataFrame, column: str) -> Ints:
    return frame[column].to_numpy().astype(np.int64)
