"""A job: a gang of processes on whole nodes, on some GPUs of one node, on a share of GPUs, or on hosts without GPUs."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from gridhall.server.objects.part import Id, Metadata, Name, Part, Text
from gridhall.units import HOUR_MS

Priority = Literal["low", "normal", "high", "urgent"]
PRIORITIES: tuple[Priority, ...] = ("low", "normal", "high", "urgent")
Level = Literal["rack", "pod", "hall", "site"]
LEVELS: tuple[Level, ...] = ("rack", "pod", "hall", "site")
JobState = Literal[
    "queued",
    "starting",
    "running",
    "paused",
    "stopping",
    "completed",
    "failed",
    "cancelled",
    "timed-out",
    "crash-loop",
]
FINAL_STATES: tuple[JobState, ...] = ("completed", "failed", "cancelled", "timed-out", "crash-loop")
"""A job in one of these changes no more."""
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]

MOST_GPUS = 1_000_000


class Resources(Part):
    """What a gang needs. `gpus` 0 asks for hosts without GPUs; `cpu_milli` and `mem_mib` are per node, 0 = not stated.

    `gpus_per_node` 0 leaves it to the hardware. `gpu_milli` below 1000 is a share of each GPU, on one node.
    """

    gpus: int = Field(default=1, ge=0, le=MOST_GPUS)
    gpus_per_node: int = Field(default=0, ge=0, le=16)
    gpu_milli: int = Field(default=1000, ge=1, le=1000)
    cpu_milli: int = Field(default=0, ge=0, le=10_000_000)
    mem_mib: int = Field(default=0, ge=0, le=100_000_000)
    hardware: tuple[Id, ...] = ()


class Places(Part):
    """Where it may run; empty = anywhere its project may."""

    sites: tuple[Id, ...] = ()
    countries: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")], ...] = ()


class Placement(Part):
    """How a gang lies in the topology. `pack` keeps it within one `level`; `spread` over at least `min_domains` racks.

    `max_skew` is the most that two of its racks may differ in nodes, 0 = any.
    """

    policy: Literal["pack", "spread"] = "pack"
    level: Level | None = None
    min_domains: int = Field(default=0, ge=0, le=4096)
    max_skew: int = Field(default=0, ge=0, le=4096)
    when_unsatisfiable: Literal["fail", "best-effort"] = "fail"

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.policy == "pack" and (self.min_domains or self.max_skew):
            raise ValueError("min_domains and max_skew belong to the policy `spread`")
        if self.policy == "spread" and self.level is not None:
            raise ValueError("level belongs to the policy `pack`")
        return self


class Checkpoint(Part):
    """How it saves its work: how often, what that costs, and how long it may take when told to stop."""

    interval_ms: int = Field(default=0, ge=0, le=365 * 24 * HOUR_MS)
    cost_ms: int = Field(default=0, ge=0, le=24 * HOUR_MS)
    grace_ms: int = Field(default=30_000, ge=0, le=24 * HOUR_MS)


class JobSpec(Part):
    """What is to run, on what, where and how urgently. `tier` is the flex tier, 0 = rigid."""

    command: tuple[Text, ...] = Field(min_length=1, max_length=1000)
    environment: dict[Variable, Text] = Field(default_factory=dict[str, str], max_length=500)
    directory: Text = ""
    processes_per_node: int = Field(default=1, ge=1, le=64)
    resources: Resources = Resources()
    places: Places = Places()
    placement: Placement = Placement()
    checkpoint: Checkpoint = Checkpoint()
    priority: Priority = "normal"
    preemptible: bool = False
    tier: int = Field(default=0, ge=0, le=5)
    limit_ms: int = Field(default=24 * HOUR_MS, ge=1000, le=365 * 24 * HOUR_MS)
    deadline_ms: int = Field(default=0, ge=0, le=1 << 50)

    @model_validator(mode="after")
    def _share_is_small(self) -> Self:
        if self.resources.gpu_milli < 1000 and self.resources.gpus > 16:
            raise ValueError("a share of GPUs is to be had on one node only, at most 16 of them")
        return self


class JobRequest(Part):
    """A submission."""

    name: Name = "job"
    project: Id = ""
    spec: JobSpec


class BatchRequest(Part):
    """Many submissions at once; each is accepted or refused by itself."""

    jobs: tuple[JobRequest, ...] = Field(min_length=1, max_length=1000)


class BatchItem(Part):
    """What became of one submission: `job` and its state, or a status, a reason and a sentence why it was refused."""

    job: str
    state: str
    status: int
    reason: str
    detail: str


class Batch(Part):
    """What became of many submissions, in their order."""

    items: tuple[BatchItem, ...]


class PlaceStatus(Part):
    """One node of a gang."""

    site: str
    node: str
    gpus: tuple[int, ...]


class AttemptStatus(Part):
    """One attempt. Times in ms UTC, None = not yet."""

    attempt: int
    decided_ms: int
    started_ms: int | None
    ended_ms: int | None
    outcome: str
    exit_code: int | None
    places: tuple[PlaceStatus, ...]


class JobStatus(Part):
    """Where it stands. `reason` says in words why it waits or what became of it.

    `provisioning` is about getting and giving back what it runs on, `health` about the work itself.
    """

    state: str
    provisioning: Literal["pending", "provisioning", "provisioned", "deprovisioning", "deprovisioned"]
    health: Literal["unknown", "healthy", "degraded", "error"]
    reason: str
    submit_ms: int
    start_ms: int | None
    end_ms: int | None
    attempt: int
    restarts: int
    exit_code: int | None
    saved_ms: int
    places: tuple[PlaceStatus, ...]


class Job(Part):
    """A job as it is read."""

    metadata: Metadata
    spec: JobSpec
    status: JobStatus
