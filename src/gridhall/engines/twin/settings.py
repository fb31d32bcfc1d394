"""What a run of the twin is given, and what it gives back beside the tables."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gridhall.fleet.arrays import FleetArrays
from gridhall.scheduling.policy import Policy
from gridhall.tenancy import Tenancy
from gridhall.work.table import Workload


@dataclass(frozen=True)
class WorldSettings:
    """How the simulated world behaves. Times in ms.

    Failures strike every node that is on line at `failures_per_1000_node_days` (0 = never); repairs are log-normal. A
    first
    attempt works `start_delay_ms` after its start, a later one `restart_delay_ms` (u0 of the goodput formulas). Drawn
    watts above idle are `draw_milli` per mille of the charged ones. A gang stands still `pause_delay_ms` after it is
    told to pause and goes on `resume_delay_ms` after it is told to (both assumed: the middle of 2 to 30 s).
    """

    failures_per_1000_node_days: float = 2.34
    repair_median_ms: int = 6 * 3_600_000
    repair_sigma: float = 0.8
    start_delay_ms: int = 60_000
    restart_delay_ms: int = 300_000
    stop_delay_ms: int = 2_000
    pause_delay_ms: int = 16_000
    resume_delay_ms: int = 16_000
    draw_milli: int = 900
    power_by_minute: bool = True


@dataclass(frozen=True)
class Reservation:
    """An advance reservation: nodes for a project (index) in one of the cells (mask) from a time until a time."""

    project: int
    cells: int
    nodes: int
    from_ms: int
    until_ms: int
    asked_ms: int


@dataclass(frozen=True)
class Target:
    """A load target: the most that what is below a power node may draw, in IT watts, from a time until a time."""

    power: int
    limit_w: int
    from_ms: int
    until_ms: int


@dataclass(frozen=True)
class Plan:
    """Everything that a run depends on."""

    fleet: FleetArrays
    workload: Workload
    tenancy: Tenancy
    policy: Policy
    world: WorldSettings
    start_ms: int
    end_ms: int
    seed: int
    reservations: tuple[Reservation, ...] = ()
    record: Path | None = None
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True)
class Progress:
    """How far a run has got."""

    time_ms: int
    start_ms: int
    end_ms: int
    jobs_submitted: int
    jobs_done: int


class OnProgress(Protocol):
    """Told every so often how far the run has got."""

    def __call__(self, progress: Progress) -> None:
        """Show it."""
        ...


@dataclass(frozen=True)
class Totals:
    """Exact sums of a run. GPU time in GPU-ms, energy in J; simulated, all of it."""

    submitted: int
    jobs_by_state: dict[str, int]
    online_gpu_ms: int
    allocated_gpu_ms: int
    work_gpu_ms: int
    lost_gpu_ms: dict[str, int]
    rack_joules: int
    feed_joules: int
    job_joules: int
    failures: int
    decided: dict[str, int]
    steps: int
    digest: str
    state_hash: str
    peak_slots: int = field(default=0)

    @property
    def utilisation(self) -> float:
        """Allocated share of the GPU time that was on line."""
        return self.allocated_gpu_ms / self.online_gpu_ms if self.online_gpu_ms else 0.0
