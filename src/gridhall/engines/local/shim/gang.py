"""The gang as its parent sees it: which ranks run, why they end, and when patience is over.

A gang ends when its last rank has. The first cause to end it holds: `exit` (also a rank that failed, which ends the
others), `limit` (its run time is used up) or `stop` (it was told to). A rank is ended by SIGTERM to its process group;
when the grace is over, everything that descends from the gang is killed, wherever it hid: orphans come to the shim.
The time in which the gang is paused is no run time. Whatever ends a gang ends its pause first.
"""

import contextlib
import os
import select
import signal
import time
from typing import Any

import family
import memory
import output
import pauses
import rank

SIGNALS = (signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1)


def listen() -> int:
    """Turn signals into bytes on a descriptor. Signals that came before this are not lost: they were blocked."""
    wake, into = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(into, warn_on_full_buffer=False)
    for number in SIGNALS:
        signal.signal(number, _nothing)
    return wake


class Gang:
    """The ranks of one attempt. Times inside are monotonic seconds; what is written down is milliseconds UTC."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.living: dict[int, int] = {}
        self.codes: list[int | None] = [None] * len(plan["ranks"])
        self.first_bad = 0
        self.cause = ""
        self.kill_at = float("inf")
        self.began = time.monotonic()
        self.began_ms = self.ended_ms = _now_ms()
        self.outputs: list[output.Output] = []
        self.groups = memory.Groups(plan["key"], plan["mem_mib"])
        self.pauses = pauses.Pauses()

    def start(self) -> None:
        """Start every rank; signals stay blocked until all are there."""
        for number, words in enumerate(self.plan["ranks"]):
            out = output.Output(words["log"], self.plan["log_bytes"])
            self.outputs.append(out)
            pid = rank.start(self.plan, words, out, self.groups.of(words["node"]))
            self.living[pid] = number
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def state(self) -> dict[str, Any]:
        """What another process needs to find this gang again."""
        ranks = [{"pid": pid, "start": family.start_ticks(pid)} for pid in self.living]
        me = os.getpid()
        shim = {"pid": me, "start": family.start_ticks(me)}
        cgroups = self.groups.folders()
        known = {"boot": family.boot_id(), "began_ms": self.began_ms, "shim": shim, "ranks": ranks, "cgroups": cgroups}
        # shims of earlier versions cannot pause: the signal for it would kill them
        return {**known, "can_pause": True}

    def over(self) -> bool:
        """Whether every rank has ended."""
        return not self.living

    def wait(self, wake: int) -> set[int]:
        """Until something happens or is due: move output to the logs, and return the signals that came."""
        poll = select.poll()
        poll.register(wake, select.POLLIN)
        for out in self.outputs:
            if out.open:
                poll.register(out.read_end, select.POLLIN)
        ready = {fd for fd, _ in poll.poll(self._patience_ms())}
        for out in self.outputs:
            if out.open and out.read_end in ready:
                out.move()
        return set(_drain(wake)) if wake in ready else set()

    def look(self, now: float) -> None:
        """Take in the ranks that have ended, and act on what is due."""
        self._reap()
        limit_ms = self.plan["limit_ms"]
        if self.living and self.first_bad:
            self.finish("exit", self.plan["grace_ms"])
        if self.living and limit_ms and self._ran_ms(now) >= limit_ms:
            self.finish("limit", self.plan["grace_ms"])
        if now >= self.kill_at:
            _kill_all()

    def stand(self, still: bool) -> None:
        """Pause the gang or let it go on; one that is about to end is not paused any more."""
        now_ms = self._at_ms(time.monotonic())
        if still and not self.pauses.lasting and not self.cause and self.living:
            self.pauses.begin(now_ms)
        elif not still and self.pauses.lasting:
            self.pauses.end(now_ms)

    def standing(self) -> dict[str, Any]:
        """Whether the gang stands still, since when, and every pause so far."""
        spans = self.pauses.spans
        time_ms = max(spans[-1]) if spans else self.began_ms
        return {"still": self.pauses.lasting, "time_ms": time_ms, "spans": spans}

    def finish(self, cause: str, grace_ms: int) -> None:
        """Ask every rank to end. A second call can only shorten the grace, and does not change the cause."""
        self.kill_at = min(self.kill_at, time.monotonic() + grace_ms / 1000)
        if self.cause:
            return
        self.cause = cause
        self.stand(still=False)
        for pid in self.living:
            with contextlib.suppress(ProcessLookupError):
                # A rank that has not come to its own group yet has no children either.
                (os.killpg if os.getpgid(pid) == pid else os.kill)(pid, signal.SIGTERM)

    def sweep(self, wake: int) -> None:
        """Kill what the ranks left behind, and take in the last of the output."""
        self.stand(still=False)
        self.ended_ms = self._at_ms(time.monotonic())
        while self._reap():
            _kill_all()
            select.select([wake], [], [], 0.02)
            _drain(wake)
        for out in self.outputs:
            out.close()
        self.groups.remove()

    def end(self) -> dict[str, Any]:
        """What became of the gang."""
        ran_ms = self.ended_ms - self.began_ms - self.pauses.total_ms(self.ended_ms)
        times = {"began_ms": self.began_ms, "ended_ms": self.ended_ms, "ran_ms": ran_ms}
        return {
            "cause": self.cause or "exit",
            "code": self.first_bad,
            "codes": self.codes,
            **times,
            "pauses": self.pauses.spans,
        }

    def _reap(self) -> bool:
        """Take in all children that have ended; False when there are no children at all."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            number = self.living.pop(pid, None)
            if number is not None:
                code = os.waitstatus_to_exitcode(status)
                self.codes[number] = code
                self.first_bad = self.first_bad or code

    def _at_ms(self, now: float) -> int:
        """A monotonic time as ms UTC by the clock of the gang's beginning."""
        return self.began_ms + round((now - self.began) * 1000)

    def _ran_ms(self, now: float) -> float:
        return (now - self.began) * 1000 - self.pauses.total_ms(self._at_ms(now))

    def _patience_ms(self) -> int | None:
        limit_ms = self.plan["limit_ms"]
        due = self.kill_at
        if limit_ms and not self.cause and not self.pauses.lasting:
            now = time.monotonic()
            due = min(due, now + (limit_ms - self._ran_ms(now)) / 1000)
        if due == float("inf"):
            return None
        # Once killing has begun it is repeated: a process may have been born between the look and the kill.
        return max(20, round((due - time.monotonic()) * 1000) + 1)


def _nothing(number: int, frame: object) -> None:
    """A signal's handler: the byte on the descriptor is what counts."""


def _kill_all() -> None:
    for pid in family.descendants(os.getpid()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _drain(fd: int) -> bytes:
    try:
        return os.read(fd, 4096)
    except BlockingIOError:
        return b""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
