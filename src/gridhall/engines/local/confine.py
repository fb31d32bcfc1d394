"""How jobs are kept apart and away from the server's files.

As root every organisation has its own uid, and the private folders are covered by an empty one in the job's view of the
files (or, where the machine allows no mounts, are closed by their modes). As an ordinary user all jobs share the
server's uid, so there can be only one organisation; the private folders are hidden by Landlock or, on a kernel without
it, by a user namespace. Where none of this is possible no job is started: there is no insecure mode.
"""

import enum
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gridhall.engines.local.shim import paper, shield
from gridhall.engines.protocol import EngineFault

FIRST_UID, UIDS = 200_000, 65_536
SHIM = Path(__file__).parent / "shim"


class Hide(enum.Enum):
    """How the private folders are kept from a job: the first two need root, the last two do not."""

    MOUNTS = "mounts"
    MODES = "modes"
    LANDLOCK = "landlock"
    NAMESPACE = "namespace"


def choose() -> Hide:
    """The best that this machine and user allow. Raises EngineFault when there is nothing."""
    if os.geteuid() == 0:
        return Hide.MOUNTS if can(Hide.MOUNTS) else Hide.MODES
    if shield.landlock_abi():
        return Hide.LANDLOCK
    if can(Hide.NAMESPACE):
        return Hide.NAMESPACE
    raise EngineFault(
        "jobs could read the server's files: this kernel has no Landlock and allows no user namespaces. Run the server "
        "as root, on Linux 5.13 or newer, or set the sysctl user.max_user_namespaces"
    )


def can(hide: Hide) -> bool:
    """Whether a process may hide folders by a mount of its own; tried in a child."""
    words = [sys.executable, "-I", "-S", str(SHIM), "probe", hide.value]
    return subprocess.run(words, check=False, capture_output=True, env={}).returncode == 0


def uid_of(root: Path, organisation: str) -> int:
    """The uid of an organisation, the same for ever; 0 = the server's own, where it is not root.

    Raises EngineFault for a second organisation where they could not be kept apart.
    """
    known: dict[str, int] = paper.read_or_none(str(root), "organisations.json") or {}
    if organisation not in known:
        _admit(organisation, known)
        known[organisation] = len(known)
        paper.write(str(root), "organisations.json", known)
    return FIRST_UID + known[organisation] if os.geteuid() == 0 else 0


def plan(hide: Hide, private: Sequence[Path], job: Path, uid: int) -> dict[str, Any]:
    """The shield of one attempt, as the shim is told."""
    hidden = [closed_at(path) if hide is Hide.MOUNTS else path for path in private]
    tops = sorted(
        {str(path) for path in hidden if not any(path != other and path.is_relative_to(other) for other in hidden)}
    )
    return {"hide": hide.value, "uid": uid, "hidden": tops, "open": [str(job)]}


def check_private(hide: Hide, root: Path, private: Sequence[Path]) -> None:
    """Raise EngineFault when a private folder is not there, or modes alone must close it and do not."""
    for path in private:
        if not path.is_dir():
            raise EngineFault(f"{path} is to be kept from jobs but is no folder")
        if hide is Hide.MODES and path != root and path.stat().st_mode & 0o077 and closed_at(path) == path:
            raise EngineFault(f"jobs could read {path}: run chmod 700 {path}")
    if hide is Hide.MODES and (closed := closed_at(root)) != root:
        raise EngineFault(
            f"jobs cannot reach their files below {closed}: run chmod o+x {closed}, or use another folder"
        )


def check_directory(hide: Hide, private: Sequence[Path], directory: str) -> None:
    """Raise EngineFault when a job's directory lies on the way to a private folder, where Landlock would close it."""
    if "\0" in directory or (directory and not os.path.isabs(directory)):
        raise EngineFault(f"the directory {directory!r} is not an absolute path")
    if hide is not Hide.LANDLOCK or not directory:
        return
    real = Path(os.path.realpath(directory))
    for path in private:
        if path.is_relative_to(real):
            raise EngineFault(
                f"the directory {directory} holds the server's own files in {path}, so no job may write to it: "
                "use a folder inside it, or keep the server's files elsewhere"
            )


def closed_at(path: Path) -> Path:
    """The uppermost folder on the way to `path` that other users cannot pass, or the path itself."""
    return next((way for way in reversed(path.parents) if not way.stat().st_mode & 0o001), path)


def _admit(organisation: str, known: dict[str, int]) -> None:
    if known and os.geteuid() != 0:
        raise EngineFault(
            f"this engine runs the work of organisation {next(iter(known))!r} and cannot keep that of {organisation!r} "
            "apart from it: run the server as root, so that each has its own uid, or one server for each"
        )
    if len(known) >= UIDS:
        raise EngineFault(f"all {UIDS} uids for organisations are taken")
