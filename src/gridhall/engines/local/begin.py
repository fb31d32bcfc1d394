"""The beginning of an attempt: a shim started on its record, and the wait until its ranks run."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from gridhall.engines.local import confine, folder, watch
from gridhall.engines.local.shim import paper


def spawn(record: Path) -> int:
    """Start a shim that holds the record's lock; returns a descriptor that closes when the ranks have been started."""
    lock = folder.take(record / "lock", f"{record} is in use")
    ready, done = os.pipe2(os.O_CLOEXEC)
    log = os.open(record / "shim.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        for fd in (lock, done):
            os.set_inheritable(fd, True)
        words = [sys.executable, "-I", "-S", str(confine.SHIM), "run", str(record), str(done), str(lock)]
        streams = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, log, 1)]
        os.posix_spawn(
            sys.executable,
            words,
            {},
            file_actions=[*streams, (os.POSIX_SPAWN_DUP2, log, 2)],
            setsid=True,
            setsigmask=[signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1],
        )
    except OSError:
        os.close(ready)
        raise
    finally:
        for fd in (lock, done, log):
            os.close(fd)
    return ready


async def began(record: Path, ready: int | None) -> dict[str, Any] | None:
    """The state of an attempt when its ranks have begun; None when its shim is gone before that."""
    if ready is not None:
        try:
            await watch.readable(ready)
        finally:
            os.close(ready)
    while (state := paper.read_or_none(str(record), "state.json")) is None and folder.held(record):
        await asyncio.sleep(watch.POLL_S)
    return state or paper.read_or_none(str(record), "state.json")
