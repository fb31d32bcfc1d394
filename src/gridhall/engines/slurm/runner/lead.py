"""The batch script of a gang over several nodes, on the first of them."""

from __future__ import annotations

import os

from attempt import Attempt, now_ms, read


def main(folder: str) -> int:
    """Have srun start the ranks on every node, and write the end; the exit code is that of the Slurm job."""
    mine = Attempt(folder)
    began_ms = now_ms()
    count = str(len(mine.nodes))
    step = ["srun", "--nodes=" + count, "--ntasks=" + count, "--ntasks-per-node=1", "--kill-on-bad-exit=1", "--wait=0"]
    step += ["--mpi=none", "--input=none", "--quiet", "sh", folder + "/ranks.sh"]
    status = os.waitpid(os.posix_spawnp("srun", step, os.environ), 0)[1]
    results = [read(mine.node_result(node)) for node in range(len(mine.nodes))]
    told = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1
    return mine.end({**together([result for result in results if result], told), "began_ms": began_ms})


def together(results: list[dict[str, int]], status: int) -> dict[str, int]:
    """One result from those of the nodes; the first failure counts, else srun's own exit status."""
    failed = sorted((result["failed_ms"], result["exit_code"]) for result in results if result["failed_ms"])
    told = 128 - status if status > 128 else status
    return {
        "exit_code": failed[0][1] if failed else told,
        "ran_ms": max([result["ran_ms"] for result in results] or [0]),
        "timed_out": max([result["timed_out"] for result in results] or [0]),
    }
