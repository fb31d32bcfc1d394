"""The run's series, thinned to what a chart can show: at most a few hundred points each, whatever the horizon."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridhall.engines.twin.index import RunIndex
from gridhall.engines.twin.settings import Target
from gridhall.engines.twin.tables import REASONS, scan_table
from gridhall.units import DAY_MS, HOUR_MS, MINUTE_MS

Floats = NDArray[np.float64]
BINS_MS = tuple(hours * HOUR_MS for hours in (1, 2, 3, 4, 6, 12, 24, 48, 168, 336, 730))
MOST_MINUTES = 1_440
"""A load target's chart has at most so many points."""


@dataclass(frozen=True)
class Grid:
    """Even bins over the run."""

    start_ms: int
    step_ms: int
    count: int

    def bin_of(self, column: str, ends: bool = False) -> pl.Expr:
        """Number of the bin that holds a time column; `ends` where the time is the end of what the row tells."""
        return ((pl.col(column) - self.start_ms - int(ends)) // self.step_ms).alias("bin")

    def spread(self, frame: pl.DataFrame, column: str) -> Floats:
        """A column of a frame with one row a `bin`, on all bins; NaN where there is none."""
        values = np.full(self.count, np.nan)
        values[frame["bin"].to_numpy()] = frame[column].cast(pl.Float64).to_numpy()
        return values


def grid(index: RunIndex, most: int) -> Grid:
    """The finest even bins of which at most `most` cover the run."""
    span = index.end_ms - index.start_ms
    step = next((step for step in BINS_MS if span <= step * most), -(-span // most))
    return Grid(index.start_ms, step, -(-span // step))


def on_line(run: Path, index: RunIndex, bins: Grid) -> list[Floats]:
    """GPUs per site that have come on line, those under repair included."""
    ready = pl.col("online_gpus").sum() + pl.col("down_gpus").sum()
    return _per_site(run, index, bins, ready / pl.col("time_ms").n_unique())


def utilisation(run: Path, index: RunIndex, bins: Grid) -> list[Floats]:
    """Allocated share of the GPU-hours on line per site; NaN before a site's first rack."""
    online = pl.col("online_gpus").sum()
    return _per_site(run, index, bins, pl.when(online > 0).then(pl.col("allocated_gpus").sum() / online))


def _per_site(run: Path, index: RunIndex, bins: Grid, value: pl.Expr) -> list[Floats]:
    cells = pl.LazyFrame({"cell": range(len(index.cells)), "site": [cell.site for cell in index.cells]})
    table = scan_table(run, "fleet").join(cells.cast(pl.Int64), on="cell")
    frame = table.group_by("site", bins.bin_of("time_ms", ends=True)).agg(value.alias("value")).collect()
    return [bins.spread(frame.filter(pl.col("site") == site), "value") for site in range(len(index.sites))]


def spent_usd(index: RunIndex, bins: Grid) -> Floats:
    """Price of all racks that have come on line by the end of each bin."""
    ends = bins.start_ms + (np.arange(bins.count) + 1) * bins.step_ms
    total = np.zeros(bins.count)
    for group in index.arrivals:
        total += np.where(group.ready_from_ms < ends, group.capex_musd / 1e6, 0.0)
    return total


def waiting(run: Path, bins: Grid) -> dict[str, Floats]:
    """Waiting jobs by reason, mean of each bin; reasons that never came are left out."""
    columns = [pl.col(f"r{number}").mean() for number in range(len(REASONS))]
    frame = scan_table(run, "queue").group_by(bins.bin_of("time_ms", ends=True)).agg(columns).collect()
    series = {reason: bins.spread(frame, f"r{number}") for number, reason in enumerate(REASONS)}
    return {reason: values for reason, values in series.items() if np.nansum(values) > 0}


@dataclass(frozen=True)
class FeedSeries:
    """One feed over time, in MW of the whole site."""

    mean: Floats
    peak: Floats
    committed: Floats


def feeds(run: Path, index: RunIndex, bins: Grid) -> list[FeedSeries]:
    """Mean and peak draw and the committed power of each feed."""
    values = [pl.col("it_w").mean().alias("mean"), pl.col("it_w").max().alias("peak"), pl.col("committed_w").max()]
    frame = scan_table(run, "site_power").group_by("feed", bins.bin_of("minute_ms")).agg(values).collect()
    found: list[FeedSeries] = []
    for feed in index.feeds:
        mine = frame.filter(pl.col("feed") == feed.node)
        scale = index.sites[feed.site].pue_milli / 1e9
        mean, peak, committed = (bins.spread(mine, column) * scale for column in ("mean", "peak", "committed_w"))
        found.append(FeedSeries(mean, peak, committed))
    return found


def around(index: RunIndex, target: Target) -> Grid:
    """Minutes from an hour before a load target until 90 minutes after it; longer bins around one of days."""
    first = max(index.start_ms, target.from_ms - HOUR_MS)
    last = min(index.end_ms, target.until_ms + 90 * MINUTE_MS)
    step = -(-(last - first) // (MOST_MINUTES * MINUTE_MS)) * MINUTE_MS
    return Grid(first, step, -(-(last - first) // step))


def feed_mw(run: Path, index: RunIndex, node: int, bins: Grid) -> Floats:
    """Mean draw of one feed at its meter."""
    site = next(feed.site for feed in index.feeds if feed.node == node)
    near = pl.col("minute_ms").is_between(bins.start_ms, bins.start_ms + bins.count * bins.step_ms, closed="left")
    mine = scan_table(run, "site_power").filter((pl.col("feed") == node) & near)
    frame = mine.group_by(bins.bin_of("minute_ms")).agg(pl.col("it_w").mean()).collect()
    return bins.spread(frame, "it_w") * index.sites[site].pue_milli / 1e9


def allowed_mw(index: RunIndex, node: int, bins: Grid) -> list[tuple[int, float]]:
    """What one feed may draw at its meter from the start of the bins on: its load targets, its own limit elsewhere."""
    feed = next(feed for feed in index.feeds if feed.node == node)
    mine = [target for target in index.targets if target.power == node]
    end_ms = bins.start_ms + bins.count * bins.step_ms
    turns = {time for target in mine for time in (target.from_ms, target.until_ms) if bins.start_ms < time < end_ms}
    scale = index.sites[feed.site].pue_milli / 1e9
    steps: list[tuple[int, float]] = []
    for time in sorted({bins.start_ms, *turns}):
        held = next((target for target in mine if target.from_ms <= time < target.until_ms), None)
        steps.append((time, (held.limit_w if held else feed.limit_it_w) * scale))
    return steps


def bin_words(bins: Grid) -> str:
    """`6 hours`, `1 day` for captions."""
    units = (("day", DAY_MS), ("hour", HOUR_MS), ("minute", MINUTE_MS))
    unit, length = next((pair for pair in units if bins.step_ms % pair[1] == 0), ("hour", HOUR_MS))
    count = bins.step_ms / length
    return f"1 {unit}" if count == 1 else f"{count:.3g} {unit}s"
