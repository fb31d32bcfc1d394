"""What reading a trace gives."""

from dataclasses import dataclass

from gridhall.work.table import Workload


@dataclass(frozen=True)
class TraceWorkload(Workload):
    """A workload that was read. `notes` say what was left out and what was assumed, to print with it."""

    notes: tuple[str, ...]
    jobs: int
    start_ms: int  # first submission
    end_ms: int  # last submission
