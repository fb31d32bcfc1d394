"""An upgrade of the kernels with a live ledger: a new segment, the same jobs, and a replay that says what it can."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gridhall

ROOT = Path(__file__).parents[2]
OURS = Path(gridhall.__file__).parents[1]
STATE, DECISIONS = "controller/state.py", "scheduling/decisions.py"
REFUSAL = "start the earlier version once and stop it: that closes its segment"


def harmless(text: str) -> str:
    return text + "\n# another version of this file, which decides the same\n"


def with_a_column(text: str) -> str:
    mark = "    n_slots = column(1)\n"
    assert mark in text
    return text.replace(mark, mark + "    upgrades = column(1)  # what an upgrade could bring\n")


def otherwise(text: str) -> str:
    mark = "w.effects[base + 1] = time_ms"
    assert mark in text
    return text.replace(mark, "w.effects[base + 1] = time_ms + 1")


def version(folder: Path, file: str, change: Callable[[str], str]) -> Path:
    """Another version of the sources: a place for PYTHONPATH."""
    shutil.copytree(OURS / "gridhall", folder / "gridhall", ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "gridhall" / file
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


def python(code: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GRIDHALL_COMPILE": "0", "PYTHONPATH": f"{code}{os.pathsep}{ROOT}"}
    return subprocess.run(
        [sys.executable, "-m", *words], env=env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def life(code: Path, store: Path, part: str, how: str = "stop") -> dict[str, Any]:
    run = python(code, "tests.e2e.upgrade_life", str(store), part, how)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def replay(code: Path, store: Path) -> dict[str, Any]:
    return json.loads(python(code, "gridhall.cli", "replay", str(store), "--json").stdout)


def test_after_a_clean_stop_a_version_with_a_new_column_goes_on(tmp_path: Path) -> None:
    newer, store = version(tmp_path / "newer", STATE, with_a_column), tmp_path / "store"
    store.mkdir()
    first = life(OURS, store, "begin")
    not_ours = python(newer, "gridhall.cli", "replay", str(store))
    assert not_ours.returncode == 1
    assert "decided by other versions: not comparable" in not_ours.stdout
    second = life(newer, store, "end")
    assert first["kernels"] != second["kernels"]
    assert (second["epoch"], second["replayed"]) == (2, 0)
    assert second["columns"] == first["columns"] + 1
    assert list(second["states"].values()) == ["running"]
    assert python(newer, "gridhall.cli", "ledger", "verify", str(store)).returncode == 0


def test_after_a_kill_a_version_that_decides_the_same_goes_on(tmp_path: Path) -> None:
    newer, store = version(tmp_path / "newer", DECISIONS, harmless), tmp_path / "store"
    store.mkdir()
    life(OURS, store, "begin", "kill")
    second = life(newer, store, "end")
    assert second["replayed"] > 0
    assert list(second["states"].values()) == ["running"]


def test_after_a_kill_a_version_that_decides_otherwise_is_refused_until_the_earlier_one_was_stopped(
    tmp_path: Path,
) -> None:
    newer, store = version(tmp_path / "newer", DECISIONS, otherwise), tmp_path / "store"
    store.mkdir()
    life(OURS, store, "begin", "kill")
    refused = life(newer, store, "go-on")
    assert REFUSAL in refused["refused"]
    again = life(OURS, store, "go-on")
    assert list(again["states"].values()) == ["running"]
    second = life(newer, store, "end")
    assert list(second["states"].values()) == ["running"]


def test_back_and_forth_every_part_is_replayed_by_its_own_version(tmp_path: Path) -> None:
    newer, store = version(tmp_path / "newer", DECISIONS, otherwise), tmp_path / "store"
    store.mkdir()
    life(OURS, store, "begin")
    life(newer, store, "go-on")
    life(OURS, store, "end")
    for code in (OURS, newer):
        result = replay(code, store)
        assert result["verdict"] == "same"
        assert result["not_comparable"] > 0
