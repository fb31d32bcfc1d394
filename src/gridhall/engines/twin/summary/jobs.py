"""What became of the jobs: their ends, waits by size, goodput and how far gangs were spread."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from gridhall.engines.twin.index import RunIndex
from gridhall.engines.twin.settings import Totals
from gridhall.engines.twin.summary.figure import figure, share
from gridhall.engines.twin.summary.sizes import CLASSES, size_class
from gridhall.engines.twin.tables import LEVELS, REASONS, STATES, scan_table
from gridhall.units import HOUR_MS

Document = dict[str, Any]
QUEUED, REFUSED = STATES.index("queued"), STATES.index("refused")
OVER = ("completed", "failed", "cancelled", "timeout")
"""Jobs that ran to an end of their own."""
LOST_WORDS = {
    "restart": "starts and restarts",
    "checkpoint": "checkpoints",
    "failure": "node failures",
    "preemption": "pre-emption",
    "unfinished": "under way at the end",
    "paused": "standing still for a load target",
}
"""Causes of lost GPU-time as people read them."""
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


def ends(run: Path) -> Document:
    """Jobs by how they stand at the end."""
    counts = dict(scan_table(run, "jobs").group_by("state").len().collect().iter_rows())
    found = {state: figure(counts.get(number, 0), "jobs") for number, state in enumerate(STATES)}
    over = sum(counts.get(STATES.index(state), 0) for state in OVER)
    return {"submitted": figure(sum(counts.values()), "jobs"), "over": figure(over, "jobs"), **found}


def started_jobs(run: Path) -> pl.LazyFrame:
    """Jobs that started, with their wait in hours and their size class."""
    jobs = scan_table(run, "jobs").filter(~pl.col("state").is_in([QUEUED, REFUSED]))
    wait = ((pl.col("start_ms") - pl.col("submit_ms")) / HOUR_MS).alias("wait_h")
    return jobs.filter(pl.col("start_ms") >= pl.col("submit_ms")).with_columns(wait, size_class())


def waits(run: Path) -> list[Document]:
    """Hours from submission to first start, by size class, and how many never started."""
    quantiles = [pl.col("wait_h").quantile(q).alias(name) for name, q in QUANTILES.items()]
    columns = [pl.len().alias("jobs"), pl.col("wait_h").mean().alias("mean"), *quantiles]
    rows = {
        row["size_class"]: row for row in started_jobs(run).group_by("size_class").agg(columns).collect().to_dicts()
    }
    queued = scan_table(run, "jobs").filter(pl.col("state") == QUEUED).select(size_class()).group_by("size_class").len()
    waiting = dict(queued.collect().iter_rows())
    return [
        _wait(CLASSES[number], rows.get(number, {}), waiting.get(number, 0))
        for number in range(len(CLASSES))
        if number in rows or number in waiting
    ]


def _wait(name: str, row: Mapping[str, Any], waiting: int) -> Document:
    hours = {f"{key}_h": figure(row.get(key), "h") for key in ("mean", *QUANTILES)}
    return {
        "gpus": name,
        "jobs_started": figure(row.get("jobs", 0), "jobs"),
        "jobs_waiting_at_end": figure(waiting, "jobs"),
        **hours,
    }


def mean_wait_h(run: Path) -> float | None:
    """Mean hours from submission to first start."""
    return started_jobs(run).select(pl.col("wait_h").mean()).collect().item()


def queue(run: Path) -> list[Document]:
    """How many jobs and GPUs waited on average, and for which reasons."""
    columns = [pl.col(f"r{number}").mean() for number in range(len(REASONS))]
    row = scan_table(run, "queue").select(columns).collect().to_dicts()[0]
    means = {reason: row[f"r{number}"] or 0.0 for number, reason in enumerate(REASONS)}
    total = sum(means.values())
    return [
        {"reason": reason, "waiting_jobs_mean": figure(mean, "jobs"), "share": figure(share(mean, total), "share")}
        for reason, mean in means.items()
        if mean > 0
    ]


def goodput(run: Path, totals: Totals) -> Document:
    """Allocated GPU-time, what was lost from it and why, and what was useful; exact sums of the twin."""
    row = scan_table(run, "jobs").select(pl.col("restarts", "preemptions").sum()).collect().to_dicts()[0]
    lost = {LOST_WORDS[cause]: figure(gpu_ms / HOUR_MS, "GPU h") for cause, gpu_ms in totals.lost_gpu_ms.items()}
    return {
        "allocated_gpu_h": figure(totals.allocated_gpu_ms / HOUR_MS, "GPU h"),
        "useful_gpu_h": figure(totals.work_gpu_ms / HOUR_MS, "GPU h"),
        "goodput": figure(share(totals.work_gpu_ms, totals.allocated_gpu_ms), "share"),
        "lost_gpu_h": lost,
        "node_failures": figure(totals.failures, "failures"),
        "restarts": figure(row["restarts"], "restarts"),
        "preemptions": figure(row["preemptions"], "pre-emptions"),
    }


def topology(run: Path, index: RunIndex) -> list[Document]:
    """By size class: racks that gangs spanned beside the fewest possible, and the level that held each gang whole."""
    rows = [(cell.site, cell.hardware, cell.gpus_per_rack) for cell in index.cells]
    cells = pl.LazyFrame(rows, schema=dict.fromkeys(("site", "hw", "gpus_per_rack"), pl.Int64), orient="row")
    least = ((pl.col("gpus") + pl.col("gpus_per_rack") - 1) // pl.col("gpus_per_rack")).alias("least")
    levels = [(pl.col("level") == number).mean().alias(level) for number, level in enumerate(LEVELS)]
    gangs = started_jobs(run).join(cells, on=["site", "hw"]).with_columns(least)
    columns = [pl.len().alias("jobs"), pl.col("racks").mean(), pl.col("least").mean(), *levels]
    spreads = gangs.group_by("size_class").agg(columns).sort("size_class").collect()
    return [_spread(row) for row in spreads.to_dicts()]


def _spread(row: Mapping[str, Any]) -> Document:
    return {
        "gpus": CLASSES[row["size_class"]],
        "jobs": figure(row["jobs"], "jobs"),
        "racks_mean": figure(row["racks"], "racks"),
        "racks_least_mean": figure(row["least"], "racks"),
        "held_by": {level: figure(row[level], "share") for level in LEVELS},
    }
