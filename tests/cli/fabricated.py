"""A run folder made of seeded random tables in the shapes that the twin writes, for tests of all that reads one."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from gridhall.engines.twin.index import Arrival, CellName, FeedName, ProjectName, RunIndex, SiteName, write_index
from gridhall.engines.twin.series import ConstantSeries, Series, SyntheticSeries, sample
from gridhall.engines.twin.settings import Totals
from gridhall.engines.twin.summary import RunFacts
from gridhall.engines.twin.tables import REASONS, STATES, TABLES, ParquetSink
from gridhall.fleet.arrays import FOREVER_MS, Ints
from gridhall.units import DAY_MS, HOUR_MS, MICRO, MINUTE_MS, utc_ms

START_MS = utc_ms(date(2026, 1, 1))
RACK_GPUS = 72
SITES = (("loughton", "GB", 320), ("cobalt", "GB", 431), ("narvik", "NO", 64))
W_PER_GPU = 1_500


def fabricated_index(days: int) -> RunIndex:
    """Three sites of NVL72 racks that come on line in four steps; the last step never comes."""
    arrivals = [
        Arrival(start, FOREVER_MS, site, racks // 4 * RACK_GPUS, racks // 4 * RACK_GPUS * 50_000 * MICRO)
        for site, (_, _, racks) in enumerate(SITES)
        for start in (0, START_MS + days * DAY_MS // 4, START_MS + days * DAY_MS // 2, FOREVER_MS)
    ]
    return RunIndex(
        START_MS,
        START_MS + days * DAY_MS,
        tuple(SiteName(name, country, 1150) for name, country, _ in SITES),
        ("GB300-NVL72",),
        tuple(CellName(site, 0, racks // 4 * 4 * RACK_GPUS, RACK_GPUS) for site, (_, _, racks) in enumerate(SITES)),
        tuple(
            FeedName(site * 3, f"feed-{name}", site, racks * RACK_GPUS * W_PER_GPU)
            for site, (name, _, racks) in enumerate(SITES)
        ),
        tuple(ProjectName(f"project-{number:02d}", f"organisation-{number % 4}") for number in range(24)),
        tuple(arrivals),
    )


def fabricate(folder: Path, days: int = 20, seed: int = 1, jobs: int = 2000) -> RunIndex:
    """Write tables and index of a run into `folder`."""
    index = fabricated_index(days)
    random = np.random.default_rng(seed)
    sink = ParquetSink(folder)
    _jobs(sink, index, random, jobs)
    _power(sink, index, random)
    _hours(sink, index, random)
    sink.close()
    write_index(index, folder)
    return index


def facts(index: RunIndex, **changes: Any) -> RunFacts:
    """What the tables do not say, with an even GB price and a shaped Norwegian one."""
    shaped = SyntheticSeries(kind="synthetic", mean=20, day_swing=8, noise=3)
    values: dict[str, Any] = {
        "title": "A fabricated run",
        "index": index,
        "prices": {"GB": _sampled(index, ConstantSeries(kind="constant", value=76.5)), "NO": _sampled(index, shaped)},
        "carbon": {
            country: _sampled(index, ConstantSeries(kind="constant", value=value))
            for country, value in (("GB", 150.0), ("NO", 25.0))
        },
        "currency": "GBP",
        "totals": totals(1000 * HOUR_MS, 900 * HOUR_MS, {"restart": 10 * HOUR_MS, "failure": 10 * HOUR_MS}),
        "gpus_basis": "published",
        "capex_basis": "assumed",
        "provenance": {"scenario": "fabricated.yaml", "seed": 1, "decision_digest": "0" * 16},
    }
    return RunFacts(**{**values, **changes})


def totals(online: int, allocated: int, lost: dict[str, int]) -> Totals:
    """Sums of GPU-ms that add up."""
    return Totals(
        submitted=0,
        jobs_by_state=dict.fromkeys(STATES, 0),
        online_gpu_ms=online,
        allocated_gpu_ms=allocated,
        work_gpu_ms=allocated - sum(lost.values()),
        lost_gpu_ms=lost,
        rack_joules=0,
        feed_joules=0,
        job_joules=0,
        failures=3,
        decided={"quota": 5},
        steps=0,
        digest="0" * 16,
        state_hash="0" * 16,
    )


def _sampled(index: RunIndex, series: Series) -> Any:
    return sample(series, index.start_ms, index.end_ms, 1, Path())


def _online(index: RunIndex, cell: int, times: Ints) -> Ints:
    online = np.zeros(len(times), np.int64)
    for group in index.arrivals:
        if group.site == index.cells[cell].site:
            online += np.where(group.ready_from_ms <= times, group.gpus, 0)
    return online


def _jobs(sink: ParquetSink, index: RunIndex, random: np.random.Generator, jobs: int) -> None:
    span = index.end_ms - index.start_ms
    gpus = 2 ** random.integers(0, 14, jobs)
    submit = np.sort(index.start_ms + random.integers(0, span, jobs))
    start = submit + (random.exponential(0.4, jobs) * HOUR_MS * np.log2(gpus + 1)).astype(np.int64)
    end = np.minimum(start + (random.exponential(6, jobs) * HOUR_MS).astype(np.int64), index.end_ms)
    state = random.choice([2, 2, 2, 2, 3, 4, 6], jobs)
    state[start >= index.end_ms] = 0
    allocated = np.where((state == 0) | (state == 6), 0, gpus * (end - start))
    lost = allocated // 50
    least = -(-gpus // RACK_GPUS)
    columns = {name: np.zeros(jobs, np.int64) for name in TABLES["jobs"]} | {
        "job_id": np.arange(jobs),
        "project": (24 * random.random(jobs) ** 2).astype(np.int64),
        "gpus": gpus,
        "nodes": -(-gpus // 4),
        "racks": least + random.integers(0, 3, jobs) * (gpus > 64),
        "site": random.integers(0, 3, jobs),
        "level": np.clip((np.log2(gpus) / 3.5).astype(np.int64), 0, 3),
        "submit_ms": submit,
        "start_ms": start,
        "end_ms": end,
        "allocated_gpu_ms": allocated,
        "work_gpu_ms": allocated - lost,
        "lost_gpu_ms": lost,
        "restarts": random.integers(0, 2, jobs),
        "state": state,
        "reason": np.where(state == 6, 3, 0),
    }
    sink.write("jobs", columns)
    ran = allocated > 0
    intervals = {name: columns[name][ran] for name in TABLES["intervals"] if name in columns}
    zeros = np.zeros(int(ran.sum()), np.int64)
    sink.write("intervals", {**intervals, "attempt": zeros, "why": zeros, "hw": zeros, "gpu_milli": zeros + 1000})


def _power(sink: ParquetSink, index: RunIndex, random: np.random.Generator) -> None:
    minutes = np.arange(index.start_ms, index.end_ms, MINUTE_MS)
    for site, feed in enumerate(index.feeds):
        online = _online(index, site, minutes)
        draw = (online * W_PER_GPU * random.uniform(0.6, 0.9, len(minutes))).astype(np.int64)
        feeds = np.full(len(minutes), feed.node)
        committed = online * W_PER_GPU
        sink.write("site_power", {"minute_ms": minutes, "feed": feeds, "it_w": draw, "committed_w": committed})


def _hours(sink: ParquetSink, index: RunIndex, random: np.random.Generator) -> None:
    hours = np.arange(index.start_ms, index.end_ms, HOUR_MS) + HOUR_MS
    total = {name: np.zeros(len(hours), np.int64) for name in ("online_gpus", "allocated_gpus", "down_gpus")}
    for cell in range(len(index.cells)):
        online = _online(index, cell, hours)
        wave = 0.85 + 0.08 * np.sin(np.arange(len(hours)) / 24 * 2 * np.pi) + random.normal(0, 0.02, len(hours))
        mine = {
            "online_gpus": online,
            "allocated_gpus": (online * wave).astype(np.int64),
            "down_gpus": (online * 0.01).astype(np.int64),
        }
        sink.write("fleet", {"time_ms": hours, "cell": np.full(len(hours), cell), **mine})
        total = {key: total[key] + mine[key] for key in total}
    often = (2, 5, 6, 8)
    reasons = {
        f"r{number}": random.poisson(6 if number in often else 0.2, len(hours)) for number in range(1, len(REASONS))
    }
    waiting = np.sum(list(reasons.values()), axis=0)
    counts = {"waiting_jobs": waiting, "waiting_gpus": waiting * 40, **total, "r0": waiting * 0, **reasons}
    sink.write("queue", {"time_ms": hours, **counts})
