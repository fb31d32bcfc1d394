"""Every figure of a summary has a unit and says what it rests on, and the sums are right."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from gridhall.cli.summaries import figures
from gridhall.engines.twin.summary import summarise
from gridhall.engines.twin.tables import scan_table
from gridhall.units import HOUR_MS
from tests.cli.fabricated import RACK_GPUS, SITES, fabricate, facts

BASES = {"measured", "published", "assumed", "synthetic", "simulated"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    fabricate(folder)
    return folder


@pytest.fixture(scope="module")
def summary(run: Path) -> dict[str, Any]:
    from gridhall.engines.twin.index import read_index

    return summarise(run, facts(read_index(run)))


def test_every_number_is_a_figure_with_unit_and_basis(summary: dict[str, Any]) -> None:
    found = dict(figures({key: part for key, part in summary.items() if key not in ("period", "provenance")}))
    assert len(found) > 200
    assert {entry["basis"] for entry in found.values()} <= BASES
    assert all(entry["unit"] for entry in found.values())


def test_no_number_stands_outside_a_figure(summary: dict[str, Any]) -> None:
    def bare(part: Any) -> bool:
        if isinstance(part, dict):
            return "basis" not in part and any(bare(child) for child in part.values())
        return any(bare(child) for child in part) if isinstance(part, list) else isinstance(part, int | float)

    assert not bare({key: part for key, part in summary.items() if key not in ("period", "provenance")})


def test_announced_gpus_count_what_never_comes(summary: dict[str, Any]) -> None:
    announced = sum(racks // 4 * 4 * RACK_GPUS for _, _, racks in SITES)
    assert summary["build_out"]["gpus_announced"] == {"value": announced, "unit": "GPU", "basis": "published"}
    assert summary["build_out"]["gpus_on_line_at_end"]["value"] == announced * 3 // 4


def test_energy_is_that_of_the_minutes_and_cost_that_of_the_price(run: Path, summary: dict[str, Any]) -> None:
    joules = scan_table(run, "site_power").select(pl.col("it_w").sum()).collect().item() * 60
    assert summary["energy"]["it_energy"]["value"] == pytest.approx(joules / 3.6e9, rel=1e-4)
    assert summary["energy"]["site_energy"]["value"] == pytest.approx(joules * 1.15 / 3.6e9, rel=1e-4)
    gb = [row for row in summary["energy"]["by_site"] if row["site"] != "narvik"]
    for row in gb:
        assert row["cost"]["value"] == pytest.approx(row["site_energy"]["value"] * 76.5, rel=1e-4)
        assert row["carbon"]["value"] == pytest.approx(row["site_energy"]["value"] * 0.150, rel=1e-4)


def test_months_and_sites_add_up_to_the_whole(summary: dict[str, Any]) -> None:
    for key in ("site_energy", "cost", "carbon"):
        for part in ("by_month", "by_site"):
            total = sum(row[key]["value"] for row in summary["energy"][part])
            assert total == pytest.approx(summary["energy"][key]["value"], rel=1e-4)


def test_gpu_hours_by_country_are_those_of_the_intervals(run: Path, summary: dict[str, Any]) -> None:
    gpu_ms = (pl.col("gpus") * (pl.col("end_ms") - pl.col("start_ms"))).sum()
    total = scan_table(run, "intervals").select(gpu_ms).collect().item() / HOUR_MS
    told = sum(figure["value"] for row in summary["tenants"] for figure in row["gpu_h"].values())
    assert told == pytest.approx(total, rel=1e-4)


def test_refused_jobs_are_told_by_reason_and_by_project(summary: dict[str, Any]) -> None:
    refused = summary["jobs"]["refused"]["value"]
    assert refused > 0
    assert [row["reason"] for row in summary["refusals"]] == ["no allowed place"]
    assert sum(row["jobs_refused"]["value"] for row in summary["tenants"]) == refused


def test_waits_leave_out_what_never_started(run: Path, summary: dict[str, Any]) -> None:
    jobs = scan_table(run, "jobs").collect()
    started = jobs.filter(~pl.col("state").is_in([0, 6]))
    assert sum(row["jobs_started"]["value"] for row in summary["waits"]) == started.height
    single = started.filter(pl.col("gpus") == 1)
    hours = (single["start_ms"] - single["submit_ms"]).to_numpy() / HOUR_MS
    assert summary["waits"][0]["mean_h"]["value"] == pytest.approx(hours.mean(), rel=1e-4)
    assert summary["waits"][0]["p50_h"]["value"] == pytest.approx(np.median(hours), rel=0.05)


def test_a_gang_never_spans_fewer_racks_than_possible(summary: dict[str, Any]) -> None:
    for row in summary["topology"]:
        assert row["racks_mean"]["value"] >= row["racks_least_mean"]["value"]
        assert sum(figure["value"] for figure in row["held_by"].values()) == pytest.approx(1, abs=1e-4)


def test_goodput_is_what_is_left_of_the_allocated_time(summary: dict[str, Any]) -> None:
    goodput = summary["goodput"]
    lost = sum(figure["value"] for figure in goodput["lost_gpu_h"].values())
    assert goodput["useful_gpu_h"]["value"] == goodput["allocated_gpu_h"]["value"] - lost
    assert goodput["goodput"]["value"] == pytest.approx(880 / 900, rel=1e-4)


def test_minutes_above_a_limit_are_counted(tmp_path: Path) -> None:
    from dataclasses import replace

    index = fabricate(tmp_path, days=2)
    tight = replace(index, feeds=tuple(replace(feed, limit_it_w=1) for feed in index.feeds))
    summary = summarise(tmp_path, facts(tight))
    assert [feed["minutes_over_limit"]["value"] for feed in summary["power"]] == [2 * 1440] * 3
