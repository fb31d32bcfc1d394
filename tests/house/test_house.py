"""The house rules that a script can check."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT_IMPORTS = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"]
LARGEST_FILE = 512 * 1024
REGISTRY_HOSTS = ["py" + "pi.org", "pythonhosted" + ".org", "npm" + "js.", "deb." + "debian.org"]
MACHINE_PATHS = [r"/ro" + r"ot/", r"/ho" + r"me/\w", r"/wo" + r"rk/", r"/o" + r"pt/(?:wheels|py)", r"/Us" + r"ers/"]


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git clone: get one to check what is tracked")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).exists()]


def tracked_text() -> dict[Path, str]:
    texts: dict[Path, str] = {}
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data:
            texts[path] = data.decode()
    return texts


def places(patterns: list[str]) -> list[str]:
    found = re.compile("|".join(patterns))
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path, text in tracked_text().items()
        for number, line in enumerate(text.splitlines(), 1)
        if found.search(line)
    ]


def test_no_tracked_file_is_large() -> None:
    large = [path.relative_to(ROOT) for path in tracked() if path.stat().st_size > LARGEST_FILE]
    assert large == []


def test_no_registry_host_is_named() -> None:
    assert places([re.escape(host) for host in REGISTRY_HOSTS]) == []


def test_no_path_of_one_machine_is_named() -> None:
    assert places(MACHINE_PATHS) == []


def test_no_data_folder_or_run_is_tracked() -> None:
    kinds = {".parquet", ".zip", ".gz", ".zst", ".pyc", ".ipynb"}
    assert [path.relative_to(ROOT) for path in tracked() if path.suffix in kinds] == []


def test_import_rules_hold() -> None:
    done = subprocess.run(LINT_IMPORTS, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_import_against_the_rules_is_found_out(tmp_path: Path) -> None:
    """The linter itself is held to account: a copy of the house where the fleet asks the scheduler must fail."""
    copy = tmp_path / "src"
    subprocess.run(["cp", "-r", str(ROOT / "src"), str(copy)], check=True)
    (copy / "gridhall/fleet/wrong.py").write_text('"""Wrong."""\nimport gridhall.scheduling\n')
    done = subprocess.run(
        [*LINT_IMPORTS, "--config", str(ROOT / ".importlinter")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "gridhall.fleet is not allowed to import gridhall.scheduling" in done.stdout


def test_every_room_tells_its_story() -> None:
    silent = [
        room.name
        for room in sorted((ROOT / "src/gridhall").iterdir())
        if room.is_dir() and room.name != "__pycache__" and not has_story(room / "__init__.py")
    ]
    assert silent == []


def has_story(path: Path) -> bool:
    return path.exists() and path.read_text().startswith('"""')
