import os
import shutil
import subprocess
import sys
from pathlib import Path

from gridhall.kernel import cache
from gridhall.kernel.cache import source_key

CALLEE = """
from gridhall.kernel import kernel


@kernel
def rate(hours: int) -> int:
    return hours * {factor}
"""
CALLER = """
from gridhall.kernel import kernel
from gridhall.callee import rate


@kernel
def bill(hours: int) -> int:
    return rate(hours) + 1
"""
ASK = "import gridhall, gridhall.caller; print(gridhall.__file__, gridhall.caller.bill(10), sep='|')"


def package_with(folder: Path, factor: int) -> Path:
    """A gridhall of two kernel files, one calling the other, with the real `kernel` module under them."""
    room = folder / "gridhall"
    shutil.copytree(Path(cache.__file__).parent, room / "kernel", dirs_exist_ok=True)
    (room / "__init__.py").write_text("", encoding="utf-8")
    (room / "caller.py").write_text(CALLER, encoding="utf-8")
    (room / "callee.py").write_text(CALLEE.format(factor=factor), encoding="utf-8")
    return room


def ask(folder: Path) -> str:
    """What a fresh process gets from `bill(10)`, with compiled kernels kept beside the package."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "GRIDHALL_CACHE": str(folder / "cache")}
    environment.pop("GRIDHALL_COMPILE", None)
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=folder,
        env=environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    file, result = done.stdout.strip().split("|")
    assert Path(file).parent == folder / "gridhall"
    return result


def compiled_files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in (folder / "cache").rglob("*.nbc")}


def test_a_changed_callee_in_another_file_gives_the_new_result(tmp_path: Path) -> None:
    package_with(tmp_path, factor=2)
    assert ask(tmp_path) == "21"
    package_with(tmp_path, factor=3)
    assert ask(tmp_path) == "31"


def test_unchanged_kernels_are_not_compiled_again(tmp_path: Path) -> None:
    package_with(tmp_path, factor=2)
    ask(tmp_path)
    before = compiled_files(tmp_path)
    ask(tmp_path)
    assert before
    assert compiled_files(tmp_path) == before


def test_the_key_covers_files_imported_by_imported_files() -> None:
    root = Path(cache.__file__).parents[1]
    keys = {source_key(root / name) for name in ("controller/step.py", "tenancy/quota.py", "fleet/capacity.py")}
    assert len(keys) == 3
