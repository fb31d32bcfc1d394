"""`kill -9` of the controller at random moments under load: nothing acknowledged is lost, nothing runs twice."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select as choose

from gridhall.server.live.service import open_service
from gridhall.server.store import tables
from tests.e2e.headless import DOUBLED, settings_of

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
