"""What every engine can be told, and what it reports back.

An engine runs the gangs of one or more sites: local processes, a Slurm cluster, a twin. It is told with **orders**,
each about one attempt of one job, and answers with **reports**. Both may come twice, late or in another order: an
order for an attempt that is known already changes nothing, and a report is repeated until the attempt is forgotten.
What an engine holds outlives the controller: after a restart `running` says what is there, and ends that nobody heard
of are reported again.

Every order carries the controller's epoch. An engine refuses an order of an older epoch than it has seen
(`StaleEpoch`), so that a controller which lost its lead cannot act.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Ability(enum.Enum):
    """What an engine can do beside starting and stopping; the controller asks for nothing else."""

    PAUSE = "pause"
    CAP = "cap"
    CHECKPOINT = "checkpoint"
    MIGRATE = "migrate"


class StaleEpoch(Exception):
    """The order comes from a controller that does not lead any more."""


class EngineFault(Exception):
    """The engine could not carry out an order; the text says what happened. The order may be repeated."""


class AttemptKey(NamedTuple):
    """One attempt of one job, by the core's job number: the name under which an engine knows a gang."""

    job: int
    attempt: int

    def __str__(self) -> str:
        return f"{self.job}.{self.attempt}"


@dataclass(frozen=True, slots=True)
class Place:
    """One node of a gang, by its name in the fleet, and the devices that the gang has on it.

    `gpus` is empty where the node has no GPUs; `gpu_milli` is the share of each device in 1/1000.
    """

    site: str
    node: str
    gpus: tuple[int, ...]
    gpu_milli: int = 1000


@dataclass(frozen=True, slots=True)
class StartOrder:
    """Start a gang: `processes_per_node` processes of `command` on every place, ranked in the order of the places.

    `organisation`, `project` and `user` are ids. `cpu_milli` and `mem_mib` are per node, 0 = not stated. `limit_ms` is
    the run time after which the attempt is ended, pauses not counted; `saved_ms` the useful work that earlier attempts
    saved.
    """

    key: AttemptKey
    epoch: int
    name: str
    organisation: str
    project: str
    user: str
    command: tuple[str, ...]
    places: tuple[Place, ...]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    directory: str = ""
    processes_per_node: int = 1
    cpu_milli: int = 0
    mem_mib: int = 0
    limit_ms: int = 0
    grace_ms: int = 30_000
    saved_ms: int = 0


@dataclass(frozen=True, slots=True)
class StopOrder:
    """Stop a gang: SIGTERM to every process, `grace_ms` for a checkpoint, then SIGKILL; answered by `Stopped`."""

    key: AttemptKey
    epoch: int
    grace_ms: int = 30_000


@dataclass(frozen=True, slots=True)
class Started:
    """The first process of the gang is running."""

    key: AttemptKey
    time_ms: int


@dataclass(frozen=True, slots=True)
class Paused:
    """Every process of the gang stands still; its GPUs and memory stay with it."""

    key: AttemptKey
    time_ms: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """The gang goes on where it stood."""

    key: AttemptKey
    time_ms: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The gang ended by itself. `exit_code` is the first that is not 0; a signal's number is negative.

    `ran_ms` is the run time of this attempt without the time in which it was paused, `timed_out` says that its time
    limit ended it.
    """

    key: AttemptKey
    time_ms: int
    exit_code: int
    ran_ms: int
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """The gang is gone because it was told to stop. `saved_ms` is the useful work that a checkpoint holds in all."""

    key: AttemptKey
    time_ms: int
    saved_ms: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The gang is gone without having ended or been stopped: a node died, or it could not be started."""

    key: AttemptKey
    time_ms: int
    saved_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """A node is there, or it is not. One that is there and takes no work is draining: what runs on it goes on."""

    site: str
    node: str
    time_ms: int
    up: bool
    reason: str = ""
    takes_work: bool = True


Report = Started | Paused | Resumed | Ended | Stopped | Lost | NodeSeen
OnReport = Callable[[Report], None]
"""Called in the event loop's thread; must return at once."""


class Engine(Protocol):
    """The hands of one or more sites."""

    @property
    def name(self) -> str:
        """The name under which orders and logs speak of it."""
        ...

    @property
    def abilities(self) -> frozenset[Ability]:
        """What it can do beside starting and stopping."""
        ...

    async def open(self, on_report: OnReport) -> None:
        """Begin to watch: what is there already, then every change. Raises EngineFault when it cannot be reached."""
        ...

    async def start(self, order: StartOrder) -> None:
        """Start a gang unless the attempt is known. Raises StaleEpoch, EngineFault."""
        ...

    async def stop(self, order: StopOrder) -> None:
        """Begin to stop a gang; an attempt that is gone is answered by its end or by Lost. Raises StaleEpoch.

        A gang that is paused is let go on first, so that it can write its checkpoint.
        """
        ...

    async def pause(self, key: AttemptKey, epoch: int) -> None:
        """Let every process of a gang stand still; answered by `Paused`. Only an engine with Ability.PAUSE is asked.

        An attempt that is gone or was told to stop is left alone. A gang is paused until it is told to go on or to
        stop, whatever becomes of the controller. Raises StaleEpoch, and EngineFault when it cannot be done now.
        """
        ...

    async def resume(self, key: AttemptKey, epoch: int) -> None:
        """Let a paused gang go on; answered by `Resumed`. Raises as `pause` does."""
        ...

    async def forget(self, key: AttemptKey, epoch: int) -> None:
        """The attempt's end is durable: its end need not be reported again; logs and checkpoints stay."""
        ...

    async def running(self) -> Sequence[AttemptKey]:
        """Every attempt that it holds: running, stopping, or ended and not yet forgotten."""
        ...

    async def read_log(self, key: AttemptKey, rank: int, offset: int, most: int) -> bytes:
        """At most `most` bytes of a rank's output (both streams together) from an offset; empty when there is none."""
        ...

    async def close(self) -> None:
        """Stop watching; the work goes on."""
        ...
