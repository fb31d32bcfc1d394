"""From a fork of the runner to the job's own program: output, folder, environment, exec.

What fails here is written to the rank's log and ends it like a shell would: 127 when there is no such program, 126 for
everything else.
"""

from __future__ import annotations

import os

from attempt import Attempt

NOT_FOUND, NOT_RUN = 127, 126


def start(attempt: Attempt, node: int, local: int) -> int:
    """Start one rank and return its pid. It stays in the runner's process group: that is whom Slurm signals."""
    pid = os.fork()
    if pid:
        return pid
    code = NOT_RUN
    try:
        _become(attempt, node * attempt.per_node + local)
        code = NOT_FOUND
        os.execvpe(attempt.command[0], attempt.command, environment(attempt, node, local))
    except BaseException as error:
        program = attempt.command[0].decode(errors="replace")
        os.write(2, f"[gridhall: could not start {program!r}: {error}]\n".encode(errors="replace"))
        os._exit(code if isinstance(error, FileNotFoundError) else NOT_RUN)


def _become(attempt: Attempt, number: int) -> None:
    log = os.open(f"{attempt.folder}/rank-{number}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.closerange(3, 1024)
    os.chdir(attempt.directory or attempt.job_folder + "/work")


def environment(attempt: Attempt, node: int, local: int) -> dict[bytes, bytes]:
    """The whole environment of one rank: Slurm's, the order's, and on top what nobody may override."""
    slurms = {name: text for name, text in os.environb.items() if name.startswith(b"SLURM")}
    base = {"PATH": os.environ["PATH"], "HOME": attempt.job_folder + "/work", "LANG": "C.UTF-8"}
    ordered = dict(variable.split(b"=", 1) for variable in attempt.environment)
    # Output is a file: without PYTHONUNBUFFERED a Python job's lines would be seen late.
    return {**slurms, **_bytes(base), b"PYTHONUNBUFFERED": b"1", **ordered, **_own(attempt, node, local)}


def _own(attempt: Attempt, node: int, local: int) -> dict[bytes, bytes]:
    """What training needs to find itself, and which devices Slurm gave it."""
    own = {
        "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", ""),
        "MASTER_PORT": os.environ["MASTER_PORT"],
        "WORLD_SIZE": str(attempt.per_node * len(attempt.nodes)),
        "RANK": str(node * attempt.per_node + local),
        "NODE_RANK": str(node),
        "LOCAL_RANK": str(local),
        "LOCAL_WORLD_SIZE": str(attempt.per_node),
        "NNODES": str(len(attempt.nodes)),
        "GRIDHALL_JOB": str(attempt.job),
        "GRIDHALL_ATTEMPT": str(attempt.attempt),
        "GRIDHALL_CHECKPOINT_DIR": attempt.job_folder + "/checkpoints",
        "GRIDHALL_SAVED_MS": str(attempt.saved_ms),
    }
    names = {
        b"MASTER_ADDR": attempt.master,
        b"GRIDHALL_NODE": attempt.fleet_nodes[node],
        b"GRIDHALL_SITE": attempt.site,
    }
    return {**_bytes(own), **names}


def _bytes(texts: dict[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): os.fsencode(text) for name, text in texts.items()}
