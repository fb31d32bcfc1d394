"""What Slurm is asked for: the submission of an attempt, and the order that its scripts and the runner carry out.

Gridhall chose the nodes, so the job asks for exactly these, and it may not be requeued:
after a failure Gridhall starts a new attempt on nodes that it chooses again.
"""

import math
import re
from collections.abc import Mapping

from gridhall.engines.protocol import AttemptKey, StartOrder
from gridhall.engines.slurm.records import Order
from gridhall.engines.slurm.script import PATH
from gridhall.engines.slurm.settings import SlurmSettings

MINUTE_MS = 60_000
SLACK_MINUTES = 1
"""Slurm's time limit only catches a runner that hangs: the runner itself keeps the limit, to the millisecond."""
_NAME = re.compile(r"gridhall:(\d{1,18})\.(\d{1,9}):(\d{1,18})")


class Impossible(Exception):
    """Slurm cannot run this gang, whenever it is asked; the text says why."""


def attempt_name(key: AttemptKey, epoch: int) -> str:
    """The Slurm job name of an attempt, under which it is found again."""
    return f"gridhall:{key}:{epoch}"


def read_name(name: str) -> tuple[AttemptKey, int] | None:
    """The attempt and the epoch that a Slurm job name speaks of; None for other people's jobs."""
    match = _NAME.fullmatch(name)
    return (AttemptKey(int(match[1]), int(match[2])), int(match[3])) if match else None


def check(order: StartOrder, settings: SlurmSettings) -> None:
    """Raises Impossible when Slurm could not run this gang exactly as it was placed."""
    nodes = [place.node for place in order.places]
    if not nodes or len(set(nodes)) < len(nodes):
        raise Impossible("Slurm needs at least one node, and each node once")
    if elsewhere := {place.site for place in order.places} - {settings.site}:
        raise Impossible(f"places at {', '.join(sorted(elsewhere))} are not at {settings.site}")
    if any(place.gpu_milli != 1000 for place in order.places):
        raise Impossible("Slurm gives whole GPUs only: ask for whole ones, or keep this queue off the site")
    if len({len(place.gpus) for place in order.places}) > 1:
        raise Impossible("Slurm gives every node of a job the same number of GPUs")
    if not order.command or order.processes_per_node < 1:
        raise Impossible("there is no command, or no process to start")
    _check_words(order)


def _check_words(order: StartOrder) -> None:
    words = (*order.command, *order.environment, *order.environment.values(), order.directory)
    if any("\0" in word for word in words):
        raise Impossible("the command or a variable holds a NUL character, which no process can be given")
    if "=" in order.command[0]:
        raise Impossible("the program's name holds '=': env(1), which starts it, would take it for a variable")
    if any(not name or "=" in name for name in order.environment):
        raise Impossible("a variable has no name, or one with '=' in it")


def submission(order: StartOrder, settings: SlurmSettings, folder: str, script: str) -> dict[str, object]:
    """The body of POST /job/submit (v0.0.38): `folder` is the attempt's, `script` the text of the batch script."""
    nodes = len(order.places)
    name = attempt_name(order.key, order.epoch)
    job: dict[str, object] = {
        "name": name,
        "comment": name,
        "partition": settings.partition,
        "nodelist": ",".join(settings.slurm_node(place.node) for place in order.places),
        "nodes": nodes,
        "tasks": nodes,
        "tasks_per_node": 1,
        "no_requeue": True,  # version 22.05 ignores "requeue": false
        "current_working_directory": folder,
        "standard_output": f"{folder}/batch.log",
        "environment": {"PATH": PATH},
    }
    return {"script": script, "job": job | _amounts(order)}


def _amounts(order: StartOrder) -> dict[str, object]:
    amounts: dict[str, object] = {}
    if gpus := len(order.places[0].gpus):
        amounts["gpus_per_node"] = str(gpus)
    if order.cpu_milli:
        amounts["minimum_cpus_per_node"] = math.ceil(order.cpu_milli / 1000)
    if order.mem_mib:
        amounts["memory_per_node"] = order.mem_mib
    if order.limit_ms:
        amounts["time_limit"] = math.ceil((order.limit_ms + order.grace_ms) / MINUTE_MS) + SLACK_MINUTES
    return amounts


def runner_order(order: StartOrder, settings: SlurmSettings, addresses: Mapping[str, str]) -> Order:
    """What the runner needs to know; `addresses` gives a node's address by Slurm's name of the node."""
    nodes = [settings.slurm_node(place.node) for place in order.places]
    return Order(
        job=order.key.job,
        attempt=order.key.attempt,
        epoch=order.epoch,
        name=order.name,
        site=settings.site,
        nodes=nodes,
        fleet_nodes=[place.node for place in order.places],
        master=addresses.get(nodes[0], nodes[0]),
        command=list(order.command),
        environment=dict(order.environment),
        directory=order.directory,
        processes_per_node=order.processes_per_node,
        limit_ms=order.limit_ms,
        grace_ms=order.grace_ms,
        saved_ms=order.saved_ms,
    )
