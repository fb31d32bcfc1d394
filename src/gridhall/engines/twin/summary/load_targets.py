"""How each load target was kept: what the feed drew before, during and after it, at its meter.

The baseline is nominated: the draw in the minute before the target, held flat. It is the twin's own draw, so all of
this is simulated. Minutes are the twin's; a target that begins within one is judged from the next whole minute on.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridhall.engines.twin.index import RunIndex
from gridhall.engines.twin.settings import Target, Totals
from gridhall.engines.twin.summary.figure import Figure, figure, share
from gridhall.engines.twin.tables import scan_table
from gridhall.units import HOUR_MS, MINUTE_MS, iso_utc

Document = dict[str, Any]
Floats = NDArray[np.float64]
TOLERANCE_MILLI = 10
"""A minute counts as above a target beyond so many per mille of it."""
AFTER_MS = HOUR_MS


def targets(run: Path, index: RunIndex) -> list[Document]:
    """One entry a load target, in the order of their starts."""
    return [_target(run, index, target) for target in index.targets]


def paused(totals: Totals) -> Figure:
    """GPU-hours that gangs stood still for load targets, over the whole run."""
    return figure(totals.lost_gpu_ms.get("paused", 0) / HOUR_MS, "GPU h")


def _target(run: Path, index: RunIndex, target: Target) -> Document:
    feed = next(feed for feed in index.feeds if feed.node == target.power)
    mw_per_w = index.sites[feed.site].pue_milli / 1e9
    before, held, after = (draw * mw_per_w for draw in _draws(run, target))
    limit_mw = target.limit_w * mw_per_w
    drawn = float(before[-1]) if len(before) else None
    peak_after = _highest(after)
    return {
        "name": f"{feed.name} {iso_utc(target.from_ms)}",
        "feed": feed.name,
        "start": iso_utc(target.from_ms),
        "end": iso_utc(target.until_ms),
        "target": figure(limit_mw, "MW", "assumed"),
        "drawn_before": figure(drawn, "MW"),
        **_kept(held, limit_mw * (1000 + TOLERANCE_MILLI) / 1000),
        "shed_energy": figure(None if drawn is None else float((drawn - held).sum()) / 60, "MWh"),
        "peak_hour_after": figure(peak_after, "MW"),
        "peak_after_of_before": figure(None if peak_after is None else share(peak_after, drawn or 0.0), "share"),
    }


def _kept(held: Floats, most_mw: float) -> Document:
    """How long it took to reach the target, and how it was held after the first minute."""
    reached = np.flatnonzero(held <= most_mw)
    rest = held[1:]
    return {
        "reached_within": figure(int(reached[0]) + 1 if len(reached) else None, "min"),
        "mean_held": figure(float(rest.mean()) if len(rest) else None, "MW"),
        "worst_minute": figure(_highest(rest), "MW"),
        "minutes_over": figure(int((rest > most_mw).sum()), "min"),
    }


def _draws(run: Path, target: Target) -> tuple[Floats, Floats, Floats]:
    """IT watts of the feed minute by minute: the minute before, while the target stands, the hour after."""
    minute = pl.col("minute_ms")
    near = minute.is_between(target.from_ms - 2 * MINUTE_MS, target.until_ms + AFTER_MS, closed="left")
    mine = scan_table(run, "site_power").filter((pl.col("feed") == target.power) & near).sort("minute_ms")
    frame = mine.select(minute, pl.col("it_w").cast(pl.Float64)).collect()
    times, watts = frame["minute_ms"].to_numpy(), frame["it_w"].to_numpy()
    ends = times + MINUTE_MS
    held = (times >= target.from_ms) & (ends <= target.until_ms)
    return watts[ends <= target.from_ms], watts[held], watts[times >= target.until_ms]


def _highest(draw: Floats) -> float | None:
    return float(draw.max()) if len(draw) else None
