"""Standing still: every process below the shim is stopped where it is, and goes on from there.

SIGSTOP can neither be caught nor ignored, but processes get it one by one: while it is sent round one may start another
or let another go on, so it is sent again until none of them moves. One that the job itself had stopped before is not
let go on by the end of a pause.
"""

import contextlib
import os
import signal
import time

import family

ROUNDS = 50
ROUND_S = 0.01


class Pauses:
    """The pauses of one gang, each from ms UTC until ms UTC; 0 = it lasts."""

    def __init__(self) -> None:
        self.spans: list[list[int]] = []
        self._stopped: dict[int, int] = {}

    @property
    def lasting(self) -> bool:
        """Whether the gang stands still now."""
        return bool(self.spans) and not self.spans[-1][1]

    def begin(self, now_ms: int) -> None:
        """Stop every process below this one; a process that cannot be stopped just now is stopped when it can."""
        self.spans.append([now_ms, 0])
        for _ in range(ROUNDS):
            moving = [pid for pid in family.descendants(os.getpid()) if not family.is_still(pid)]
            if not moving:
                break
            for pid in moving:
                self._stopped[pid] = family.start_ticks(pid)
                _send(pid, signal.SIGSTOP)
            time.sleep(ROUND_S)

    def end(self, now_ms: int) -> None:
        """Let those go on that were stopped."""
        self.spans[-1][1] = now_ms
        for pid, start in self._stopped.items():
            if family.start_ticks(pid) == start:
                _send(pid, signal.SIGCONT)
        self._stopped.clear()

    def total_ms(self, now_ms: int) -> int:
        """How long the gang has stood still in all."""
        return sum((until or now_ms) - since for since, until in self.spans)


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
