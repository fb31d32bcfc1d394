"""End what a dead shim left behind: its ranks die with it, but what they started may not.

Such a process is known by its cgroup, by its group or session (as long as the rank that leads it is the recorded one),
and by the job's variables in its environment.
"""

import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gridhall.engines.local.shim import family

ROUNDS = 50
"""How often to look again: a process may start another one while it is being killed."""


def end_remains(state: Mapping[str, Any] | None, marks: tuple[str, ...]) -> None:
    """Kill all processes of an attempt. `state` is its record, `marks` are variables that only its processes have."""
    if state and state["boot"] != family.boot_id():
        return
    for _ in range(ROUNDS):
        found = remains(state, marks)
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            break
    for folder in state["cgroups"] if state else ():
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def remains(state: Mapping[str, Any] | None, marks: tuple[str, ...]) -> set[int]:
    """Every process of an attempt that is still there."""
    leaders = {rank["pid"]: rank["start"] for rank in state["ranks"]} if state else {}
    leading = {pid for pid, start in leaders.items() if family.start_ticks(pid) in (0, start)}
    found = {pid for folder in (state["cgroups"] if state else ()) for pid in _members(Path(folder))}
    for pid, fields in family.everyone():
        if fields[0] in "ZX" or pid == os.getpid():
            continue
        if leading & {int(fields[2]), int(fields[3])} or _marked(pid, marks):
            found.add(pid)
    return found


def _members(folder: Path) -> list[int]:
    try:
        return [int(line) for line in (folder / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def _marked(pid: int, marks: tuple[str, ...]) -> bool:
    try:
        words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return all(os.fsencode(mark) in words for mark in marks)
