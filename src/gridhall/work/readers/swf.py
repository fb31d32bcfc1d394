"""Standard Workload Format, version 2: 18 numbers a line, `;` before comments, -1 for what is unknown.

A processor of the log is read as a GPU. Field 13 (group) is taken as the project, 14 (executable) as the job's name.
"""

import re
from pathlib import Path

import polars as pl

from gridhall.units import SECOND_MS
from gridhall.work.hosts import Hosts
from gridhall.work.readers.result import TraceWorkload
from gridhall.work.readers.rules import Rule, lines, refuse, split
from gridhall.work.readers.trace import Source, workload
from gridhall.work.table import OUTCOMES

FIELDS = (
    *("job", "submit", "wait", "run", "processors", "cpu_time", "memory", "asked_processors", "asked_time"),
    *("asked_memory", "status", "user", "group", "executable", "queue", "partition", "preceding", "think_time"),
)
WHOLE = ("job", "submit", "run", "processors", "asked_processors", "asked_time", "status")
STATUS = {-1: "completed", 0: "failed", 1: "completed", 5: "cancelled"}
PARTIAL = (2, 3, 4)
"""Status of lines that describe parts of a checkpointed job, which has a line of its own as well."""


def read(path: Path, hosts: Hosts | None, align_ms: int | None = None) -> TraceWorkload:
    """Jobs that ran on at least one processor. Submissions count from the header's UnixStartTime, else from 0."""
    text = lines(path).with_columns(pl.col("text").str.strip_chars().str.replace_all(r"\s+", " "))
    header = text.filter(pl.col("text").str.starts_with(";"))["text"].to_list()
    raw = split(text.filter(~pl.col("text").str.starts_with(";")), path, FIELDS, " ")
    rows = raw.with_columns(pl.col(name).cast(pl.Int64, strict=False).alias(f"#{name}") for name in WHOLE)
    refuse(rows, path, _rules())
    whole = rows.filter(~pl.col("#status").is_in(PARTIAL))
    size = pl.when(pl.col("#processors") > 0).then(pl.col("#processors")).otherwise(pl.col("#asked_processors"))
    ran = whole.with_columns(size.alias("gpus")).filter((pl.col("#run") > 0) & (pl.col("gpus") > 0))
    jobs = ran.select(*_columns(_unix_start_s(header)))
    notes = _notes(raw.height - whole.height, whole.height - ran.height)
    return workload(jobs, Source(path, path.stem, _origin(path, header), notes), hosts, align_ms)


def _rules() -> list[Rule]:
    rules = [
        Rule(name, pl.col(f"#{name}").is_null(), "{value} is not a whole number", "write -1 where it is unknown")
        for name in WHOLE
    ]
    submit = pl.col("#submit")
    return [
        *rules,
        Rule("submit", submit < 0, "{value} is negative", "every job needs its submission in seconds from the start"),
        Rule("submit", submit < submit.shift(1), "{value} is before the line above", "sort the log by submission"),
        Rule("run", pl.col("#run") < -1, "{value} is negative", "write -1 where it is unknown"),
        Rule(
            "status",
            ~pl.col("#status").is_in([*STATUS, *PARTIAL]),
            "{value} is not a status",
            "use -1 to 5 as the format defines them",
        ),
    ]


def _columns(start_s: int) -> list[pl.Expr | str]:
    return [
        "row",
        "gpus",
        pl.col("#job").alias("job_id"),
        ((pl.col("#submit") + start_s) * SECOND_MS).alias("submit_ms"),
        (pl.col("#run") * SECOND_MS).alias("duration_ms"),
        (pl.max_horizontal(pl.col("#asked_time"), pl.lit(0)) * SECOND_MS).alias("limit_ms"),
        pl.format("group {}", "group").alias("project"),
        "user",
        pl.col("executable").alias("name"),
        pl.col("#status")
        .replace_strict(list(STATUS), [OUTCOMES.index(end) for end in STATUS.values()], return_dtype=pl.Int64)
        .alias("outcome"),
    ]


def _unix_start_s(header: list[str]) -> int:
    for line in header:
        found = re.match(r";\s*UnixStartTime:\s*(\d+)", line)
        if found:
            return int(found.group(1))
    return 0


def _origin(path: Path, header: list[str]) -> str:
    """The log's own words about where it comes from."""
    words = [re.sub(r"^;\s*", "", line) for line in header]
    said = [line for line in words if re.match(r"(Computer|Installation|Acknowledge|Information):", line)]
    return "; ".join(said) if said else f"Standard Workload Format log {path.name}; its header names no origin"


def _notes(parts: int, idle: int) -> tuple[str, ...]:
    counted = ((parts, "lines about parts of jobs dropped"), (idle, "jobs left out that never ran"))
    return ("each processor of the log is read as a GPU", *(f"{count} {what}" for count, what in counted if count))
