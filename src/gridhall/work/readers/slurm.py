"""Words and notations of Slurm that more than one reader meets: states, spans of time, TRES."""

import polars as pl

from gridhall.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from gridhall.work.table import OUTCOMES

STATES = {
    "COMPLETED": "completed",
    "FAILED": "failed",
    "NODE_FAIL": "failed",
    "BOOT_FAIL": "failed",
    "LAUNCH_FAILED": "failed",
    "OUT_OF_MEMORY": "failed",
    "CANCELLED": "cancelled",
    "PREEMPTED": "cancelled",
    "REVOKED": "cancelled",
    "REQUEUED": "cancelled",
    "TIMEOUT": "timeout",
    "DEADLINE": "timeout",
}
"""How a finished job ended. PREEMPTED and REQUEUED end a job only where no later record of it exists."""
UNFINISHED = ("PENDING", "RUNNING", "SUSPENDED", "CONFIGURING", "COMPLETING", "RESIZING", "REQUEUE_HOLD", "STOPPED")
NO_LIMIT = ("UNLIMITED", "PARTITION_LIMIT", "NOT_SET", "")


def word(state: pl.Expr) -> pl.Expr:
    """`CANCELLED` of `CANCELLED by 1000` or `CANCELLED+`."""
    return state.str.to_uppercase().str.extract(r"^([A-Z_]+)")


def outcome(state: pl.Expr) -> pl.Expr:
    """Index into OUTCOMES of each state; null where the word is unknown."""
    return word(state).replace_strict(
        list(STATES), [OUTCOMES.index(end) for end in STATES.values()], default=None, return_dtype=pl.Int64
    )


def span_ms(text: pl.Expr) -> pl.Expr:
    """`[DD-]HH:MM:SS`, `MM:SS` (with or without a fraction) in ms; null where it is none of these."""
    parts = text.str.extract_groups(r"^(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)(?:\.\d+)?$")
    days, hours, minutes, seconds = (parts.struct.field(str(index)).cast(pl.Int64) for index in range(1, 5))
    whole = days.fill_null(0) * DAY_MS + hours.fill_null(0) * HOUR_MS
    return whole + minutes * MINUTE_MS + seconds * SECOND_MS


def time_ms(text: pl.Expr) -> pl.Expr:
    """`2026-01-31T12:00:00` or seconds since 1970, both UTC, in ms; null where it is neither."""
    stamp = text.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False).dt.epoch("ms")
    return pl.coalesce(stamp, text.cast(pl.Int64, strict=False) * SECOND_MS)


def tres_gpus(tres: pl.Expr) -> pl.Expr:
    """GPUs of `cpu=64,gres/gpu=8,gres/gpu:h100=8,node=1`: the untyped count, else the sum of the typed ones, else 0."""
    total = tres.str.extract(r"(?:^|,)gres/gpu=(\d+)").cast(pl.Int64)
    typed = tres.str.extract_all(r"gres/gpu:[^=,]+=\d+").list.eval(pl.element().str.extract(r"=(\d+)$").cast(pl.Int64))
    return pl.coalesce(total, typed.list.sum(), pl.lit(0))


def tres_models(tres: pl.Expr) -> pl.Expr:
    """GPU models of the typed counts, separated by `|`; empty where none is named."""
    models = tres.str.extract_all(r"gres/gpu:[^=,]+=").list.eval(pl.element().str.extract(r"gpu:([^=]+)="))
    return models.list.join("|").fill_null("")
