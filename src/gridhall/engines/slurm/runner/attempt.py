"""The order that a runner carries out, and the files around it."""

from __future__ import annotations

import json
import os
import time
from typing import Any


def now_ms() -> int:
    """Milliseconds UTC."""
    return time.time_ns() // 1_000_000


class Attempt:
    """One attempt, by its folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.job_folder = os.path.dirname(folder)
        with open(folder + "/order.json", encoding="utf-8") as file:
            self.order: dict[str, Any] = json.load(file)
        self.nodes: list[str] = self.order["nodes"]
        self.per_node: int = self.order["processes_per_node"]
        self.key = f"{self.order['job']}.{self.order['attempt']}"

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
                return int(file.read()) > self.order["attempt"]
        except (OSError, ValueError):
            return False

    def stop_grace_ms(self) -> int | None:
        """The grace of the order to stop; None when there is no such order."""
        try:
            with open(self.folder + "/stop.json", encoding="ascii") as file:
                return json.load(file)["grace_ms"]
        except FileNotFoundError:
            return None

    def say(self, word: str, record: dict[str, Any]) -> None:
        """Tell the engine."""
        shared = os.path.dirname(os.path.dirname(self.job_folder))
        write(f"{shared}/news/{self.key}.{word}", record)

    def write_node(self, rank: int, result: dict[str, Any]) -> None:
        """Tell the leading runner how this node ended."""
        write(f"{self.folder}/node-{rank}.json", result)

    def node_results(self) -> list[dict[str, Any]]:
        """How the nodes ended, of those that said so."""
        results: list[dict[str, Any]] = []
        for rank in range(len(self.nodes)):
            try:
                with open(f"{self.folder}/node-{rank}.json", encoding="ascii") as file:
                    results.append(json.load(file))
            except FileNotFoundError:
                continue
        return results


def write(path: str, record: dict[str, Any]) -> None:
    """Write a record so that a reader sees all of it or nothing; on a full disk wait for room."""
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
