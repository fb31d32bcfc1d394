"""What every benchmark says beside its figures: on which machine, under which policy, of which revision."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from gridhall.scheduling.policy import Policy

REPOSITORY = Path(__file__).resolve().parents[1]


def emit(figures: Mapping[str, object], policy: Policy | None = None) -> None:
    """Print the benchmark's result as one JSON object on one line: the figures, then policy, revision and machine.

    Without a policy (nothing was scheduled) none is named.
    """
    about = {"policy": policy.hash} if policy else {}
    about |= {"revision": revision(), "machine": machine()}
    print(json.dumps({**figures, **about}), flush=True)


def machine() -> dict[str, object]:
    """Processor, cores that this process may use, and the versions that decide about speed."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load_average": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "numba": version("numba"),
    }


def revision() -> str:
    """Short commit of this repository; `+` when files differ from it, `unknown` outside a repository."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
