"""Who is there: processes by their parents, and by the time they began."""

import os
from collections.abc import Iterator


def start_ticks(pid: int) -> int:
    """When a process began, in clock ticks since boot; 0 when it has ended. With the pid it names one process."""
    fields = _fields(pid)
    return int(fields[19]) if fields and fields[0] not in "ZX" else 0


def is_still(pid: int) -> bool:
    """Whether a process does nothing: it was stopped or has ended."""
    fields = _fields(pid)
    return not fields or fields[0] in "TtZX"


def boot_id() -> str:
    """This boot of the machine; after a reboot pids mean other processes."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def descendants(root: int) -> list[int]:
    """Every process below one, children before grandchildren."""
    below: dict[int, list[int]] = {}
    for pid, fields in everyone():
        below.setdefault(int(fields[1]), []).append(pid)
    found = list(below.get(root, []))
    for pid in found:
        found.extend(below.get(pid, []))
    return found


def everyone() -> Iterator[tuple[int, list[str]]]:
    """Every process with the fields of its /proc stat from the state on: 1 = parent, 2 = group, 3 = session."""
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _fields(int(name))):
            yield int(name), fields


def _fields(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []
