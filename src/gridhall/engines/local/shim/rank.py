"""From a fork of the shim to the job's own program: its output, limits, user and shield, then exec.

What fails here is written to the rank's log and ends it like a shell would: 127 when there is no such program, 126 for
everything else.
"""

import contextlib
import os
import resource
import signal
from typing import Any

import memory
import output
import shield

OPEN_FILES = 65_536
NOT_FOUND, NOT_RUN = 127, 126


def start(plan: dict[str, Any], words: dict[str, Any], out: output.Output, group: str) -> int:
    """Start one rank and return its pid. Signals must be blocked, so that none is taken by the fork."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        out.parent()
        return pid
    code = NOT_RUN
    try:
        _become(plan, words, out, group, parent)
        code = NOT_FOUND
        os.execvpe(words["argv"][0], words["argv"], words["environment"])
    except BaseException as error:
        os.write(2, f"[gridhall: could not start {words['argv'][0]!r}: {error}]\n".encode(errors="replace"))
        os._exit(code if isinstance(error, FileNotFoundError) else NOT_RUN)


def _become(plan: dict[str, Any], words: dict[str, Any], out: output.Output, group: str, parent: int) -> None:
    os.setsid()
    _streams(out)
    memory.enter(group, plan["mem_mib"] * memory.MIB)
    _limits()
    shield.confine(plan["shield"])
    shield.die_with(parent)
    os.umask(0o022)
    os.chdir(words["directory"])
    _own_signals()


def _streams(out: output.Output) -> None:
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(out.write_end, 1)
    os.dup2(out.write_end, 2)


def _limits() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        # When the machine runs out of memory a job goes before the server.
        file.write("500")


def _own_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
