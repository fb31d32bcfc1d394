"""Readers: an operator's own accounting dump or a public trace becomes a workload.

Every reader has one shape: text or table -> polars rows -> rules that name each bad row with its cure (`rules.py`) ->
the shared last step that turns names into indexes (`trace.py`). A file with any bad row is refused as a whole, so that
nobody simulates a year with a hole in it. What a reader leaves out on purpose it counts in the workload's `notes`.
"""

from pathlib import Path
from typing import Literal, get_args

from gridhall.errors import fault
from gridhall.work.hosts import Hosts
from gridhall.work.readers.result import TraceWorkload

Format = Literal["sacct", "swf", "openb", "m100", "csv", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)

__all__ = ["FORMATS", "Format", "TraceWorkload", "read_jobs"]


def read_jobs(
    path: Path,
    format: Format,
    fleet: Hosts | None = None,
    *,
    mapping: Path | None = None,
    align_ms: int | None = None,
    cpu_jobs: bool = False,
) -> TraceWorkload:
    """The jobs of a file.

    With `fleet`, gangs larger than its largest block are refused and GPU models become hardware masks. `mapping` is
    needed for csv and parquet. `align_ms` moves the first submission to that time (ms UTC). `cpu_jobs` keeps openb's
    pods without GPUs. Raises InputError with the first 20 faults and a count of the others.
    """
    from gridhall.work.readers import m100, mapped, openb, sacct, swf  # polars is heavy: only when a file is read

    match format:
        case "sacct":
            return sacct.read(path, fleet, align_ms)
        case "swf":
            return swf.read(path, fleet, align_ms)
        case "openb":
            return openb.read(path, fleet, align_ms, cpu_jobs=cpu_jobs)
        case "m100":
            return m100.read(path, fleet, align_ms)
        case "csv" | "parquet":
            if mapping is None:
                raise fault(str(path), "mapping", f"{format} needs a mapping file", "see docs/how-to.md for its fields")
            return mapped.read(path, mapped.load_mapping(mapping), fleet, align_ms)
