"""From submission to the job's first own instruction: through Gridhall, and by plain `sbatch`, on a real slurmctld.

    python -m benchmarks.slurm [--nodes 64] [--jobs 60]

Both ways run the same job, which prints the time, one job after the other in random order. A batch job waits for
slurmctld's scheduler, which looks once a second; so both ways submit at the same set of moments of that second, evenly
spread, which is known from when the job before began. `heard_p50_ms` is when the controller knows of the start. Needs
root and `make services`.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.common import machine, revision
from gridhall.engines.protocol import AttemptKey, Ended, Place, Report, Started, StartOrder
from gridhall.engines.slurm import SlurmEngine, SlurmSettings
from tests.slurm.cluster import Cluster, missing, running

TELL_TIME = ("date", "+%s%N")
PATIENCE_S = 60.0
LOOK_S = 1.0
"""How often slurmctld's scheduler looks at new batch jobs."""
Through = Callable[[int, str], Awaitable[tuple[int, int]]]
"""Runs `TELL_TIME` on a node as job number N; when it began, and when Gridhall knew (else 0), in ns."""


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


def by_sbatch(cluster: Cluster) -> Through:
    """The plain way to the cluster."""

    async def run(number: int, node: str) -> tuple[int, int]:
        output = cluster.folder / "log" / f"sbatch-{number}.out"
        process = await asyncio.create_subprocess_exec(
            *("sbatch", "--quiet", f"--nodelist={node}", "--gpus-per-node=1", f"--output={output}"),
            stdin=asyncio.subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "SLURM_CONF": str(cluster.folder / "slurm.conf")},
        )
        await asyncio.wait_for(process.communicate(f"#!/bin/sh\n{' '.join(TELL_TIME)}\n".encode()), PATIENCE_S)
        end = time.monotonic() + PATIENCE_S
        while not _text(output).endswith("\n"):
            if time.monotonic() > end:
                raise TimeoutError(f"sbatch job {number} did not begin in {PATIENCE_S:.0f} s")
            await asyncio.sleep(0.02)
        return int(_text(output)), 0

    return run


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


async def measure(cluster: Cluster, ways: Mapping[str, Through], jobs: int) -> dict[str, list[tuple[float, float]]]:
    """Per way the waits of `jobs` jobs in ms: until the job began, and until Gridhall knew."""
    chance = random.Random(1)
    plan = [(name, (index + 0.5) / jobs) for name in ways for index in range(jobs)]
    chance.shuffle(plan)
    waits: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    began_ns = time.time_ns()
    for number, (name, phase) in enumerate([(next(iter(ways)), 0.5), *plan]):
        since_s = (time.time_ns() - began_ns) / 1e9
        await asyncio.sleep((phase - since_s) % LOOK_S)
        asked_ns = time.time_ns()
        began_ns, heard_ns = await ways[name](number, chance.choice(cluster.nodes))
        if number:  # the first only finds the scheduler's second
            waits[name].append(((began_ns - asked_ns) / 1e6, (heard_ns - asked_ns) / 1e6))
    return waits


def _p99(ordered: Sequence[float]) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


async def run(cluster: Cluster, jobs: int) -> dict[str, float]:
    """The figures of one cluster."""
    async with through_engine(cluster) as through:
        waits = await measure(cluster, {"gridhall": through, "sbatch": by_sbatch(cluster)}, jobs)
    figures: dict[str, float] = {}
    for name, pairs in waits.items():
        began = sorted(wait for wait, _ in pairs)
        figures |= {f"{name}_p50_ms": statistics.median(began), f"{name}_p99_ms": _p99(began)}
    return {**figures, "heard_p50_ms": statistics.median(heard for _, heard in waits["gridhall"])}


def main() -> int:
    """Start a cluster, measure, print one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=64)
    parser.add_argument("--jobs", type=int, default=60)
    asked = parser.parse_args()
    if why := missing():
        print(f"benchmarks.slurm: {why}", file=sys.stderr)
        return 1
    began_s = time.monotonic()
    with running("bench", asked.nodes) as cluster:
        print(f"{asked.nodes} nodes idle after {time.monotonic() - began_s:.1f} s", flush=True)
        figures = {name: round(value, 1) for name, value in asyncio.run(run(cluster, asked.jobs)).items()}
    about = {"nodes": asked.nodes, "jobs": asked.jobs, "through": "engine"}
    print(json.dumps({**figures, **about, "revision": revision(), "machine": machine()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
