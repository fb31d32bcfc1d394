"""The batch script of an attempt: it runs on the first node, and its exit code is that of the Slurm job."""

from __future__ import annotations

import os
import sys

from attempt import Attempt, now_ms, read_numbers
from ranks import Ranks

FIRST_PORT, PORTS = 15_000, 15_000
"""Where ports for MASTER_PORT lie: below those that systems give out themselves."""


def main(folder: str) -> int:
    """Carry out the attempt, unless another Slurm job does."""
    mine = Attempt(folder)
    if not mine.claim(os.environ["SLURM_JOB_ID"]):
        return 0
    os.environ["MASTER_PORT"] = str(free_port(mine.job, mine.attempt))
    began_ms = now_ms()
    result = Ranks(mine, 0).run() if len(mine.nodes) == 1 else run_step(mine)
    mine.say("ended", {**result, "began_ms": began_ms, "time_ms": now_ms()})
    return result["exit_code"] if result["exit_code"] >= 0 else 128 - result["exit_code"]


def free_port(job: int, attempt: int) -> int:
    """A port that nobody on this host uses; each attempt begins to look somewhere else."""
    used = ""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(table):
            with open(table, encoding="ascii") as file:
                used += file.read()
    first = job * 7919 + attempt * 1009
    ports = (FIRST_PORT + (first + step) % PORTS for step in range(PORTS))
    return next(port for port in ports if f":{port:04X} " not in used)


def run_step(mine: Attempt) -> dict[str, int]:
    """Have srun start a runner on every node, and put their results together."""
    count = str(len(mine.nodes))
    step = ["srun", "--nodes=" + count, "--ntasks=" + count, "--ntasks-per-node=1", "--kill-on-bad-exit=1", "--wait=0"]
    step += ["--mpi=none", "--input=none", "--quiet"]
    again = [sys.executable, "-E", "-s", "-S", os.path.abspath(sys.argv[0]), "node", mine.folder]
    status = os.waitpid(os.posix_spawnp("srun", step + again, os.environ), 0)[1]
    results = [read_numbers(mine.node_result(rank)) for rank in range(len(mine.nodes))]
    return together([result for result in results if result], os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)


def together(results: list[dict[str, int]], status: int) -> dict[str, int]:
    """One result from those of the nodes; the first failure counts, else srun's own exit status."""
    failed = sorted((result["failed_ms"], result["exit_code"]) for result in results if result["failed_ms"])
    told = 128 - status if status > 128 else status
    return {
        "exit_code": failed[0][1] if failed else told,
        "ran_ms": max([result["ran_ms"] for result in results] or [0]),
        "timed_out": max([result["timed_out"] for result in results] or [0]),
    }
