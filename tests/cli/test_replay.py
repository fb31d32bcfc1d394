"""`gridhall replay` end to end, with kernels as plain Python so that nothing has to be compiled."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LAPTOP = Path(__file__).parents[2] / "examples" / "scenarios" / "laptop.yaml"
FORK = ("--fork-at", "2026-01-02T06:00:00Z")
TARGET = "targets=[{feed: desk/socket, start: 2026-01-02T10:00:00Z, end: 2026-01-02T12:00:00Z, limit_mw: 0.0004}]"


def gridhall(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"GRIDHALL_COMPILE": "0", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"}
    command = [sys.executable, "-m", "gridhall.cli", *map(str, words)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    done = gridhall(folder, "simulate", LAPTOP, "--set", "days=2", "--record", "--out", "recorded")
    assert done.returncode == 0, done.stderr
    return folder


def provenance(run: Path) -> Any:
    return json.loads((run / "summary.json").read_text())["provenance"]


def test_a_recorded_run_replays(runs: Path) -> None:
    done = gridhall(runs, "replay", "recorded", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["verdict"] == "same"
    assert result["digest"] == provenance(runs / "recorded")["decision_digest"]
    assert "events: same" in gridhall(runs, "replay", "recorded").stdout


def test_a_fork_without_other_settings_is_the_run_itself(runs: Path) -> None:
    done = gridhall(runs, "replay", "recorded", *FORK, "--out", "unchanged", "--json")
    assert done.returncode == 0, done.stderr
    first, second = provenance(runs / "recorded"), json.loads(done.stdout)["provenance"]
    assert second["decision_digest"] == first["decision_digest"]
    assert second["state_hash"] == first["state_hash"]
    assert (second["forked_from"], second["forked_at"]) == ("recorded", "2026-01-02T06:00:00Z")


def test_a_fork_with_other_settings_goes_another_way_from_there(runs: Path) -> None:
    worse = ("--set", "failures.rate_per_1000_node_days=5000")
    done = gridhall(runs, "replay", "recorded", *FORK, *worse)
    assert done.returncode == 0, done.stderr
    assert provenance(runs / "recorded-fork")["decision_digest"] != provenance(runs / "recorded")["decision_digest"]
    assert {"jobs", "report.html", "summary.json"} <= {entry.name for entry in (runs / "recorded-fork").iterdir()}


def test_a_fork_under_other_quotas_keeps_what_runs(runs: Path) -> None:
    quota = ("--set", "tenancy={quota_share: 0.5}")
    done = gridhall(runs, "replay", "recorded", *FORK, *quota, "--out", "quotas")
    assert done.returncode == 0, done.stderr


def test_a_run_that_was_moved_with_its_scenario_is_forked_where_it_stands(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    shutil.copytree(LAPTOP.parents[1], before / "examples")
    scenario = Path("examples", "scenarios", "laptop.yaml")
    done = gridhall(before, "simulate", scenario, "--set", "days=2", "--record", "--out", "run")
    assert done.returncode == 0, done.stderr
    before.rename(after)
    (after / scenario).write_text((after / scenario).read_text() + "\nnotes: [changed since]\n")
    done = gridhall(after, "replay", "run", *FORK, "--out", "fork", "--json")
    assert done.returncode == 0, done.stderr
    digests = [provenance(after / name)["decision_digest"] for name in ("run", "fork")]
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("replay", "none"), "header.json"),
        (("replay", "recorded", "--set", "seed=2"), "--fork-at"),
        (("replay", "recorded", *FORK, "--set", "seed=2"), "seed"),
        (("replay", "recorded", *FORK, "--set", "work.generator.load=0.2"), "work"),
        (("replay", "recorded", *FORK, "--set", TARGET), "targets"),
        (("replay", "recorded", "--fork-at", "2027-01-01"), "is not within"),
        (("replay", "recorded", "--fork-at", "noon"), "no date and time"),
    ],
)
def test_bad_input_ends_with_code_2(runs: Path, words: tuple[str, ...], told: str) -> None:
    before = sorted(runs.iterdir())
    done = gridhall(runs, *words)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(runs.iterdir()) == before


def test_an_altered_recording_is_refused(runs: Path) -> None:
    path = next((runs / "recorded" / "recording").glob("events-*.npy"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-8] + b"\1" + whole[-7:])
    try:
        done = gridhall(runs, "replay", "recorded")
    finally:
        path.write_bytes(whole)
    assert done.returncode == 2
    assert "was changed" in done.stderr
