"""The order that a runner carries out, and the files around it."""

from __future__ import annotations

import os
import time


def now_ms() -> int:
    """Milliseconds UTC."""
    return time.time_ns() // 1_000_000


def read_words(path: str) -> dict[str, list[bytes]]:
    """The fields of an order: each is its name, the number of its words, and the words, all ended by NUL."""
    with open(path, "rb") as file:
        words = file.read().split(b"\0")[:-1]
    fields: dict[str, list[bytes]] = {}
    at = 0
    while at < len(words):
        last = at + 2 + int(words[at + 1])
        fields[words[at].decode()] = words[at + 2 : last]
        at = last
    return fields


class Attempt:
    """One attempt, by its folder: the order's fields as `records.Order` explains them."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.job_folder = os.path.dirname(folder)
        fields = read_words(folder + "/order.words")
        self.command, self.environment = fields["command"], fields["environment"]
        self.nodes = [name.decode() for name in fields["nodes"]]
        self.fleet_nodes = fields["fleet_nodes"]
        self.site, self.master, self.directory = (fields[name][0] for name in ("site", "master", "directory"))
        self.job, self.attempt, self.per_node = (int(fields[name][0]) for name in ("job", "attempt", "per_node"))
        self.limit_ms, self.grace_ms, self.saved_ms = (int(fields[f"{name}_ms"][0]) for name in _TIMES)

    def claim(self, slurm_job: str) -> bool:
        """Whether this Slurm job is the one that carries out the attempt: the first that asks."""
        try:
            with open(self.folder + "/claim", "x", encoding="ascii") as file:
                file.write(slurm_job)
            return True
        except FileExistsError:
            with open(self.folder + "/claim", encoding="ascii") as file:
                return file.read() == slurm_job

    def superseded(self) -> bool:
        """Whether a later attempt of the job has been started."""
        try:
            with open(self.job_folder + "/current", encoding="ascii") as file:
                return int(file.read()) > self.attempt
        except (OSError, ValueError):
            return False

    def stop_grace_ms(self) -> int | None:
        """The grace of the order to stop; None when there is no such order."""
        stop = read_numbers(self.folder + "/stop.json")
        return stop["grace_ms"] if stop else None

    def say(self, word: str, numbers: dict[str, int]) -> None:
        """Tell the engine."""
        shared = os.path.dirname(os.path.dirname(self.job_folder))
        write_numbers(f"{shared}/news/{self.job}.{self.attempt}.{word}", numbers)

    def node_result(self, rank: int) -> str:
        """Where a node tells the leading runner how it ended."""
        return f"{self.folder}/node-{rank}.json"


_TIMES = ("limit", "grace", "saved")


def read_numbers(path: str) -> dict[str, int] | None:
    """A small record; None when there is none."""
    try:
        with open(path, encoding="ascii") as file:
            text = file.read()
    except FileNotFoundError:
        return None
    import json

    return json.loads(text)


def write_numbers(path: str, numbers: dict[str, int]) -> None:
    """Write a small record as JSON so that a reader sees all of it or nothing; on a full disk wait for room."""
    text = "{" + ", ".join(f'"{name}": {number:d}' for name, number in numbers.items()) + "}"
    part = f"{path}.part{os.getpid()}"
    while True:
        try:
            with open(part, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            return os.replace(part, path)
        except OSError:
            time.sleep(1)
