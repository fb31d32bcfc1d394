"""From a fork of the runner to the job's own program: output, folder, environment, exec.

What fails here is written to the rank's log and ends it like a shell would: 127 when there is no such program, 126 for
everything else.
"""

from __future__ import annotations

import os
import signal

from attempt import Attempt

WATCHED = frozenset({signal.SIGCHLD, signal.SIGTERM})
NOT_FOUND, NOT_RUN = 127, 126


def start(attempt: Attempt, node: int, local: int) -> int:
    """Start one rank and return its pid. `WATCHED` must be blocked, so that none is taken by the fork.

    A rank stays in the runner's process group: that is whom Slurm signals.
    """
    pid = os.fork()
    if pid:
        return pid
    code = NOT_RUN
    try:
        _become(attempt, node * attempt.per_node + local)
        code = NOT_FOUND
        command: list[str] = attempt.order["command"]
        os.execvpe(command[0], command, environment(attempt, node, local))
    except BaseException as error:
        os.write(2, f"[gridhall: could not start {attempt.order['command'][0]!r}: {error}]\n".encode(errors="replace"))
        os._exit(code if isinstance(error, FileNotFoundError) else NOT_RUN)


def _become(attempt: Attempt, number: int) -> None:
    log = os.open(f"{attempt.folder}/rank-{number}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.closerange(3, 1024)
    os.chdir(attempt.order["directory"] or attempt.job_folder + "/work")
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)


def environment(attempt: Attempt, node: int, local: int) -> dict[str, str]:
    """The whole environment of one rank: Slurm's, the order's, and on top what nobody may override."""
    order = attempt.order
    slurms = {name: text for name, text in os.environ.items() if name.startswith("SLURM")}
    return {
        **slurms,
        "PATH": os.environ["PATH"],
        "HOME": attempt.job_folder + "/work",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        **order["environment"],
        "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", ""),
        **_ranks(attempt, node, local),
        "GRIDHALL_JOB": str(order["job"]),
        "GRIDHALL_ATTEMPT": str(order["attempt"]),
        "GRIDHALL_NODE": order["fleet_nodes"][node],
        "GRIDHALL_SITE": order["site"],
        "GRIDHALL_CHECKPOINT_DIR": attempt.job_folder + "/checkpoints",
        "GRIDHALL_SAVED_MS": str(order["saved_ms"]),
    }


def _ranks(attempt: Attempt, node: int, local: int) -> dict[str, str]:
    """What training needs to find itself."""
    return {
        "MASTER_ADDR": attempt.order["master"],
        "MASTER_PORT": os.environ["MASTER_PORT"],
        "WORLD_SIZE": str(attempt.per_node * len(attempt.nodes)),
        "RANK": str(node * attempt.per_node + local),
        "NODE_RANK": str(node),
        "LOCAL_RANK": str(local),
        "LOCAL_WORLD_SIZE": str(attempt.per_node),
        "NNODES": str(len(attempt.nodes)),
    }
