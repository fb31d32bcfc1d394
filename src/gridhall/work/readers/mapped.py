"""Any CSV or parquet table of jobs, with a mapping file that says which column means what.

title: Cluster A, 2025
attribution: internal
columns: {submit: queued_at, start: began_at, end: ended_at, gpus: n_gpu, user: who, project: team}
units: {time: iso, duration: s}
outcomes: {OK: completed, ERR: failed}
"""

from pathlib import Path
from typing import Literal

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gridhall.errors import Fault, InputError, fault
from gridhall.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from gridhall.work.hosts import Hosts
from gridhall.work.readers.hardware import hardware_column
from gridhall.work.readers.result import TraceWorkload
from gridhall.work.readers.rules import ROW, Rule, existing, refuse, require
from gridhall.work.readers.trace import Source, workload
from gridhall.work.table import OUTCOMES

UNIT_MS = {"ms": 1, "s": SECOND_MS, "min": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
Unit = Literal["ms", "s", "min", "h", "d"]
Outcome = Literal["completed", "failed", "cancelled", "timeout"]


class Columns(BaseModel):
    """Names of the table's columns. Run time is `duration`, or `end` minus `start`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    submit: str
    gpus: str
    start: str | None = None
    end: str | None = None
    duration: str | None = None
    limit: str | None = None
    job_id: str | None = None
    project: str | None = None
    user: str | None = None
    name: str | None = None
    priority: str | None = None
    preemptible: str | None = None
    gpu_milli: str | None = None
    cpu_milli: str | None = None
    mem_mib: str | None = None
    hardware: str | None = None
    outcome: str | None = None

    @model_validator(mode="after")
    def _run_time_is_known(self) -> "Columns":
        if self.duration is None and (self.start is None or self.end is None):
            raise ValueError("name a column for duration, or both start and end")
        return self


class Units(BaseModel):
    """Units of the table: `time` of submit, start and end (since 1970, or iso text); `duration` also of the limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    time: Literal["iso", "ms", "s"] = "iso"
    duration: Unit = "s"
    limit: Unit | None = None


class Mapping(BaseModel):
    """A mapping file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    title: str
    attribution: str
    columns: Columns
    units: Units = Units()
    outcomes: dict[str, Outcome] = Field(default_factory=dict)


def load_mapping(path: Path) -> Mapping:
    """The mapping file as a model; InputError with every fault."""
    try:
        content: object = yaml.safe_load(existing(path).read_text(encoding="utf-8"))
        return Mapping.model_validate(content)
    except yaml.YAMLError as error:
        raise fault(str(path), "", f"not YAML: {error}", "mend the syntax") from None
    except ValidationError as error:
        cure = "see the fields in docs/how-to.md"
        raise InputError(
            [Fault(str(path), ".".join(map(str, one["loc"])), one["msg"], cure) for one in error.errors()]
        ) from None


def table(path: Path) -> pl.DataFrame:
    """A CSV (all text) or parquet table with `row`: its line, or its row from 1; InputError where it cannot be read."""
    parquet = existing(path).suffix == ".parquet"
    try:
        frame = pl.read_parquet(path) if parquet else pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise fault(
            str(path), "", f"cannot be read: {reason}", "the file is damaged or cut off: get it again"
        ) from None
    return frame.drop(ROW, strict=False).with_row_index(ROW, offset=1 if parquet else 2).cast({ROW: pl.Int64})


def read(path: Path, mapping: Mapping, hosts: Hosts | None, align_ms: int | None = None) -> TraceWorkload:
    """Jobs with GPUs of a mapped table."""
    raw = table(path)
    columns = mapping.columns
    named = {key: str(name) for key, name in columns.model_dump().items() if name is not None}
    require(raw, path, list(named.values()), "correct the name in the mapping file")
    parsed = raw.with_columns(**{f"#{key}": _parsed(key, raw, name, mapping) for key, name in named.items()})
    refuse(parsed, path, _rules(mapping, named))
    run = pl.col("#duration") if columns.duration else pl.col("#end") - pl.col("#start")
    values = {key: pl.col(f"#{key}") for key in named if key not in ("submit", "start", "end", "duration", "limit")}
    values |= {"submit_ms": pl.col("#submit"), "duration_ms": run}
    if columns.limit:
        values["limit_ms"] = pl.col("#limit").fill_null(0)
    if columns.hardware:
        values["hardware"] = hardware_column(pl.col("#hardware"), hosts)
    rows = parsed.select(ROW, **values)
    kept = rows.filter(pl.col("gpus") > 0)
    left_out = rows.height - kept.height
    notes = (f"{left_out} jobs without a GPU left out",) if left_out else ()
    return workload(kept, Source(path, mapping.title, mapping.attribution, notes), hosts, align_ms)


def _parsed(key: str, raw: pl.DataFrame, name: str, mapping: Mapping) -> pl.Expr:
    """The column in the house's units; null where it cannot be read."""
    column = pl.col(name)
    if key in ("submit", "start", "end"):
        return _time_ms(column, raw.schema[name], mapping.units.time)
    if key in ("duration", "limit"):
        unit = mapping.units.limit if key == "limit" and mapping.units.limit else mapping.units.duration
        return _whole(column.cast(pl.Float64, strict=False) * UNIT_MS[unit])
    if key == "outcome":
        words = mapping.outcomes or {word: word for word in OUTCOMES}
        indexes = [OUTCOMES.index(end) for end in words.values()]
        return column.cast(pl.String).replace_strict(list(words), indexes, default=None, return_dtype=pl.Int64)
    if key in ("project", "user", "name", "hardware", "job_id"):
        return column.cast(pl.String)
    return _whole(column.cast(pl.Float64, strict=False))


def _whole(number: pl.Expr) -> pl.Expr:
    """Rounded to an integer; null for what is not finite."""
    return pl.when(number.is_finite()).then(number.round()).cast(pl.Int64)


def _time_ms(column: pl.Expr, kind: pl.DataType, unit: str) -> pl.Expr:
    if isinstance(kind, pl.Datetime):
        return column.dt.epoch("ms")
    if unit == "iso":
        return column.cast(pl.String).str.to_datetime(time_zone="UTC", strict=False).dt.epoch("ms")
    return _whole(column.cast(pl.Float64, strict=False) * UNIT_MS[unit])


def _rules(mapping: Mapping, named: dict[str, str]) -> list[Rule]:
    numbers = [key for key in named if key not in ("project", "user", "name", "hardware", "job_id", "limit", "outcome")]
    rules = [
        Rule(named[key], pl.col(f"#{key}").is_null(), "{value} cannot be read", f"check units and the column for {key}")
        for key in numbers
    ]
    rules.append(Rule(named["gpus"], pl.col("#gpus") < 0, "{value} is negative", "correct it, or leave the row out"))
    backwards = "the clock goes backwards: correct the times, or leave the row out"
    if "outcome" in named:
        unknown = pl.col("#outcome").is_null()
        rules.append(Rule(named["outcome"], unknown, "{value} is not a known outcome", "add it to `outcomes`"))
    if "start" in named:
        early = pl.col("#start") < pl.col("#submit")
        rules.append(Rule(named["start"], early, "{value} is before the submission", backwards))
    if "start" in named and "end" in named:
        rules.append(Rule(named["end"], pl.col("#end") < pl.col("#start"), "{value} is before the start", backwards))
    if mapping.columns.duration:
        negative = pl.col("#duration") < 0
        rules.append(Rule(mapping.columns.duration, negative, "{value} is negative", "correct it, or leave it out"))
    return rules
