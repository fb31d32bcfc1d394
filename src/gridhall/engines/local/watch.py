"""Waiting without polling: a pipe that closes, a process that ends."""

import asyncio
import contextlib
import os

from gridhall.engines.local.shim import family

POLL_S = 0.2
"""How often to look where the kernel cannot call back (Linux before 5.3)."""


async def readable(fd: int) -> None:
    """Until a descriptor can be read or has been closed at the other end."""
    loop = asyncio.get_running_loop()
    came = loop.create_future()
    loop.add_reader(fd, lambda: None if came.done() else came.set_result(None))
    try:
        await came
    finally:
        loop.remove_reader(fd)


async def gone(pid: int, start: int) -> None:
    """Until the process of that pid and start time has ended; as a child it is reaped."""
    try:
        fd = os.pidfd_open(pid)
    except (AttributeError, OSError):
        fd = -1
    try:
        if fd >= 0 and family.start_ticks(pid) == start:
            await readable(fd)
        while not _reaped(pid) and family.start_ticks(pid) == start:
            await asyncio.sleep(POLL_S)
    finally:
        if fd >= 0:
            os.close(fd)


def _reaped(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    return False
