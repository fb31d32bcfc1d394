"""Marconi100 jobs (CINECA) as a parquet table: run time in s, limit in min, GPUs, user and state."""

from pathlib import Path

import polars as pl

from gridhall.units import MINUTE_MS, SECOND_MS
from gridhall.work.hosts import Hosts
from gridhall.work.readers.mapped import table
from gridhall.work.readers.result import TraceWorkload
from gridhall.work.readers.rules import Rule, refuse, require
from gridhall.work.readers.slurm import outcome
from gridhall.work.readers.trace import Source, workload

ORIGIN = (
    "M100 ExaData (Marconi100), CINECA and University of Bologna, CC BY 4.0; Borghesi et al., Scientific Data 10:288 "
    "(2023), doi 10.1038/s41597-023-02174-3; job subset as bundled by GridPilot, CC BY 4.0."
)
REQUIRED = ("job_id", "submit_time", "run_time", "num_gpus_alloc", "time_limit", "user_id", "job_state")


def read(path: Path, hosts: Hosts | None, align_ms: int | None = None) -> TraceWorkload:
    """Jobs with GPUs; the CPU-only ones are left out and counted. Users stand for projects, which the trace has not."""
    raw = table(path)
    require(raw, path, REQUIRED, "take the job table of Marconi100 as GridPilot bundles it")
    refuse(raw, path, [_not_counted(name) for name in ("run_time", "time_limit", "num_gpus_alloc")])
    kept = raw.filter(pl.col("num_gpus_alloc") > 0)
    rows = kept.select(
        "row",
        "job_id",
        pl.col("submit_time").dt.epoch("ms").alias("submit_ms"),
        (pl.col("run_time") * SECOND_MS).alias("duration_ms"),
        (pl.col("time_limit") * MINUTE_MS).alias("limit_ms"),
        pl.col("num_gpus_alloc").alias("gpus"),
        pl.format("user-{}", pl.col("user_id")).alias("project"),
        pl.format("user-{}", pl.col("user_id")).alias("user"),
        outcome(pl.col("job_state")).alias("outcome"),
    )
    notes = (
        f"{raw.height - kept.height} jobs without a GPU left out",
        "each user is taken as a project: the trace names none",
    )
    return workload(rows, Source(path, "Marconi100", ORIGIN, notes), hosts, align_ms)


def _not_counted(name: str) -> Rule:
    bad = pl.col(name).is_null() | (pl.col(name) < 0)
    return Rule(name, bad, "{value} is not a number from 0", "correct it, or leave the row out")
