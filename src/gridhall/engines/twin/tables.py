"""The tables that a run leaves behind, streamed to parquet while it runs.

The twin hands batches of integer columns to a `Sink`. `ParquetSink` collects a few hundred thousand rows of a table
and writes them as one part (`jobs/part-0001.parquet`), so that memory does not grow with the horizon. `run_folder`
gives the parts a home that takes its final name only when the whole run has succeeded: a failed or interrupted run
leaves nothing.

Any parquet reader opens a table as a folder: `polars.read_parquet("RUN/jobs")`, pandas and DuckDB alike.
"""

import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridhall.errors import fault

Ints = NDArray[np.int64]

REASONS = (
    "none",
    "not yet considered",
    "quota",
    "no allowed place",
    "site not ready",
    "capacity",
    "topology",
    "power",
    "held for a reservation",
    "spares kept",
    "shared GPUs full",
    "restart delay",
    "closed",
    "budget",
    "placement constraint",
    "constraint never met",
)
"""Why a job waits; the index is the value of `reason`, one for each of `scheduling.jobs.REASONS`."""
STATES = ("queued", "running", "completed", "failed", "cancelled", "timeout", "refused", "crash-looped")
"""How a job stands at the end of the run; the index is the value of `state`."""
LEVELS = ("rack", "pod", "hall", "site")
"""The smallest part of the fleet that held the whole gang; the index is the value of `level`."""
ENDINGS = ("ended", "pre-empted", "node failure", "horizon", "timeout")
"""Why an interval of running ended; the index is the value of `why`."""

TABLES: dict[str, tuple[str, ...]] = {
    "jobs": (
        *("job_id", "project", "user", "priority", "tier", "gpus", "nodes", "racks", "level", "site", "hw"),
        *("submit_ms", "start_ms", "end_ms", "allocated_gpu_ms", "work_gpu_ms", "lost_gpu_ms"),
        *("restarts", "preemptions", "state", "reason", "energy_j"),
    ),
    "intervals": (
        *("job_id", "attempt", "project", "site", "hw", "gpus", "start_ms", "end_ms", "why", "energy_j"),
        "gpu_milli",
    ),
    "site_power": ("minute_ms", "feed", "it_w", "committed_w"),
    "queue": (
        "time_ms",
        "waiting_jobs",
        "waiting_gpus",
        "online_gpus",
        "allocated_gpus",
        "down_gpus",
        *(f"r{reason}" for reason in range(len(REASONS))),
    ),
    "fleet": ("time_ms", "cell", "online_gpus", "allocated_gpus", "down_gpus"),
}
"""Columns of every table, all int64. Times are ms UTC, `feed` is an index of power nodes."""

PART_ROWS = 262_144


class Sink(Protocol):
    """What the twin writes results to."""

    def write(self, table: str, columns: Mapping[str, Ints]) -> None:
        """Append a batch; the arrays may be reused by the caller afterwards."""
        ...


class ParquetSink:
    """Writes each table as numbered parquet parts (zstd) below `folder`; call `close` when the run has ended."""

    def __init__(self, folder: Path, part_rows: int = PART_ROWS) -> None:
        self._folder = folder
        self._part_rows = part_rows
        self._waiting: dict[str, list[pl.DataFrame]] = {name: [] for name in TABLES}
        self._parts: dict[str, int] = dict.fromkeys(TABLES, 0)

    def write(self, table: str, columns: Mapping[str, Ints]) -> None:
        """Append a batch, copying it; a full part goes to disk."""
        batch = pl.DataFrame({name: np.array(columns[name], dtype=np.int64) for name in TABLES[table]})
        self._waiting[table].append(batch)
        if sum(frame.height for frame in self._waiting[table]) >= self._part_rows:
            self._flush(table)

    def close(self) -> None:
        """Write what is left; a table without rows becomes one empty part, so that every run has every table."""
        for table in TABLES:
            if self._waiting[table] or not self._parts[table]:
                self._flush(table)

    def _flush(self, table: str) -> None:
        empty = pl.DataFrame(schema=dict.fromkeys(TABLES[table], pl.Int64))
        self._parts[table] += 1
        path = self._folder / table / f"part-{self._parts[table]:04d}.parquet"
        path.parent.mkdir(exist_ok=True)
        pl.concat([empty, *self._waiting[table]]).write_parquet(path, compression="zstd")
        self._waiting[table] = []


def scan_table(run: Path, table: str) -> pl.LazyFrame:
    """One table of a finished run, read lazily.

    Raises InputError when `run` is not the folder of a finished run.
    """
    folder = run / table
    if not folder.is_dir():
        mend = "name a folder that `gridhall simulate` wrote, such as runs/laptop-seed1"
        raise fault(str(run), table, "this folder has no such table", mend)
    return pl.scan_parquet(folder / "*.parquet")


@contextmanager
def run_folder(final: Path) -> Generator[Path]:
    """A folder to write a run into; it is called `final` once the block has ended well, and is gone otherwise.

    Raises InputError when `final` exists already. Folders made on the way are removed as well.
    """
    if final.exists():
        raise fault(str(final), "", "exists already", "choose another folder with --out, or remove this one")
    made = [parent for parent in (final.parent, *final.parent.parents) if not parent.exists()]
    final.parent.mkdir(parents=True, exist_ok=True)
    partial = final.with_name(f".{final.name}.partial-{os.getpid()}")
    partial.mkdir()
    try:
        yield partial
        partial.rename(final)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        for parent in made:
            with suppress(OSError):  # another run may have begun to use it
                parent.rmdir()
        raise
