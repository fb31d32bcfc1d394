"""The order that a runner carries out, and the files around it."""

from __future__ import annotations

import json
import os
import time


def now_ms() -> int:
    """Milliseconds UTC."""
    return time.time_ns() // 1_000_000


class Attempt:
    """One attempt, by its folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        with open(folder + "/order.json", encoding="utf-8") as file:
            order = json.load(file)
        self.nodes: list[str] = order["nodes"]
        self.job: int = order["job"]
        self.attempt: int = order["attempt"]
        self.limit_ms: int = order["limit_ms"]
        self.grace_ms: int = order["grace_ms"]

    def superseded(self) -> bool:
        """Whether a later attempt of the job has been started."""
        try:
            with open(os.path.dirname(self.folder) + "/current", encoding="ascii") as file:
                return int(file.read()) > self.attempt
        except (OSError, ValueError):
            return False

    def stop_grace_ms(self) -> int | None:
        """The grace of the order to stop; None when there is no such order."""
        stop = read(self.folder + "/stop.json")
        return stop["grace_ms"] if stop else None

    def end(self, result: dict[str, int]) -> int:
        """Tell the engine how the attempt ended; returns the exit code that a shell would have."""
        shared = os.path.dirname(os.path.dirname(os.path.dirname(self.folder)))
        write(f"{shared}/news/{self.job}.{self.attempt}.ended", {**result, "time_ms": now_ms()})
        return result["exit_code"] if result["exit_code"] >= 0 else 128 - result["exit_code"]

    def node_result(self, node: int) -> str:
        """Where a node tells the leading runner how it ended."""
        return f"{self.folder}/node-{node}.json"


def read(path: str) -> dict[str, int] | None:
    """A small record; None when there is none."""
    try:
        with open(path, encoding="ascii") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def write(path: str, record: dict[str, int]) -> None:
    """Write a small record so that a reader sees all of it or nothing; on a full disk wait for room."""
    part = f"{path}.part{os.getpid()}"
    while True:
        try:
            with open(part, "w", encoding="ascii") as file:
                json.dump(record, file)
                file.flush()
                os.fsync(file.fileno())
            return os.replace(part, path)
        except OSError:
            time.sleep(1)
