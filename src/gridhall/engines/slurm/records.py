"""What lies in the shared folder about an attempt, as the engine and the runner write it."""

from typing import Literal

from pydantic import BaseModel

from gridhall.engines.protocol import AttemptKey, Ended, Lost, Stopped


class Order(BaseModel):
    """What the runner carries out; `nodes` are Slurm's names in rank order, `fleet_nodes` the same in the fleet's."""

    job: int
    attempt: int
    epoch: int
    name: str
    site: str
    nodes: list[str]
    fleet_nodes: list[str]
    master: str
    command: list[str]
    environment: dict[str, str]
    directory: str
    processes_per_node: int
    limit_ms: int
    grace_ms: int
    saved_ms: int


class Slurm(BaseModel):
    """The Slurm job of an attempt."""

    job_id: int


class Stop(BaseModel):
    """It was told to stop, and may take `grace_ms` to do so."""

    time_ms: int
    grace_ms: int


class Begun(BaseModel):
    """The first process runs."""

    time_ms: int


class Ending(BaseModel):
    """How the runner saw the attempt end; `ran_ms` leaves out the time in which it was suspended."""

    time_ms: int
    began_ms: int
    ran_ms: int
    exit_code: int
    timed_out: bool


class Over(BaseModel):
    """The end of an attempt as it was reported."""

    kind: Literal["ended", "stopped", "lost"]
    time_ms: int
    exit_code: int = 0
    ran_ms: int = 0
    timed_out: bool = False
    saved_ms: int = 0
    reason: str = ""

    def report(self, key: AttemptKey) -> Ended | Stopped | Lost:
        """The report that it stands for."""
        if self.kind == "ended":
            return Ended(key, self.time_ms, self.exit_code, self.ran_ms, self.timed_out)
        if self.kind == "stopped":
            return Stopped(key, self.time_ms, self.saved_ms)
        return Lost(key, self.time_ms, self.saved_ms, self.reason)
