"""The batch script of an attempt: it runs on the first node, and its exit code is that of the Slurm job."""

from __future__ import annotations

import os
import sys
import zlib
from typing import Any

from attempt import Attempt, now_ms
from ranks import Ranks

FIRST_PORT, PORTS = 15_000, 15_000
"""Where ports for MASTER_PORT lie: below those that systems give out themselves."""


def main(folder: str) -> int:
    """Carry out the attempt, unless another Slurm job does."""
    mine = Attempt(folder)
    if not mine.claim(os.environ["SLURM_JOB_ID"]):
        return 0
    os.environ["MASTER_PORT"] = str(free_port(mine.key))
    began_ms = now_ms()
    result = Ranks(mine, 0).run() if len(mine.nodes) == 1 else run_step(mine)
    mine.say("ended", {**result, "began_ms": began_ms, "time_ms": now_ms()})
    code: int = result["exit_code"]
    return code if code >= 0 else 128 - code


def free_port(key: str) -> int:
    """A port on which nobody on this host listens; each attempt begins to look somewhere else."""
    import socket

    first = zlib.crc32(key.encode())
    for step in range(PORTS):
        port = FIRST_PORT + (first + step) % PORTS
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
                return port
            except OSError:
                continue
    raise SystemExit("gridhall: no free port for MASTER_PORT")


def run_step(mine: Attempt) -> dict[str, Any]:
    """Have srun start a runner on every node, and put their results together."""
    count = str(len(mine.nodes))
    step = ["srun", "--nodes=" + count, "--ntasks=" + count, "--ntasks-per-node=1", "--kill-on-bad-exit=1", "--wait=0"]
    step += ["--mpi=none", "--input=none", "--quiet"]
    here = os.path.dirname(os.path.abspath(__file__))
    pid = os.posix_spawnp("srun", [*step, sys.executable, "-I", "-S", here, "node", mine.folder], os.environ)
    status = os.waitpid(pid, 0)[1]
    return together(mine.node_results(), os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)


def together(results: list[dict[str, Any]], status: int) -> dict[str, Any]:
    """One result from those of the nodes; the first failure counts, else srun's own exit status."""
    failed = sorted((result["failed_ms"], result["exit_code"]) for result in results if result["failed_ms"])
    told = 128 - status if status > 128 else status
    return {
        "exit_code": failed[0][1] if failed else told,
        "ran_ms": max([result["ran_ms"] for result in results] or [0]),
        "timed_out": any(result["timed_out"] for result in results),
    }
