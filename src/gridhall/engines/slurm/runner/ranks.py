"""The ranks on one node, from start to end."""

from __future__ import annotations

import os
import time

import rank
from attempt import Attempt, now_ms

SIGKILL, SIGTERM = 9, 15
TICK_S = 0.5
FAILED_GRACE_S = 5.0
"""After the failure of one rank the others may take so long to end."""
UNHEARD_S = 1.0
"""Slurm loses a signal to a gang that is just being resumed: after so long the runner signals its ranks itself."""


class Ranks:
    """`told`: a SIGTERM came, which Slurm sends to the ranks as well."""

    def __init__(self, attempt: Attempt, node: int) -> None:
        self.attempt, self.node = attempt, node
        self.told = self.timed_out = False
        self._alive: set[int] = set()
        self._exit_code = self._failed_ms = 0
        self._ran_s = 0.0
        self._stop_s = self._kill_s = float("inf")

    def run(self) -> dict[str, int]:
        """Start them, wait for all of them, and say how it went."""
        self._alive = {rank.start(self.attempt, self.node, local) for local in range(self.attempt.per_node)}
        if self.node == 0:
            self.attempt.say("started", {"time_ms": now_ms()})
        self._wait()
        return {
            "exit_code": self._exit_code,
            "failed_ms": self._failed_ms,
            "ran_ms": int(self._ran_s * 1000),
            "timed_out": self.timed_out,
        }

    def _wait(self) -> None:
        import signal

        watched = {signal.SIGCHLD, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, watched)
        last_s = time.monotonic()
        self._reap()
        while self._alive:
            got = signal.sigtimedwait(watched, TICK_S)
            self.told = self.told or (got is not None and got.si_signo == signal.SIGTERM)
            self._reap()
            now_s = time.monotonic()
            self._ran_s += min(now_s - last_s, 2 * TICK_S)  # a longer gap means that the gang was suspended
            last_s = now_s
            self._judge(now_s)

    def _reap(self) -> None:
        """Take note of the ranks that ended."""
        while self._alive:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            self._alive.discard(pid)
            code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            if code and not self._failed_ms:
                self._exit_code, self._failed_ms = code, now_ms()

    def _judge(self, now_s: float) -> None:
        """End the others after a failure, all at the time limit; kill all when the attempt is superseded."""
        attempt = self.attempt
        if attempt.superseded():
            self._kill_s = 0.0
        self._obey(now_s)
        if attempt.limit_ms and not self.timed_out and self._ran_s * 1000 >= attempt.limit_ms:
            self.timed_out = True
            self._end(now_s + attempt.grace_ms / 1000)
        if self._failed_ms and not self.told:
            self._end(now_s + FAILED_GRACE_S)
        if now_s >= self._kill_s:
            self._signal(SIGKILL)

    def _obey(self, now_s: float) -> None:
        """Stop when that was ordered: the grace is kept here, whatever becomes of the controller."""
        grace_ms = self.attempt.stop_grace_ms()
        if grace_ms is None:
            return
        self._stop_s = min(self._stop_s, now_s)
        if not self.told and now_s - self._stop_s >= UNHEARD_S:
            self.told = True
            self._signal(SIGTERM)
        self._kill_s = min(self._kill_s, self._stop_s + grace_ms / 1000)

    def _end(self, kill_s: float) -> None:
        """Ask the ranks to end, once; those that are still there at `kill_s` are killed."""
        if self._kill_s == float("inf"):
            self._kill_s = kill_s
            self._signal(SIGTERM)

    def _signal(self, number: int) -> None:
        for pid in self._alive:
            os.kill(pid, number)
