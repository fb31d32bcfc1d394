"""The ranks on one node, from start to end, as the node's script tells of them: `pid RANK PID`, `end RANK STATUS`."""

from __future__ import annotations

import os
import select
import signal
import time

from attempt import Attempt, now_ms, write

PIPE = 0
TICK_S = 0.5
FAILED_GRACE_S = 5.0
"""After the failure of one rank the others may take so long to end."""
UNHEARD_S = 1.0
"""Slurm loses a signal to a gang that is just being resumed: after so long the runner signals its ranks itself."""
SIGNALS = range(129, 193)
"""A shell's exit status of a process that a signal ended: 128 and the signal's number."""


def main(folder: str, node: str, count: str) -> int:
    """Watch this node's ranks until the last is gone."""
    mine = Attempt(folder)
    ranks = Ranks(mine, int(count))
    signal.signal(signal.SIGTERM, ranks.tell)
    result = ranks.watch()
    if len(mine.nodes) == 1:
        return mine.end(result)
    write(mine.node_result(int(node)), result)
    # only a failure may end the other nodes: of a stop or a time limit they hear themselves
    return 1 if result["exit_code"] and not ranks.told and not ranks.timed_out else 0


class Ranks:
    """`told`: a SIGTERM came, which Slurm sends to the ranks as well."""

    def __init__(self, attempt: Attempt, count: int) -> None:
        self.attempt = attempt
        self.told = self.timed_out = False
        self._running = count
        self._pids: dict[int, int] = {}
        self._heard = b""
        self._exit_code = self._failed_ms = 0
        self._ran_s = 0.0
        self._stop_s = self._kill_s = float("inf")

    def tell(self, *_: object) -> None:
        """A SIGTERM came."""
        self.told = True

    def watch(self) -> dict[str, int]:
        """Wait for all of them, and say how it went."""
        began_ms = now_ms()
        last_s = time.monotonic()
        while self._running:
            if select.select([PIPE], [], [], TICK_S)[0]:
                self._hear(os.read(PIPE, 65536))
            now_s = time.monotonic()
            self._ran_s += min(now_s - last_s, 2 * TICK_S)  # a longer gap means that the gang was suspended
            last_s = now_s
            self._judge(now_s)
        return {
            "exit_code": self._exit_code,
            "failed_ms": self._failed_ms,
            "began_ms": began_ms,
            "ran_ms": int(self._ran_s * 1000),
            "timed_out": int(self.timed_out),
        }

    def _hear(self, data: bytes) -> None:
        """Take in what the script says; when it says no more, what still ran was killed with its shell."""
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            word, rank, number = line.split()
            if word == b"pid":
                self._pids[int(rank)] = int(number)
            else:
                self._pids.pop(int(rank), None)
                self._end_one(int(number))
        if not data:
            self._running = 0
            self._note(-signal.SIGKILL)

    def _end_one(self, status: int) -> None:
        self._running -= 1
        if status:
            self._note(128 - status if status in SIGNALS else status)

    def _note(self, code: int) -> None:
        """The first failure counts."""
        if not self._failed_ms:
            self._exit_code, self._failed_ms = code, now_ms()

    def _judge(self, now_s: float) -> None:
        """End the others after a failure, all at the time limit; kill all when the attempt is superseded."""
        limit_ms = self.attempt.limit_ms
        if self.attempt.superseded():
            self._kill_s = 0.0
        self._obey(now_s)
        if limit_ms and not self.timed_out and self._ran_s * 1000 >= limit_ms and self._running:
            self.timed_out = True
            self._end(now_s + self.attempt.grace_ms / 1000)
        if self._failed_ms and not self.told:
            self._end(now_s + FAILED_GRACE_S)
        if now_s >= self._kill_s:
            self._signal(signal.SIGKILL)

    def _obey(self, now_s: float) -> None:
        """Stop when that was ordered: the grace is kept here, whatever becomes of the controller."""
        grace_ms = self.attempt.stop_grace_ms()
        if grace_ms is None:
            return
        self._stop_s = min(self._stop_s, now_s)
        if not self.told and now_s - self._stop_s >= UNHEARD_S:
            self.told = True
            self._signal(signal.SIGTERM)
        self._kill_s = min(self._kill_s, self._stop_s + grace_ms / 1000)

    def _end(self, kill_s: float) -> None:
        """Ask the ranks to end, once; those that are still there at `kill_s` are killed."""
        if self._kill_s == float("inf"):
            self._kill_s = kill_s
            self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        for pid in self._pids.values():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
