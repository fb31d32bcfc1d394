"""How a load target was kept is told in the summary, in the report and on the terminal, at the feed's meter."""

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from gridhall.cli.report import render
from gridhall.cli.report.words import target_words
from gridhall.cli.simulate import print_run
from gridhall.cli.summaries import figures
from gridhall.engines.twin.index import RunIndex, read_index, write_index
from gridhall.engines.twin.settings import Target
from gridhall.engines.twin.summary import summarise
from gridhall.units import HOUR_MS, MINUTE_MS
from tests.cli.fabricated import START_MS, fabricate, facts, totals

FROM_MS, UNTIL_MS = START_MS + 4 * HOUR_MS, START_MS + 5 * HOUR_MS
LIMIT_W, BEFORE_W = 750_000, 1_000_000
PUE = 1.15


def drawn_w() -> list[int]:
    """A day of minutes: reached in the second minute, then held but for three minutes, and 2 % more later."""
    draw = [BEFORE_W] * 1_440
    draw[240:300] = [700_000] * 60
    draw[240] = 900_000
    draw[250:253] = [760_000] * 3
    draw[253:256] = [757_000] * 3  # within target + 1 %
    draw[300:360] = [BEFORE_W - 1_000] * 60
    draw[360:] = [1_020_000] * (1_440 - 360)
    return draw


def targeted(folder: Path, *more: Target) -> RunIndex:
    """A run of one day whose first feed has drawn as above, under a target."""
    index = fabricate(folder, days=1, jobs=50)
    minutes = START_MS + np.arange(1_440) * MINUTE_MS
    watts = pl.DataFrame({"minute_ms": minutes, "it_w": drawn_w(), "committed_w": drawn_w()})
    rows = pl.concat([watts.with_columns(pl.lit(feed.node, pl.Int64).alias("feed")) for feed in index.feeds])
    rows.write_parquet(folder / "site_power" / "part-0001.parquet")
    index = replace(index, targets=(Target(index.feeds[0].node, LIMIT_W, FROM_MS, UNTIL_MS), *more))
    write_index(index, folder)
    return index


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    targeted(folder)
    return folder


@pytest.fixture(scope="module")
def summary(run: Path) -> dict[str, Any]:
    paused = totals(1000 * HOUR_MS, 900 * HOUR_MS, {"paused": 12 * HOUR_MS})
    return summarise(run, facts(read_index(run), totals=paused))


def value(summary: dict[str, Any], name: str) -> float:
    return summary["targets"][0][name]["value"]


def test_the_draw_before_during_and_after_is_told_at_the_meter(summary: dict[str, Any]) -> None:
    assert summary["targets"][0]["feed"] == "feed-loughton"
    assert value(summary, "target") == pytest.approx(0.75 * PUE)
    assert value(summary, "drawn_before") == pytest.approx(1.0 * PUE)
    assert value(summary, "worst_minute") == pytest.approx(0.76 * PUE)
    assert value(summary, "mean_held") == pytest.approx((0.7 * 53 + 0.76 * 3 + 0.757 * 3) / 59 * PUE, rel=1e-5)


def test_the_first_minute_is_the_time_to_reach_it_and_only_what_passes_one_percent_counts(
    summary: dict[str, Any],
) -> None:
    assert value(summary, "reached_within") == 2
    assert value(summary, "minutes_over") == 3


def test_energy_shed_is_that_below_the_draw_before_held_flat(summary: dict[str, Any]) -> None:
    shed_mw = (60 - (0.9 + 0.76 * 3 + 0.757 * 3 + 0.7 * 53)) / 60
    assert value(summary, "shed_energy") == pytest.approx(shed_mw * PUE, rel=1e-5)


def test_the_hour_after_ends_after_an_hour(summary: dict[str, Any]) -> None:
    assert value(summary, "peak_hour_after") == pytest.approx(0.999 * PUE)
    assert value(summary, "peak_after_of_before") == pytest.approx(0.999)


def test_the_gpu_hours_that_stood_still_are_those_of_the_run(summary: dict[str, Any]) -> None:
    assert summary["paused_gpu_h"] == {"value": 12, "unit": "GPU h", "basis": "simulated"}


def test_two_targets_of_one_feed_have_figures_of_their_own(tmp_path: Path) -> None:
    index = targeted(tmp_path, Target(0, LIMIT_W, UNTIL_MS + 8 * HOUR_MS, UNTIL_MS + 9 * HOUR_MS))
    names = [name for name, _ in figures(summarise(tmp_path, facts(index))["targets"])]
    assert len(set(names)) == len(names) == 2 * 9


def test_a_target_that_was_never_reached_says_so(tmp_path: Path) -> None:
    index = targeted(tmp_path)
    index = replace(index, targets=(replace(index.targets[0], limit_w=1),))
    (kept,) = summarise(tmp_path, facts(index))["targets"]
    assert kept["reached_within"]["value"] is None
    assert kept["minutes_over"]["value"] == 59
    assert "never reached" in target_words(kept)


def test_a_target_from_the_first_minute_to_the_last_has_no_draw_before_and_none_after(tmp_path: Path) -> None:
    index = targeted(tmp_path)
    index = replace(index, targets=(replace(index.targets[0], from_ms=index.start_ms, until_ms=index.end_ms),))
    write_index(index, tmp_path)
    whole = summarise(tmp_path, facts(index))
    (kept,) = whole["targets"]
    unknown = {name for name, entry in kept.items() if isinstance(entry, dict) and entry["value"] is None}
    assert unknown == {"drawn_before", "shed_energy", "peak_hour_after", "peak_after_of_before"}
    assert "held flat" not in json.dumps(charts_of(render(tmp_path, whole)))


def charts_of(html: str) -> dict[str, Any]:
    match = re.search(r'id="charts">(.*?)</script>', html, re.S)
    assert match is not None
    return json.loads(match[1])


def test_the_report_draws_draw_target_and_baseline_around_it(run: Path, summary: dict[str, Any]) -> None:
    html = render(run, summary)
    assert "<h2>Load targets</h2>" in html
    (chart,) = [chart for chart in charts_of(html).values() if "held flat" in json.dumps(chart)]
    draw, allowed, before = chart["data"]
    assert draw["x0"] == "2026-01-01T03:00:00Z"
    assert len(draw["y"]) == 60 + 60 + 90
    assert draw["y"][60] == pytest.approx(0.9 * PUE, rel=1e-4)
    assert allowed["x"][1:3] == ["2026-01-01T04:00:00Z", "2026-01-01T05:00:00Z"]
    assert allowed["y"][1] == pytest.approx(0.75 * PUE, rel=1e-4)
    assert allowed["y"][0] == allowed["y"][2] == summary["power"][0]["limit"]["value"]
    assert before["y"] == [pytest.approx(PUE)] * 2
    assert "simulated" in html[html.index("<h2>Load targets</h2>") :]


def test_a_report_without_targets_has_no_such_section(tmp_path: Path) -> None:
    summary = summarise(tmp_path, facts(fabricate(tmp_path, days=1, jobs=50)))
    assert summary["targets"] == []
    assert "Load targets" not in render(tmp_path, summary)


def test_the_run_is_printed_with_a_line_for_each_target(
    run: Path, summary: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    print_run(summary, run)
    printed = capsys.readouterr().out
    assert "feed-loughton from 2026-01-01T04:00:00Z to 2026-01-01T05:00:00Z (simulated)" in printed
    assert "reached within 2 min" in printed


def test_the_index_of_an_older_run_is_still_read(tmp_path: Path) -> None:
    index = fabricate(tmp_path, days=1, jobs=50)
    written = json.loads((tmp_path / "index.json").read_text())
    del written["targets"]
    (tmp_path / "index.json").write_text(json.dumps(written))
    assert read_index(tmp_path) == index


def test_targets_are_written_beside_the_tables_and_read_back(run: Path) -> None:
    (target,) = read_index(run).targets
    assert asdict(target) == {"power": 0, "limit_w": LIMIT_W, "from_ms": FROM_MS, "until_ms": UNTIL_MS}
