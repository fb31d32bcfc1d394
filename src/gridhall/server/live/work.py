"""Jobs and attempts as the loop holds them while the core does: the rows of their tables, by name."""

from dataclasses import dataclass, field

from gridhall.engines.protocol import AttemptKey, Place

QUEUED = "queued"
STARTING = "starting"
RUNNING = "running"
PAUSED = "paused"
STOPPING = "stopping"
COMPLETED = "completed"
FAILED = "failed"
CANCELLED = "cancelled"
TIMED_OUT = "timed-out"
CRASH_LOOP = "crash-loop"

PAUSING = "pausing"
RESUMING = "resuming"


@dataclass(slots=True)
class Attempt:
    """One attempt of a job; times in ms, 0 = not yet. `entry` and `end_entry` are places in the log."""

    job: int
    attempt: int
    cell: int
    places: tuple[Place, ...]
    decided_ms: int
    epoch: int
    entry: int
    gpu_milli: int
    watts: int
    started_ms: int = 0
    ended_ms: int = 0
    end_entry: int = -1
    outcome: str = ""
    exit_code: int | None = None
    units: int = 0
    """GPUs that it has (a share of) on each of its nodes; units of allocation where the nodes have no GPUs."""
    swapped: bool = False
    """It goes on in place of an attempt that lost a node."""
    pause: str = ""
    """PAUSING when it was told to pause, PAUSED when it stands still, RESUMING when it was told to go on."""
    pause_feed: int = -1
    """The power node of the feed whose load target asked for the pause; -1 = none did."""

    @property
    def key(self) -> AttemptKey:
        """Its name at the engines."""
        return AttemptKey(self.job, self.attempt)


@dataclass(slots=True)
class Job:
    """A job; `number` is the core's name for it, `id` everyone else's. `slot` -1 = the core holds it no more."""

    number: int
    id: str
    organisation: str
    project: str
    user: str
    name: str
    submit_ms: int
    entry: int
    salt: bytes
    spec: str
    state: str = QUEUED
    reason: int = 0
    start_ms: int = 0
    end_ms: int = 0
    attempt: int = 0
    restarts: int = 0
    exit_code: int | None = None
    saved_ms: int = 0
    slot: int = -1
    version: int = 1
    open_attempt: Attempt | None = field(default=None, compare=False)
