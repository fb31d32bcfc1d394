"""A Slurm accounting dump: `sacct --allusers --parsable2 [--duplicates] --format ...`, one line a job or step.

Needed columns: JobID, Submit, State, AllocTRES or ReqTRES, and Elapsed or Start and End. Others are used where present:
JobIDRaw, User, Account, JobName, Timelimit, Partition, QOS. Times are read as UTC (run sacct with TZ=UTC).
"""

from pathlib import Path

import polars as pl

from gridhall.units import SECOND_MS
from gridhall.work.hosts import Hosts
from gridhall.work.readers import slurm
from gridhall.work.readers.hardware import hardware_column
from gridhall.work.readers.result import TraceWorkload
from gridhall.work.readers.rules import Rule, lines, refuse, require, split
from gridhall.work.readers.trace import Source, workload

ORIGIN = "Slurm accounting dump of the operator's own cluster; not published"
CURE = (
    "run sacct --parsable2 with --format JobID,User,Account,JobName,Submit,Start,End,Elapsed,Timelimit,State,AllocTRES"
)
LOW = ("scavenge", "preempt", "low", "spot")
HIGH = ("high", "urgent", "prio")
"""Parts of a QOS or partition name that make a job priority 0 and pre-emptible, or priority 2."""


def read(path: Path, hosts: Hosts | None, align_ms: int | None = None) -> TraceWorkload:
    """Finished jobs that had GPUs. Steps are dropped; of several records of a job (requeues) the last one counts."""
    text = lines(path)
    raw = split(text[1:], path, text["text"][0].split("|"), "|")
    require(raw, path, ("JobID", "Submit", "State"), CURE)
    jobs = raw.filter(~pl.col("JobID").str.contains(r"\."))
    jobs = jobs.with_columns(*_run(jobs, path), _tres(jobs, path).alias("tres"))
    jobs = jobs.with_columns(
        slurm.time_ms(pl.col("Submit")).alias("submit_ms"), slurm.outcome(pl.col("State")).alias("outcome")
    )
    refuse(jobs, path, _rules(jobs))
    done = jobs.filter(~_unfinished() & (pl.col("duration_ms") > 0))
    last = done.sort("row").unique("JobID", keep="last", maintain_order=True)
    first = done.group_by("JobID").agg(pl.col("submit_ms").min())
    last = last.drop("submit_ms").join(first, on="JobID").with_columns(slurm.tres_gpus(pl.col("tres")).alias("gpus"))
    kept = last.filter(pl.col("gpus") > 0).with_columns(**_columns(last, hosts))
    notes = _notes(raw.height - jobs.height, jobs.height - done.height, done.height - last.height, last, kept)
    columns = [name for name in kept.columns if name in _WANTED]
    return workload(kept.select(columns), Source(path, path.stem, ORIGIN, notes), hosts, align_ms)


_WANTED = (
    *("row", "job_id", "submit_ms", "duration_ms", "limit_ms", "gpus"),
    *("project", "user", "name", "priority", "preemptible", "hardware", "outcome"),
)


def _unfinished() -> pl.Expr:
    return slurm.word(pl.col("State")).is_in(slurm.UNFINISHED)


def _run(jobs: pl.DataFrame, path: Path) -> list[pl.Expr]:
    """Run time and the begin and end that the rules compare; a job that never started has none."""
    if "Elapsed" in jobs.columns:
        run = slurm.span_ms(pl.col("Elapsed"))
    elif "ElapsedRaw" in jobs.columns:
        run = pl.col("ElapsedRaw").cast(pl.Int64, strict=False) * SECOND_MS
    else:
        require(jobs, path, ("Start", "End"), CURE)
        run = (slurm.time_ms(pl.col("End")) - slurm.time_ms(pl.col("Start"))).fill_null(0)
    begin, end = (
        slurm.time_ms(pl.col(name)) if name in jobs.columns else pl.lit(None, pl.Int64) for name in ("Start", "End")
    )
    return [run.alias("duration_ms"), begin.alias("begin_ms"), end.alias("finish_ms")]


def _tres(jobs: pl.DataFrame, path: Path) -> pl.Expr:
    """What was allocated, else what was asked for."""
    both = [pl.col(name).replace("", None) for name in ("AllocTRES", "ReqTRES") if name in jobs.columns]
    if not both:
        require(jobs, path, ("AllocTRES",), CURE)
    return pl.coalesce(*both, pl.lit(""))


def _rules(jobs: pl.DataFrame) -> list[Rule]:
    run_field = "Elapsed" if "Elapsed" in jobs.columns else "ElapsedRaw" if "ElapsedRaw" in jobs.columns else "End"
    known = pl.col("outcome").is_not_null() | _unfinished()
    backwards = "the clock goes backwards: correct the times, or leave the row out"
    rules = [
        Rule("Submit", pl.col("submit_ms").is_null(), "{value} is not a time", "write it as 2026-01-31T12:00:00"),
        Rule("State", ~known.fill_null(False), "{value} is not a state of Slurm", "use sacct's own words"),
        Rule(run_field, pl.col("duration_ms").is_null(), "{value} is not a span", "write it as [DD-]HH:MM:SS"),
        Rule(run_field, pl.col("duration_ms") < 0, "the job ran for less than no time", backwards),
    ]
    if "Start" in jobs.columns:
        rules.append(Rule("Start", pl.col("begin_ms") < pl.col("submit_ms"), "{value} is before Submit", backwards))
    if "End" in jobs.columns:
        rules.append(Rule("End", pl.col("finish_ms") < pl.col("begin_ms"), "{value} is before Start", backwards))
    if "Timelimit" in jobs.columns:
        bad = slurm.span_ms(pl.col("Timelimit")).is_null() & ~_no_limit()
        rules.append(Rule("Timelimit", bad, "{value} is not a span", "write it as [DD-]HH:MM:SS or UNLIMITED"))
    return rules


def _no_limit() -> pl.Expr:
    return pl.col("Timelimit").str.to_uppercase().is_in(slurm.NO_LIMIT)


def _columns(jobs: pl.DataFrame, hosts: Hosts | None) -> dict[str, pl.Expr]:
    columns: dict[str, pl.Expr] = {
        "job_id": pl.col("JobIDRaw" if "JobIDRaw" in jobs.columns else "JobID"),
        "hardware": hardware_column(slurm.tres_models(pl.col("tres")), hosts),
    }
    named = {"project": "Account", "user": "User", "name": "JobName"}
    columns |= {name: pl.col(source) for name, source in named.items() if source in jobs.columns}
    if "Timelimit" in jobs.columns:
        columns["limit_ms"] = pl.when(_no_limit()).then(0).otherwise(slurm.span_ms(pl.col("Timelimit")))
    classes = [pl.col(name) for name in ("QOS", "Partition") if name in jobs.columns]
    if classes:
        label = pl.concat_str(classes, separator=" ").str.to_lowercase()
        low = label.str.contains("|".join(LOW))
        columns["priority"] = pl.when(low).then(0).when(label.str.contains("|".join(HIGH))).then(2).otherwise(1)
        columns["preemptible"] = low.cast(pl.Int64)
    return columns


def _notes(steps: int, unfinished: int, requeues: int, last: pl.DataFrame, kept: pl.DataFrame) -> tuple[str, ...]:
    counted = (
        (steps, "records of job steps dropped"),
        (unfinished, "jobs left out that had not started or not ended"),
        (requeues, "records of earlier attempts dropped: of a requeued job the last run time counts"),
        (last.height - kept.height, "jobs without a GPU left out"),
    )
    return (*(f"{count} {what}" for count, what in counted if count), "times are read as UTC")
