"""Where every project's work ran, and what was refused."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from gridhall.engines.twin.index import RunIndex
from gridhall.engines.twin.summary.figure import figure
from gridhall.engines.twin.summary.jobs import QUEUED, REFUSED
from gridhall.engines.twin.tables import REASONS, scan_table
from gridhall.units import HOUR_MS

Document = dict[str, Any]


def gpu_hours_by_country(run: Path, index: RunIndex) -> list[Document]:
    """Per project, the most used first: GPU-hours in each country, and jobs and GPUs refused."""
    gpu_ms = (
        (pl.col("gpus") * pl.col("gpu_milli") * (pl.col("end_ms") - pl.col("start_ms")) // 1000).sum().alias("gpu_ms")
    )
    used: dict[int, dict[str, int]] = {}
    for project, site, total in (
        scan_table(run, "intervals").group_by("project", "site").agg(gpu_ms).collect().iter_rows()
    ):
        countries = used.setdefault(project, {})
        country = index.sites[int(site)].country
        countries[country] = countries.get(country, 0) + total
    outcomes = _outcomes(run)
    order = sorted(used.keys() | outcomes.keys(), key=lambda project: (-sum(used.get(project, {}).values()), project))
    return [_project(index, project, used.get(project, {}), outcomes.get(project, {})) for project in order]


def _outcomes(run: Path) -> dict[int, Mapping[str, int]]:
    refused, waiting = pl.col("state") == REFUSED, pl.col("state") == QUEUED
    columns = [
        pl.len().alias("jobs"),
        refused.sum().alias("refused"),
        pl.col("gpus").filter(refused).sum().alias("refused_gpus"),
        waiting.sum().alias("waiting"),
    ]
    frame = scan_table(run, "jobs").group_by("project").agg(columns).collect()
    return {row["project"]: row for row in frame.to_dicts()}


def _project(index: RunIndex, project: int, used: Mapping[str, int], outcome: Mapping[str, int]) -> Document:
    name = index.projects[project]
    return {
        "project": name.name,
        "organisation": name.organisation,
        "gpu_h": {country: figure(total / HOUR_MS, "GPU h") for country, total in sorted(used.items())},
        "jobs": figure(outcome.get("jobs", 0), "jobs"),
        "jobs_refused": figure(outcome.get("refused", 0), "jobs"),
        "gpus_refused": figure(outcome.get("refused_gpus", 0), "GPU"),
        "jobs_waiting_at_end": figure(outcome.get("waiting", 0), "jobs"),
    }


def refusals(run: Path) -> list[Document]:
    """Jobs refused, by reason."""
    refused = scan_table(run, "jobs").filter(pl.col("state") == REFUSED).group_by("reason").len().collect()
    return [{"reason": REASONS[reason], "jobs": figure(count, "jobs")} for reason, count in sorted(refused.iter_rows())]
