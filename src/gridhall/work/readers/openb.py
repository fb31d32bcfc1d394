"""Alibaba's openb pods (gpu-v2023): single nodes, shared GPUs, cores and memory, allowed GPU models."""

from pathlib import Path

import polars as pl

from gridhall.units import DAY_MS, SECOND_MS
from gridhall.work.hosts import Hosts
from gridhall.work.readers.hardware import hardware_column
from gridhall.work.readers.result import TraceWorkload
from gridhall.work.readers.rules import Rule, lines, refuse, require, split
from gridhall.work.readers.trace import Source, workload
from gridhall.work.table import OUTCOMES

ORIGIN = (
    "Alibaba cluster trace gpu-v2023 (openb), via hkust-adsl/kubernetes-scheduler-simulator, Apache-2.0. Weng et al., "
    "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent, USENIX ATC 2023."
)
REQUIRED = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli")
TIMES = ("creation_time", "scheduled_time", "deletion_time")
UNTIMED_RUN_MS = 150 * DAY_MS
"""Run time of pods in a file without times: longer than the trace, so that all stand at once, as in FGD's set-up."""
BEST_EFFORT = "BE"


def read(path: Path, hosts: Hosts | None, align_ms: int | None = None, *, cpu_jobs: bool = False) -> TraceWorkload:
    """Pods as jobs; those without a GPU only with `cpu_jobs` (they then ask for 0 GPUs, cores and memory)."""
    text = lines(path)
    raw = split(text[1:], path, text["text"][0].split(","), ",")
    require(raw, path, REQUIRED, "take a pod list of the openb trace")
    timed = all(name in raw.columns for name in TIMES)
    numbers = [name for name in (*REQUIRED[1:], *(TIMES if timed else ())) if name != "gpu_milli"]
    rows = raw.with_columns(_number(name).alias(f"#{name}") for name in (*numbers, "gpu_milli"))
    refuse(rows, path, [*_number_rules(numbers), *(_time_rules() if timed else [])])
    rows = rows.with_columns(*_times(timed), **_wishes(raw, hosts))
    kept = rows if cpu_jobs else rows.filter(pl.col("#num_gpu") > 0)
    return workload(
        kept.select("row", *_columns()), Source(path, path.stem, ORIGIN, _notes(rows, kept, timed)), hosts, align_ms
    )


def _number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int64, strict=False)


def _number_rules(numbers: list[str]) -> list[Rule]:
    may_be_empty = pl.col("scheduled_time") != "" if "scheduled_time" in numbers else pl.lit(True)
    return [
        Rule(
            name,
            (pl.col(f"#{name}").is_null() & (may_be_empty if name == "scheduled_time" else pl.lit(True)))
            | (pl.col(f"#{name}") < 0),
            "{value} is not a whole number from 0",
            "give a whole number, or leave the row out",
        )
        for name in numbers
    ]


def _time_rules() -> list[Rule]:
    created, scheduled, deleted = (pl.col(f"#{name}") for name in TIMES)
    cure = "the clock goes backwards: correct the times, or leave the row out"
    return [
        Rule("scheduled_time", scheduled < created, "{value} is before creation_time", cure),
        Rule("deletion_time", deleted < pl.max_horizontal(scheduled, created), "{value} is before the pod began", cure),
    ]


def _times(timed: bool) -> list[pl.Expr]:
    if not timed:
        return [pl.lit(0).alias("submit_ms"), pl.lit(UNTIMED_RUN_MS).alias("duration_ms")]
    created, scheduled, deleted = (pl.col(f"#{name}") for name in TIMES)
    return [
        (created * SECOND_MS).alias("submit_ms"),
        ((deleted - scheduled.fill_null(created)) * SECOND_MS).alias("duration_ms"),
    ]


def _wishes(raw: pl.DataFrame, hosts: Hosts | None) -> dict[str, pl.Expr]:
    """Hardware, class of service and outcome. A `Running` pod ran to the end of the trace: taken as completed."""
    spec = pl.col("gpu_spec") if "gpu_spec" in raw.columns else pl.lit("")
    qos = pl.col("qos") if "qos" in raw.columns else pl.lit("")
    phase = pl.col("pod_phase") if "pod_phase" in raw.columns else pl.lit("")
    best_effort = (qos == BEST_EFFORT).cast(pl.Int64)
    outcome = pl.when(phase == "Failed").then(OUTCOMES.index("failed"))
    return {
        "hardware": hardware_column(spec, hosts),
        "priority": 1 - best_effort,
        "preemptible": best_effort,
        "outcome": outcome.when(phase == "Pending").then(OUTCOMES.index("cancelled")).otherwise(0),
    }


def _columns() -> list[pl.Expr]:
    return [
        *(pl.col(name) for name in ("submit_ms", "duration_ms", "hardware", "priority", "preemptible", "outcome")),
        pl.col("#num_gpu").alias("gpus"),
        pl.when(pl.col("#num_gpu") > 0).then(pl.col("#gpu_milli")).otherwise(1000).alias("gpu_milli"),
        pl.col("#cpu_milli").alias("cpu_milli"),
        pl.col("#memory_mib").alias("mem_mib"),
    ]


def _notes(rows: pl.DataFrame, kept: pl.DataFrame, timed: bool) -> tuple[str, ...]:
    notes: list[str] = []
    if kept.height < rows.height:
        notes.append(f"{rows.height - kept.height} pods without a GPU left out")
    if not timed:
        return (*notes, "the file has no times: all pods come at once and stay for 150 days (assumed)")
    waiting = kept.filter(pl.col("#scheduled_time").is_null()).height
    if waiting:
        notes.append(f"{waiting} pods never started: the time until they were deleted stands for a run time (assumed)")
    return tuple(notes)
