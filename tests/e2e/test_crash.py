"""`kill -9` of the controller at random moments under load: nothing acknowledged is lost, nothing runs twice."""

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

from sqlalchemy import select as choose

from gridhall.errors import InputError
from gridhall.server.live.service import open_service
from gridhall.server.objects.job import JobRequest, JobSpec, Resources
from gridhall.server.store import tables
from tests.e2e.headless import DOUBLED, WORK, settings_of
from tests.e2e.up import Up

CRASHES = int(os.environ.get("GRIDHALL_CRASHES", "100"))


def test_killed_again_and_again_it_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.e2e.headless", str(tmp_path), str(CRASHES), "1"]
    run = subprocess.run(
        words,
        stdout=subprocess.PIPE,
        env={**os.environ, "GRIDHALL_COMPILE": "0"},
        timeout=10 * CRASHES + 60,
        check=True,
    )
    promised = set(run.stdout.decode().split("\n")[:-1])
    assert len(promised) > CRASHES
    asyncio.run(settle(tmp_path, promised))
    assert not list(tmp_path.rglob(DOUBLED))


async def settle(folder: Path, promised: set[str]) -> None:
    """Open once more, which replays and compares; let everything come to its end; every promise must be kept."""
    service = await open_service(settings_of(folder))
    async with asyncio.timeout(60):
        while service.world.jobs:
            await asyncio.sleep(0.05)
    await service.loop.frozen()
    async with service.database.read() as connection:
        found = await connection.execute(choose(tables.job.c.id, tables.job.c.state))
        states = {row.id: row.state for row in found}
        open_ends = await connection.execute(choose(tables.attempt).where(tables.attempt.c.ended_ms == 0))
        assert not open_ends.all()
    await service.close()
    assert promised <= states.keys()
    assert set(states.values()) == {"completed"}


def test_the_whole_server_killed_under_load_keeps_every_promise(reachable: Path) -> None:
    rng = random.Random(2)
    up = Up(reachable)
    promised: set[str] = set()
    for _ in range(max(1, CRASHES // 10)):
        up.start()
        submitting = threading.Thread(target=submit_until_it_is_gone, args=(up, promised))
        submitting.start()
        time.sleep(rng.uniform(0.2, 1.0))
        up.kill()
        submitting.join()
    up.start()
    assert promised
    with up.client() as client:
        for id in promised:
            assert client.jobs.wait(id, 120).status.state == "completed"
    up.stop()
    assert "same" in up.gridhall("replay", str(reachable))
    assert not list(reachable.rglob(DOUBLED))


def submit_until_it_is_gone(up: Up, promised: set[str]) -> None:
    """Submit one job after the other; what was answered is promised."""
    spec = JobSpec(command=("/bin/sh", "-c", WORK), resources=Resources(gpus=0))
    with up.client() as client:
        try:
            while True:
                promised.add(client.jobs.submit(JobRequest(name="crash", spec=spec)).metadata.id)
                time.sleep(0.05)
        except InputError:  # no answer
            return
