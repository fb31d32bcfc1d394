"""From submission to the job's first own instruction: through Gridhall, and by plain `sbatch`, on a real slurmctld.

    python -m benchmarks.slurm [--nodes 64] [--pairs 60]

Both are submitted at the same instant, each to a node of its own, and the job is the same: it prints the time. A batch
job waits for slurmctld's scheduler, which looks once a second; a pair meets the same look, so the difference within a
pair is what Gridhall adds. `heard_p50_ms` is when the controller knows of the start. Needs root and `make services`.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.common import machine, revision
from gridhall.engines.protocol import AttemptKey, Ended, Place, Report, Started, StartOrder
from gridhall.engines.slurm import SlurmEngine, SlurmSettings
from tests.slurm.cluster import Cluster, missing, running

TELL_TIME = ("date", "+%s%N")
PATIENCE_S = 60.0
LONGEST_REST_S = 1.0
Through = Callable[[int, str], Awaitable[tuple[int, int]]]
"""Runs `TELL_TIME` on a node as job number N; when it began and when Gridhall knew, in ns UTC."""


@asynccontextmanager
async def through_engine(cluster: Cluster) -> AsyncIterator[Through]:
    """Gridhall's way to the cluster: the engine itself, without a server before it."""
    engine = SlurmEngine(SlurmSettings.model_validate(cluster.settings))
    heard: dict[int, tuple[asyncio.Event, list[int]]] = {}

    def hear(report: Report) -> None:
        if isinstance(report, Started):
            heard[report.key.job][1].append(time.time_ns())
        if isinstance(report, Ended):
            heard[report.key.job][0].set()

    async def run(number: int, node: str) -> tuple[int, int]:
        key, places = AttemptKey(number, 1), (Place(cluster.name, node, (0,)),)
        ended, started_ns = heard.setdefault(number, (asyncio.Event(), []))
        await engine.start(StartOrder(key, 1, "clock", "org", "project", "user", TELL_TIME, places))
        await asyncio.wait_for(ended.wait(), PATIENCE_S)
        began_ns = int(await engine.read_log(key, 0, 0, 100))
        await engine.forget(key, 1)
        return began_ns, started_ns[0]

    await engine.open(hear)
    try:
        yield run
    finally:
        await engine.close()


async def by_sbatch(cluster: Cluster, number: int, node: str) -> int:
    """When a job by plain `sbatch` began, in ns UTC."""
    output = cluster.folder / "log" / f"sbatch-{number}.out"
    script = f"#!/bin/sh\n{' '.join(TELL_TIME)}\n"
    process = await asyncio.create_subprocess_exec(
        *("sbatch", "--quiet", f"--nodelist={node}", "--gpus-per-node=1", f"--output={output}"),
        stdin=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "SLURM_CONF": str(cluster.folder / "slurm.conf")},
    )
    await asyncio.wait_for(process.communicate(script.encode()), PATIENCE_S)
    end = time.monotonic() + PATIENCE_S
    while not _text(output).endswith("\n"):
        if time.monotonic() > end:
            raise TimeoutError(f"sbatch job {number} did not begin in {PATIENCE_S:.0f} s")
        await asyncio.sleep(0.02)
    return int(_text(output))


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


async def measure(cluster: Cluster, through: Through, pairs: int) -> dict[str, float]:
    """Waits in ms of `pairs` pairs of jobs, each pair at a random moment of the scheduler's second."""
    chance = random.Random(1)
    waits: list[tuple[float, float, float]] = []
    for number in range(1, pairs + 1):
        await asyncio.sleep(chance.uniform(0, LONGEST_REST_S))
        one, other = chance.sample(cluster.nodes, 2)
        asked_ns = time.time_ns()
        (began, heard), plain = await asyncio.gather(through(number, one), by_sbatch(cluster, number, other))
        waits.append(((began - asked_ns) / 1e6, (heard - asked_ns) / 1e6, (plain - asked_ns) / 1e6))
    gridhall, heard_ms, sbatch = (sorted(column) for column in zip(*waits, strict=True))
    return {
        "gridhall_p50_ms": statistics.median(gridhall),
        "gridhall_p99_ms": _p99(gridhall),
        "sbatch_p50_ms": statistics.median(sbatch),
        "sbatch_p99_ms": _p99(sbatch),
        "overhead_p50_ms": statistics.median(through_ms - plain_ms for through_ms, _, plain_ms in waits),
        "heard_p50_ms": statistics.median(heard_ms),
    }


def _p99(ordered: Sequence[float]) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


async def run(cluster: Cluster, pairs: int) -> dict[str, float]:
    """The figures of one cluster."""
    async with through_engine(cluster) as through:
        return await measure(cluster, through, pairs)


def main() -> int:
    """Start a cluster, measure, print one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=64)
    parser.add_argument("--pairs", type=int, default=60)
    asked = parser.parse_args()
    if why := missing():
        print(f"benchmarks.slurm: {why}", file=sys.stderr)
        return 1
    began_s = time.monotonic()
    with running("bench", asked.nodes) as cluster:
        print(f"{asked.nodes} nodes idle after {time.monotonic() - began_s:.1f} s", flush=True)
        figures = {name: round(value, 1) for name, value in asyncio.run(run(cluster, asked.pairs)).items()}
    about = {"nodes": asked.nodes, "pairs": asked.pairs, "through": "engine"}
    print(json.dumps({**figures, **about, "revision": revision(), "machine": machine()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
