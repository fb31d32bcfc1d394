"""What the shim is told: from a start order to its plan. Pure.

The environment of a rank is made from nothing: a plain PATH, the job's own folder as HOME, the order's variables, and
on top of these what training needs to find itself. The server's own environment is never passed on.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridhall.engines.protocol import EngineFault, StartOrder

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LOG_BYTES = 64 << 20
"""The most that is kept of one rank's output."""
STRING_BYTES = 128 << 10
"""The most that Linux takes as one argument or variable."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the engine has laid out for an attempt: a free port, its files, and its shield (see `confine`)."""

    port: int
    job: Path
    logs: Path
    shield: Mapping[str, Any]


def plan(order: StartOrder, ground: Ground) -> dict[str, Any]:
    """The plan that the shim carries out. Raises EngineFault when no process could be started from it."""
    ranks = [
        _rank(order, ground, node, local)
        for node in range(len(order.places))
        for local in range(order.processes_per_node)
    ]
    if not ranks or not order.command:
        raise EngineFault("the order has no command, no place or no process to start")
    for rank in ranks:
        _check(rank["argv"], rank["environment"])
    return {
        "key": str(order.key),
        "ranks": ranks,
        "mem_mib": order.mem_mib,
        "limit_ms": order.limit_ms,
        "grace_ms": order.grace_ms,
        "log_bytes": LOG_BYTES,
        "shield": dict(ground.shield),
    }


def environment(order: StartOrder, ground: Ground, node: int, local: int) -> dict[str, str]:
    """The whole environment of one rank: of process `local` on the place number `node`."""
    place, per_node = order.places[node], order.processes_per_node
    return {
        "PATH": PATH,
        "HOME": str(ground.job / "work"),
        "LANG": "C.UTF-8",
        # Output is a pipe: without this a Python job's lines would be seen late.
        "PYTHONUNBUFFERED": "1",
        **order.environment,
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(ground.port),
        "WORLD_SIZE": str(len(order.places) * per_node),
        "RANK": str(node * per_node + local),
        "NODE_RANK": str(node),
        "LOCAL_RANK": str(local),
        "LOCAL_WORLD_SIZE": str(per_node),
        "NNODES": str(len(order.places)),
        "CUDA_VISIBLE_DEVICES": ",".join(str(gpu) for gpu in place.gpus),
        "GRIDHALL_JOB": str(order.key.job),
        "GRIDHALL_ATTEMPT": str(order.key.attempt),
        "GRIDHALL_NODE": place.node,
        "GRIDHALL_SITE": place.site,
        "GRIDHALL_CHECKPOINT_DIR": str(ground.job / "checkpoints"),
        "GRIDHALL_SAVED_MS": str(order.saved_ms),
    }


def _rank(order: StartOrder, ground: Ground, node: int, local: int) -> dict[str, Any]:
    return {
        "argv": list(order.command),
        "environment": environment(order, ground, node, local),
        "directory": order.directory or str(ground.job / "work"),
        "log": str(ground.logs / f"rank-{node * order.processes_per_node + local}.log"),
        "node": node,
    }


def _check(argv: Sequence[str], variables: Mapping[str, str]) -> None:
    strings = [*argv, *(f"{name}={value}" for name, value in variables.items())]
    if any("\0" in string for string in strings):
        raise EngineFault("the command or a variable holds a NUL character, which no process can be given")
    if any(not name or "=" in name for name in variables):
        raise EngineFault("a variable has no name, or one with '=' in it")
    sizes = [len(os.fsencode(string)) + 1 for string in strings]
    # A quarter of the stack is what Linux takes in all; each string also costs a pointer.
    if max(sizes) > STRING_BYTES or sum(sizes) + 8 * len(sizes) > 2 << 20:
        raise EngineFault(f"command and variables are too long ({sum(sizes)} bytes): pass large data in a file")
