"""What slurmrestd answers (v0.0.38), as far as Gridhall reads it, and what a node's state means."""

import os
from dataclasses import dataclass

from pydantic import BaseModel

from gridhall.engines.protocol import AttemptKey
from gridhall.engines.slurm.submission import read_name

UNCLEAR = (-1, 5005)
"""Slurm's error numbers for an old token, among other things: 22.05 does not tell them apart."""
REFUSALS = range(2000, 3000)
"""Slurm's error numbers for: the controller understood, and will not."""
UNKNOWN_JOB = (2017, 2021)
"""Slurm's error numbers for: there is no such job, and: the job has ended."""
FINAL = frozenset(
    {
        *("COMPLETED", "FAILED", "TIMEOUT", "DEADLINE", "OUT_OF_MEMORY"),
        *("NODE_FAIL", "BOOT_FAIL", "CANCELLED", "PREEMPTED", "REVOKED"),
    }
)
SUSPENDED = "SUSPENDED"
RUNNING = frozenset({"RUNNING", SUSPENDED, "STOPPED", "COMPLETING", "STAGE_OUT", "SIGNALING"})
WORKING = frozenset({"allocated", "mixed"})
SILENT = "NOT_RESPONDING"
UNHEARD = "unknown"
"""The state of a node from which a slurmctld that has just been started has not heard yet."""
CLOSED = frozenset({"DRAIN", "FAIL", "MAINTENANCE", "REBOOT_ISSUED", "REBOOT_REQUESTED", "POWERING_DOWN", SILENT})
GONE = frozenset({"POWERED_DOWN", "INVALID_REG"})


class Trouble(BaseModel):
    """One error in an answer; the interface spells its number in three ways."""

    error: str = ""
    description: str = ""
    error_number: int = 0
    error_code: int = 0
    errno: int = 0

    @property
    def number(self) -> int:
        """Slurm's number of the error."""
        return self.error_number or self.error_code or self.errno

    def __str__(self) -> str:
        return self.error or self.description or f"error {self.number}"


class Answer(BaseModel):
    """What every answer has."""

    errors: list[Trouble] = []


class Submitted(Answer):
    """The answer to a submission."""

    job_id: int = 0


class Job(BaseModel):
    """One job; times are seconds since 1970, `exit_code` is the status as wait(2) gives it."""

    job_id: int
    name: str
    job_state: str
    state_reason: str = ""
    state_description: str = ""
    current_working_directory: str = ""
    start_time: int = 0
    end_time: int = 0
    exit_code: int = 0
    batch_host: str = ""

    @property
    def attempt(self) -> tuple[AttemptKey, int] | None:
        """The attempt and epoch in its name, when it is one of Gridhall's."""
        return read_name(self.name)

    @property
    def final(self) -> bool:
        """It is over, and nothing of it runs any more."""
        return self.job_state in FINAL

    @property
    def exit(self) -> int:
        """Its exit code; a signal's number is negative."""
        return os.waitstatus_to_exitcode(self.exit_code & 0xFFFF)


class Jobs(Answer):
    """The answer to GET /jobs."""

    jobs: list[Job] = []


class Node(BaseModel):
    """One node."""

    name: str
    address: str = ""
    state: str
    state_flags: list[str] = []
    partitions: list[str] = []
    reason: str = ""


class Nodes(Answer):
    """The answer to GET /nodes."""

    nodes: list[Node] = []


@dataclass(frozen=True, slots=True)
class NodeState:
    """A node is there or not; one that is there may take no more work. `silent`: it has not answered for a moment."""

    up: bool
    takes_work: bool
    reason: str = ""
    silent: bool = False


def node_state(node: Node) -> NodeState:
    """What Slurm's state and flags of a node mean."""
    flags = set(node.state_flags)
    reason = node.reason or ", ".join(sorted({node.state.upper()} | flags))
    if node.state not in WORKING | {"idle"} or flags & GONE:
        return NodeState(False, False, reason, silent=node.state == UNHEARD)
    if not flags & CLOSED:
        return NodeState(True, True)
    works = node.state in WORKING or "COMPLETING" in flags
    return NodeState(works, False, reason, silent=flags & CLOSED == {SILENT})
