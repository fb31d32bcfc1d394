"""Where compiled kernels are kept, and under which key.

The key covers the text of a kernel's file and of every gridhall module that it imports, transitively: numba alone does
not notice that a function in another file has changed, and would run stale code.
"""

import ast
import hashlib
import importlib.metadata
import os
import sys
from functools import cache
from pathlib import Path


def cache_root() -> Path:
    """Folder of compiled kernels: GRIDHALL_CACHE, or `gridhall` in the user's cache folder."""
    named = os.environ.get("GRIDHALL_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(named) if named else Path(base) / "gridhall" / "kernels"


@cache
def source_key(path: Path) -> str:
    """Hash of a kernel file, of all gridhall files that it imports (transitively), and of the compiler's versions."""
    seen: dict[Path, str] = {}
    waiting = [path, *Path(__file__).parent.glob("*.py")]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            text = file.read_text(encoding="utf-8")
            seen[file] = text
            waiting.extend(_imported_files(text))
    total = hashlib.sha256(_compiler_versions().encode())
    for file in sorted(seen):
        total.update(seen[file].encode())
    return total.hexdigest()[:24]


@cache
def _compiler_versions() -> str:
    versions = [importlib.metadata.version(name) for name in ("numba", "llvmlite", "numpy")]
    return " ".join([sys.version, *versions])


def _imported_files(text: str) -> list[Path]:
    root = Path(__file__).parent.parent
    names: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    found: list[Path] = []
    for name in names:
        if name.split(".")[0] == "gridhall":
            base = root.joinpath(*name.split(".")[1:])
            found += [file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()]
    return found
