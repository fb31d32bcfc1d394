"""A memory limit per node of the gang: a cgroup where root may make one, RLIMIT_DATA on each process elsewhere.

RLIMIT_AS would be the obvious limit but counts address space that is only reserved, of which CUDA takes terabytes;
RLIMIT_DATA counts what can be written.
"""

import contextlib
import os
import resource

V2 = "/sys/fs/cgroup/gridhall"
V1 = "/sys/fs/cgroup/memory/gridhall"
MIB = 1 << 20


class Groups:
    """The cgroups of one attempt by node rank; `mem_mib` 0 = no limit."""

    def __init__(self, key: str, mem_mib: int) -> None:
        self.name = f"{key}-{os.getpid()}"
        self.bytes = mem_mib * MIB
        self.made: dict[int, str] = {}

    def of(self, node: int) -> str:
        """The cgroup of a node, made at the first call; "" where there is none and the rank is limited by itself."""
        if not self.bytes or os.geteuid() != 0:
            return ""
        if node not in self.made:
            self.made[node] = _make(f"{self.name}-{node}", self.bytes)
        return self.made[node]

    def folders(self) -> list[str]:
        """The cgroups that were made."""
        return [folder for folder in self.made.values() if folder]

    def remove(self) -> None:
        """Take the cgroups away; their processes are gone."""
        for folder in self.folders():
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def enter(group: str, mem_bytes: int) -> None:
    """Put this process under its node's limit."""
    if group:
        _put(os.path.join(group, "cgroup.procs"), str(os.getpid()))
    elif mem_bytes:
        resource.setrlimit(resource.RLIMIT_DATA, (mem_bytes, mem_bytes))


def _make(name: str, most: int) -> str:
    for base, limit, swap in (
        (V2, "memory.max", "memory.swap.max"),
        (V1, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),
    ):
        folder = os.path.join(base, name)
        try:
            _base(base)
            os.mkdir(folder)
            _put(os.path.join(folder, limit), str(most))
        except OSError:
            with contextlib.suppress(OSError):
                os.rmdir(folder)
            continue
        with contextlib.suppress(OSError):
            _put(os.path.join(folder, swap), "0" if base == V2 else str(most))
        return folder
    return ""


def _base(folder: str) -> None:
    parent = os.path.dirname(folder)
    if folder == V2 and not os.path.exists(os.path.join(parent, "cgroup.controllers")):
        raise FileNotFoundError(parent)
    os.makedirs(folder, exist_ok=True)
    if folder == V2:
        _put(os.path.join(folder, "cgroup.subtree_control"), "+memory")


def _put(path: str, words: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, words.encode())
    finally:
        os.close(descriptor)
