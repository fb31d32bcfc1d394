"""GPUs on line against those of the fleet file, the money spent on them, and how they were used."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from gridhall.engines.twin.index import Arrival, RunIndex
from gridhall.engines.twin.settings import Totals
from gridhall.engines.twin.summary.figure import Basis, figure, share
from gridhall.engines.twin.tables import scan_table
from gridhall.units import HOUR_MS, MICRO

Document = dict[str, Any]


def build_out(index: RunIndex, gpus_basis: Basis, capex_basis: Basis) -> Document:
    """What the fleet file promises and what has come on line by the end of the run."""
    here = [group for group in index.arrivals if group.ready_from_ms < index.end_ms]
    here = [group for group in here if group.ready_to_ms >= index.end_ms]
    spent = sum(group.capex_musd for group in index.arrivals if group.ready_from_ms < index.end_ms)
    total = sum(group.capex_musd for group in index.arrivals)
    return {
        "gpus_announced": figure(index.gpus, "GPU", gpus_basis),
        "gpus_on_line_at_end": figure(sum(group.gpus for group in here), "GPU", "assumed"),
        "capex_spent": figure(spent / MICRO, "USD", capex_basis),
        "capex_announced": figure(total / MICRO, "USD", capex_basis),
        "sites": [_site(index, number, here, gpus_basis) for number in range(len(index.sites))],
    }


def _site(index: RunIndex, number: int, here: list[Arrival], basis: Basis) -> Document:
    site = index.sites[number]
    return {
        "site": site.name,
        "country": site.country,
        "gpus_announced": figure(sum(cell.gpus for cell in index.cells if cell.site == number), "GPU", basis),
        "gpus_on_line_at_end": figure(sum(group.gpus for group in here if group.site == number), "GPU", "assumed"),
        "pue": figure(site.pue_milli / 1000, "ratio", "assumed"),
    }


def use(run: Path, index: RunIndex, totals: Totals) -> Document:
    """GPU-hours on line, allocated, down and idle: the whole from exact sums, sites from the hourly table of cells."""
    hourly = scan_table(run, "fleet").group_by("cell").agg(pl.col("online_gpus", "allocated_gpus", "down_gpus").sum())
    cells: dict[int, dict[str, int]] = {row["cell"]: row for row in hourly.collect().to_dicts()}
    by_site = [_sum([cells[c] for c in cells if index.cells[c].site == s]) for s in range(len(index.sites))]
    sites = [{"site": index.sites[s].name, **_use(hours)} for s, hours in enumerate(by_site)]
    exact = {
        "online_gpus": totals.online_gpu_ms / HOUR_MS,
        "allocated_gpus": totals.allocated_gpu_ms / HOUR_MS,
        "down_gpus": _sum(list(cells.values()))["down_gpus"],
    }
    return {**_use(exact), "sites": sites}


def _sum(rows: list[Mapping[str, int]]) -> dict[str, int]:
    return {key: sum(row[key] for row in rows) for key in ("online_gpus", "allocated_gpus", "down_gpus")}


def _use(hours: Mapping[str, float]) -> Document:
    online, allocated, down = hours["online_gpus"], hours["allocated_gpus"], hours["down_gpus"]
    return {
        "utilisation": figure(share(allocated, online), "share"),
        "online_gpu_h": figure(online, "GPU h"),
        "allocated_gpu_h": figure(allocated, "GPU h"),
        "down_gpu_h": figure(down, "GPU h"),
        "idle_gpu_h": figure(online - allocated, "GPU h"),
    }
