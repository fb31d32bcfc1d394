"""What an operator does to a server that runs: stop it, back it up, restore it, start a second one."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridhall.ledger.entries import Close, read
from gridhall.server.objects.job import JobRequest, JobSpec, Resources
from gridhall.server.store.log_rows import LogRows
from gridhall.server.store.reading import open_to_read
from tests.e2e.up import Up, free_port

WAIT = 'while [ ! -e "$GRIDHALL_CHECKPOINT_DIR/go" ]; do sleep 0.05; done'


def submit(up: Up, *command: str) -> str:
    with up.client() as client:
        return client.jobs.submit(
            JobRequest(name="a job", spec=JobSpec(command=command, resources=Resources(gpus=0)))
        ).metadata.id


def state(up: Up, job: str) -> str:
    with up.client() as client:
        return client.jobs.get(job).status.state


def until(condition: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def last_entry(folder: Path) -> object:
    async def found() -> object:
        async with open_to_read(str(folder)) as database:
            rows = LogRows(database)
            size = await rows.size()
            return read((await rows.entries(size - 1, size))[0])

    return asyncio.run(found())


def let_go(folder: Path) -> None:
    for checkpoints in folder.glob("local/jobs/*/checkpoints"):
        (checkpoints / "go").touch()


def test_a_server_that_is_told_to_end_closes_its_segment_and_leaves_jobs_running(reachable: Path) -> None:
    with Up(reachable) as up:
        job = submit(up, "/bin/sh", "-c", WAIT)
        until(lambda: state(up, job) == "running")
        document = json.loads((reachable / "client.json").read_text())
        headers = {"Authorization": f"Bearer {document['token']}"}
        with httpx.stream("GET", f"{document['url']}/v1/events", headers={**headers, "Accept": "text/event-stream"}):
            began = time.monotonic()
            up.stop()  # an open stream does not hold it up for long
            assert time.monotonic() - began < 10
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{document['url']}/healthz")
        assert isinstance(last_entry(reachable), Close)
        let_go(reachable)
        up.start()
        until(lambda: state(up, job) == "completed")
        with up.client() as client:
            assert client.jobs.get(job).status.attempt == 1
        up.stop()


def test_a_backup_of_a_running_server_is_restored_into_another_folder(reachable: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "backup.gridhall", reachable.with_name("other")
    with Up(reachable) as up:
        job = submit(up, "/bin/sh", "-c", "echo one")
        until(lambda: state(up, job) == "completed")
        up.gridhall("backup", str(file), "--folder", str(reachable))
        up.gridhall("restore", str(file), "--folder", str(reachable), code=2)
        up.stop()
    again = Up(other)
    again.gridhall("restore", str(file), "--folder", str(other), code=2)  # the key was left out
    again.gridhall("restore", str(file), "--folder", str(other), "--key", str(reachable / "log.key"))
    with again:
        assert state(again, job) == "completed"
        later = submit(again, "/bin/sh", "-c", "echo two")
        until(lambda: state(again, later) == "completed")
        assert "PASS" in again.gridhall("ledger", "verify", str(other))
        again.stop()


def test_a_second_server_on_the_folder_says_who_leads(reachable: Path) -> None:
    with Up(reachable) as up:
        assert up.process is not None
        words = [sys.executable, "-m", "gridhall.cli", "up", "--port", str(free_port())]
        second = subprocess.run(words, env=up.around, capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 2
        assert f"process {up.process.pid} on " in second.stderr
        assert "leads this store" in second.stderr
        up.process.send_signal(signal.SIGKILL)
        up.process.wait()
        up.start()
        with up.client() as client:
            assert client.get("/healthz")["epoch"] == 2
        up.stop()


def test_a_backup_of_postgresql_is_left_to_its_own_tool(tmp_path: Path) -> None:
    up = Up(tmp_path)
    words = ["backup", str(tmp_path / "file"), "--store", "postgresql://gridhall@db.example/gridhall"]
    done = subprocess.run(
        [sys.executable, "-m", "gridhall.cli", *words], env=up.around, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "pg_dump --format=custom --file=" in done.stderr
