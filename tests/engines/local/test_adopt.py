"""What outlives the server: a new engine on the same folder finds it, by the records and the shim's lock."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gridhall.engines.local.shim import family
from gridhall.engines.protocol import Ended, EngineFault, Lost, Started, StopOrder, Stopped
from tests.engines.local.lab import END, lab, order

SERVER = """
import asyncio, sys
from pathlib import Path
from tests.engines.local.lab import lab, order
async def story():
    async with lab(Path(sys.argv[1])) as here:
        for job, code in enumerate(sys.argv[2:], 1):
            await here.engine.start(order(code, job=job, saved_ms=7))
            await here.says(order(job=job), "ready")
        print("up", flush=True)
        await asyncio.sleep(60)
asyncio.run(story())
"""
SLEEP = "import time; print('ready'); time.sleep(60)"
ORPHANS = """
import os, time
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            print("hidden", os.getpid(), flush=True)
            time.sleep(60)
        os._exit(0)
time.sleep(0.2)
print("ready")
time.sleep(60)
"""


def kill_server(root: Path, *codes: str) -> None:
    """Run a server with one job per code until all have begun, and kill it with -9."""
    words = [sys.executable, "-c", SERVER, str(root), *codes]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as server:
        assert server.stdout
        assert server.stdout.readline() == b"up\n"
        server.kill()


def state(root: Path, job: int = 1) -> dict[str, dict[str, int]]:
    return json.loads((root / "live" / f"{job}.1" / "state.json").read_text())


def test_living_attempt_is_watched_again(tmp_path: Path):
    go = tmp_path / "local" / "jobs" / "1" / "work" / "go"
    kill_server(
        tmp_path / "local", f"import os, time\nprint('ready')\nwhile not os.path.exists('{go}'): time.sleep(0.02)"
    )

    async def story():
        async with lab(tmp_path / "local") as here:
            assert isinstance(await here.next(Started, *END), Started)
            assert await here.engine.running() == (order().key,)
            go.touch()
            ended = await here.next(*END)
            assert (ended.key, ended.exit_code) == (order().key, 0)

    asyncio.run(story())


@pytest.mark.parametrize("kernel_calls_back", [True, False])
def test_adopted_attempt_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel_calls_back: bool):
    kill_server(tmp_path, SLEEP)
    if not kernel_calls_back:
        monkeypatch.delattr(os, "pidfd_open")

    async def story():
        async with lab(tmp_path) as here:
            await here.engine.stop(StopOrder(order().key, 1, 1_000))
            stopped = await here.next(*END)
            assert isinstance(stopped, Stopped)
            assert stopped.saved_ms == 7

    asyncio.run(story())


def test_ends_that_nobody_heard_of_are_reported_until_forgotten(tmp_path: Path):
    kill_server(tmp_path, "print('ready'); raise SystemExit(5)")

    async def story():
        told: list[object] = []
        for _ in range(2):
            async with lab(tmp_path) as here:
                told.append(await here.next(*END))
        async with lab(tmp_path) as here:
            told.append(await here.next(*END))
            await here.engine.forget(order().key, 1)
        assert isinstance(told[0], Ended)
        assert told[0].exit_code == 5
        assert told[1:] == told[:1] * 2
        async with lab(tmp_path) as here:
            assert await here.engine.running() == ()
            assert await here.log(order()) == "ready\n"

    asyncio.run(story())


@pytest.mark.parametrize("watched", [True, False])
def test_attempt_whose_shim_was_killed_is_lost_with_all_its_processes(tmp_path: Path, watched: bool):
    kill_server(tmp_path, ORPHANS)
    pids = [int(word) for word in (tmp_path / "logs/1.1/rank-0.log").read_text().split() if word.isdigit()]
    assert len(pids) == 2

    async def story():
        if not watched:
            os.kill(state(tmp_path)["shim"]["pid"], signal.SIGKILL)
        async with lab(tmp_path) as here:
            if watched:
                await here.next(Started)
                os.kill(state(tmp_path)["shim"]["pid"], signal.SIGKILL)
            lost = await here.next(*END)
            assert isinstance(lost, Lost)
            assert "killed" in lost.reason
            assert lost.saved_ms == 7
            assert [family.start_ticks(pid) for pid in pids] == [0, 0]

    asyncio.run(story())


def test_attempt_from_before_a_reboot_is_lost_and_its_pids_are_left_alone(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            await here.end_of(order())
        record = tmp_path / "live" / "1.1"
        for name in ("end.json", "report.json"):
            (record / name).unlink()
        with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
            ticks = int(Path(f"/proc/{other.pid}/stat").read_text().rpartition(")")[2].split()[19])
            rank = {"pid": other.pid, "start": ticks}
            before = {"boot": "another", "began_ms": 1, "shim": rank, "ranks": [rank], "cgroups": []}
            (record / "state.json").write_text(json.dumps(before))
            async with lab(tmp_path) as here:
                lost = await here.next(*END)
                assert isinstance(lost, Lost)
                assert "restarted" in lost.reason
            assert other.poll() is None
            other.kill()

    asyncio.run(story())


def test_attempt_that_was_written_down_but_never_begun_is_lost(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            await here.end_of(order("print('ran')"))
        record = tmp_path / "live" / "1.1"
        for name in ("end.json", "report.json", "state.json"):
            (record / name).unlink()
        async with lab(tmp_path) as here:
            lost = await here.next(*END)
            assert isinstance(lost, Lost)
            assert "before the gang began" in lost.reason
            assert await here.end_of(order("print('ran')")) == lost

    asyncio.run(story())


@pytest.mark.parametrize("name", ["end.json", "state.json"])
def test_attempt_with_a_damaged_record_is_lost_and_a_damaged_epoch_is_a_fault(tmp_path: Path, name: str):
    async def story():
        async with lab(tmp_path) as here:
            await here.end_of(order())
        record = tmp_path / "live" / "1.1"
        (record / "report.json").unlink()
        (record / name).write_text('{"cause": "ex')
        async with lab(tmp_path) as here:
            lost = await here.next(*END)
            assert isinstance(lost, Lost)
            assert "damaged" in lost.reason
            await here.engine.forget(order().key, 1)
            assert await here.engine.running() == ()
        (tmp_path / "epoch.json").write_text("")
        with pytest.raises(EngineFault, match="damaged"):
            async with lab(tmp_path):
                raise AssertionError

    asyncio.run(story())


def test_two_servers_cannot_use_one_folder(tmp_path: Path):
    async def story():
        async with lab(tmp_path):
            with pytest.raises(EngineFault, match="another server"):
                async with lab(tmp_path):
                    raise AssertionError
        async with lab(tmp_path) as here:
            assert isinstance(await here.end_of(order()), Ended)

    asyncio.run(story())


STARTING = """
import asyncio, sys
from pathlib import Path
from tests.engines.local.lab import lab, order
async def story():
    async with lab(Path(sys.argv[1])) as here:
        print("up", flush=True)
        await here.engine.start(order(sys.argv[2]))
        await asyncio.sleep(60)
asyncio.run(story())
"""


@pytest.mark.parametrize("after_ms", [0, 6, 12, 30])
def test_server_killed_while_it_starts_a_gang_never_starts_it_twice(tmp_path: Path, after_ms: int):
    words = [sys.executable, "-c", STARTING, str(tmp_path), "print('ran')"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as server:
        assert server.stdout
        assert server.stdout.readline() == b"up\n"
        time.sleep(after_ms / 1000)
        server.kill()

    async def story():
        async with lab(tmp_path) as here:
            end = await here.end_of(order("print('ran')"))
            assert isinstance(end, Ended | Lost)
            assert await here.log(order()) == ("ran\n" if isinstance(end, Ended) else "")

    asyncio.run(story())
