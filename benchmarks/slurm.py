"""From submission to the job's first own instruction: through Gridhall's server and by plain `sbatch`, on a real Slurm.

    python -m benchmarks.slurm [--nodes 64] [--jobs 60]

Gridhall's way is a client of the SDK that submits over HTTP to `gridhall up` in a process of its own, with its durable
store and compiled kernels. Both ways run the same job, which prints the time, one job after the other in random order.
A batch job waits for slurmctld's scheduler, which looks once a second; so both ways submit at the same set of moments
of that second, evenly spread, which is known from when the job before began. `*_answered_p50_ms` is when the submission
was acknowledged. Needs root and `make services`.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import yaml

from benchmarks.common import emit
from gridhall.client import Client
from gridhall.scheduling.policy import load_policy
from gridhall.server.objects.job import JobRequest, JobSpec, Resources
from tests.e2e.up import Up
from tests.slurm.cluster import Cluster, missing, running
from tests.slurm.two_sites import write_server_file

TELL_TIME = ("date", "+%s%N")
NODES_PER_RACK = 4
PATIENCE_S = 60.0
COMPILE_S = 300.0
"""How long the server may take to be ready: it compiles its kernels where they are not in the cache yet."""
LOOK_S = 1.0
"""How often slurmctld's scheduler looks at new batch jobs."""
BACKFILL_S = 30
"""How often its backfill scheduler looks, at a moment of its own: Slurm's default."""


class Times(NamedTuple):
    """When a submission was acknowledged and when its job began, in ns since 1970."""

    answered_ns: int
    began_ns: int


Way = Callable[[int], Times]
"""Runs `TELL_TIME` on one GPU as job number N, to its end."""


def fleet_of(cluster: Cluster) -> dict[str, object]:
    """The fleet file of a cluster: one site, whose nodes have the names that Slurm knows them by."""
    racks, rest = divmod(len(cluster.nodes), NODES_PER_RACK)
    if rest:
        raise ValueError(f"{len(cluster.nodes)} nodes do not fill racks of {NODES_PER_RACK}")
    group = {"prefix": "rack-", "count": racks, "type": "h100", "feeds": ["feed"], "hosts": list(cluster.nodes)}
    site = {"id": cluster.name, "title": "Emulated", "country": "GB", "operator": "Benchmark", "pue": 1.3}
    feed = {"tag": "feed", "limit_mw": 0.1 * racks}
    halls = [{"id": "hall", "rack_groups": [group]}]
    return {"schema": "fleet/v1", "title": "Slurm", "sites": [{**site, "grid": {"feeds": [feed]}, "halls": halls}]}


@contextmanager
def server(cluster: Cluster) -> Iterator[Client]:
    """A client of `gridhall up` over the cluster."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "fleet.yaml").write_text(yaml.safe_dump(fleet_of(cluster)))
        write_server_file(folder / "server.yaml", [cluster])
        words = (str(folder / "fleet.yaml"), "--config", str(folder / "server.yaml"))
        with Up(folder / "home", words, ready_s=COMPILE_S) as up, up.client() as client:
            yield client


def through_server(client: Client) -> Way:
    """Gridhall's way to the cluster."""

    def run(number: int) -> Times:
        spec = JobSpec(command=TELL_TIME, resources=Resources(gpus=1))
        job = client.jobs.submit(JobRequest(name=f"job-{number}", spec=spec)).metadata.id
        answered_ns = time.time_ns()
        client.jobs.wait(job, PATIENCE_S)
        return Times(answered_ns, int(b"".join(client.jobs.log(job))))

    return run


def by_sbatch(cluster: Cluster) -> Way:
    """The plain way to the cluster."""
    environment = {"PATH": os.environ["PATH"], "SLURM_CONF": str(cluster.folder / "slurm.conf")}
    script = f"#!/bin/sh\n{' '.join(TELL_TIME)}\n".encode()

    def run(number: int) -> Times:
        output = cluster.folder / "log" / f"sbatch-{number}.out"
        words = ("sbatch", "--quiet", "--gpus-per-node=1", f"--output={output}")
        subprocess.run(words, input=script, env=environment, timeout=PATIENCE_S, check=True)
        answered_ns, end_s = time.time_ns(), time.monotonic() + PATIENCE_S
        while not (output.exists() and output.read_bytes().endswith(b"\n")):
            if time.monotonic() > end_s:
                raise TimeoutError(f"sbatch job {number} did not begin in {PATIENCE_S:.0f} s")
            time.sleep(0.05)
        return Times(answered_ns, int(output.read_bytes()))

    return run


class Wait(NamedTuple):
    """From the submission's begin to its acknowledgement and to the job's begin, in ms."""

    answered_ms: float
    began_ms: float


def measure(ways: Mapping[str, Way], jobs: int) -> dict[str, list[Wait]]:
    """Per way the waits of `jobs` jobs."""
    chance = random.Random(1)
    plan = [(name, (index + 0.5) / jobs) for name in ways for index in range(jobs)]
    chance.shuffle(plan)
    waits: dict[str, list[Wait]] = {name: [] for name in ways}
    began_ns = ways[next(iter(ways))](0).began_ns  # it only finds the scheduler's second
    for number, (name, phase) in enumerate(plan, 1):
        since_s = (time.time_ns() - began_ns) / 1e9
        time.sleep((phase - since_s) % LOOK_S)
        asked_ns = time.time_ns()
        answered_ns, began_ns = ways[name](number)
        waits[name].append(Wait((answered_ns - asked_ns) / 1e6, (began_ns - asked_ns) / 1e6))
    return waits


def figures(waits: Mapping[str, Sequence[Wait]]) -> dict[str, float]:
    """Medians and 99th percentiles of each way, and how much later jobs begin through Gridhall."""
    found: dict[str, float] = {}
    for name, each in waits.items():
        began = sorted(wait.began_ms for wait in each)
        found[f"{name}_p50_ms"] = statistics.median(began)
        found[f"{name}_p99_ms"] = began[min(len(began) - 1, int(len(began) * 0.99))]
        found[f"{name}_answered_p50_ms"] = statistics.median(wait.answered_ms for wait in each)
    found["overhead_p50_ms"] = found["gridhall_p50_ms"] - found["sbatch_p50_ms"]
    return {name: round(value, 1) for name, value in found.items()}


def main() -> int:
    """Start a cluster and a server, measure, print one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=64)
    parser.add_argument("--jobs", type=int, default=60)
    asked = parser.parse_args()
    if why := missing():
        print(f"benchmarks.slurm: {why}", file=sys.stderr)
        return 1
    os.environ.setdefault("GRIDHALL_COMPILE", "1")  # `gridhall up` would not compile for so few nodes
    began_s = time.monotonic()
    with running("bench", asked.nodes, BACKFILL_S) as cluster:
        print(f"{asked.nodes} nodes idle after {time.monotonic() - began_s:.1f} s", flush=True)
        with server(cluster) as client:
            waits = measure({"gridhall": through_server(client), "sbatch": by_sbatch(cluster)}, asked.jobs)
    compiled = os.environ["GRIDHALL_COMPILE"] != "0"
    emit({**figures(waits), "nodes": asked.nodes, "jobs": asked.jobs, "compiled": compiled}, load_policy())
    return 0


if __name__ == "__main__":
    sys.exit(main())
