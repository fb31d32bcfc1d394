"""Pausing: every process stands still and goes on, that is no run time, and a restart of the server changes nothing."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gridhall.engines.local.shim import family
from gridhall.engines.protocol import (
    Ability,
    AttemptKey,
    Ended,
    EngineFault,
    Lost,
    Paused,
    Report,
    Resumed,
    StaleEpoch,
    Started,
    StartOrder,
    StopOrder,
    Stopped,
)
from tests.engines.local.lab import END, Lab, lab, order
from tests.engines.local.test_adopt import kill_server, state
from tests.engines.local.test_stop import TRAIN

TICKS = """
import time
print("ready")
while True:
    print("tick"); time.sleep(0.01)
"""
FAMILY = """
import os, time
def tick(name):
    print(f"{name} {os.getpid()}\\n", end="")
    while True: print("tick"); time.sleep(0.01)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: tick("hidden")
    os._exit(0)
if os.fork() == 0: tick("child")
tick("parent")
"""
FORKS = """
import os, time
print("ready")
while True:
    if os.fork() == 0:
        time.sleep(0.05); os.write(1, b"tick\\n"); os._exit(0)
    os.waitpid(-1, os.WNOHANG)
    time.sleep(0.002)
"""
OWN_STOP = """
import os, signal, time
child = os.fork()
if child == 0:
    while True: time.sleep(0.01)
os.kill(child, signal.SIGSTOP)
os.waitpid(child, os.WUNTRACED)
print("child", child)
print("ready")
while True: time.sleep(0.01)
"""
WORK = """
import time
print("ready")
slept = 0.0
while slept < 0.3:
    time.sleep(0.01); slept += 0.01
"""


@asynccontextmanager
async def site(root: Path) -> AsyncIterator[Lab]:
    """A lab in which nothing runs on afterwards."""
    async with lab(root) as here:
        try:
            yield here
        finally:
            for key in await here.engine.running():
                await here.engine.stop(StopOrder(key, 1, 0))
            while await here.engine.running():
                await here.engine.forget((await here.next(*END)).key, 1)


async def begin(here: Lab, job: StartOrder, words: str = "ready") -> None:
    await here.engine.start(job)
    await here.next(Started)
    await here.says(job, words)


async def begin_and_pause(here: Lab, job: StartOrder, span_s: float) -> None:
    await begin(here, job)
    await here.engine.pause(job.key, 1)
    await asyncio.sleep(span_s)
    await here.engine.resume(job.key, 1)


def rank_pid(root: Path) -> int:
    return json.loads((root / "live" / "1.1" / "state.json").read_text())["ranks"][0]["pid"]


async def stands_still(here: Lab, job: StartOrder) -> None:
    await asyncio.sleep(0.2)  # what was written before is on its way to the log
    before = await here.log(job)
    await asyncio.sleep(0.3)
    assert await here.log(job) == before


@pytest.mark.parametrize("code", [TICKS, FAMILY, FORKS], ids=["one", "family", "forks"])
def test_a_paused_gang_stands_still_and_goes_on(tmp_path: Path, code: str):
    async def story():
        async with site(tmp_path) as here:
            assert Ability.PAUSE in here.engine.abilities
            job = order(code, processes_per_node=2)
            await begin(here, job, "tick")
            await asyncio.sleep(0.1)
            await here.engine.pause(job.key, 1)
            paused = await here.next(Paused, Resumed)
            assert isinstance(paused, Paused)
            await stands_still(here, job)
            before = await here.log(job)
            await here.engine.resume(job.key, 1)
            resumed = await here.next(Paused, Resumed)
            assert isinstance(resumed, Resumed)
            assert resumed.time_ms - paused.time_ms >= 300
            await here.says(job, before + "tick")

    asyncio.run(story())


def test_both_orders_may_come_twice(tmp_path: Path):
    async def story():
        async with site(tmp_path) as here:
            job = order(TICKS)
            await begin(here, job)
            await here.engine.resume(job.key, 1)
            assert isinstance(await here.next(Paused, Resumed), Resumed)
            await here.engine.pause(job.key, 1)
            first = await here.next(Paused, Resumed)
            await here.engine.pause(job.key, 1)
            assert await here.next(Paused, Resumed) == first
            for _ in range(2):
                await here.engine.resume(job.key, 1)
                assert isinstance(await here.next(Paused, Resumed), Resumed)
            before = await here.log(job)
            await here.says(job, before + "tick")

    asyncio.run(story())


def test_a_pause_right_after_the_start_holds_from_the_beginning(tmp_path: Path):
    async def story():
        async with site(tmp_path) as here:
            job = order(TICKS)
            await here.engine.start(job)
            await here.engine.pause(job.key, 1)
            await here.next(Paused)
            await stands_still(here, job)
            await here.engine.resume(job.key, 1)
            await here.says(job, "tick")

    asyncio.run(story())


def test_what_the_job_had_stopped_itself_stays_stopped(tmp_path: Path):
    async def story():
        async with site(tmp_path) as here:
            job = order(OWN_STOP)
            await begin(here, job)
            await here.engine.pause(job.key, 1)
            await here.engine.resume(job.key, 1)
            child, parent = int((await here.log(job)).split()[1]), rank_pid(tmp_path)
            assert family.is_still(child)
            assert not family.is_still(parent)

    asyncio.run(story())


def test_a_pause_is_no_run_time(tmp_path: Path):
    async def story():
        async with site(tmp_path) as here:
            job = order(WORK, limit_ms=900)
            await begin_and_pause(here, job, 1.2)
            ended = await here.next(*END)
            assert (ended.exit_code, ended.timed_out) == (0, False)
            assert 250 <= ended.ran_ms < 900

    asyncio.run(story())


def test_the_time_limit_holds_over_a_pause(tmp_path: Path):
    async def story():
        async with site(tmp_path) as here:
            job = order(TICKS, limit_ms=500)
            await begin_and_pause(here, job, 0.6)
            ended = await here.next(*END)
            assert ended.timed_out
            assert 500 <= ended.ran_ms < 1_000

    asyncio.run(story())


def test_a_stopped_gang_goes_on_to_write_its_checkpoint(tmp_path: Path):
    async def story():
        async with site(tmp_path) as here:
            job = order(TRAIN.replace("step < 30", "step < 3000"))
            await begin(here, job)
            await asyncio.sleep(0.2)
            await here.engine.pause(job.key, 1)
            await asyncio.sleep(1)
            await here.engine.stop(StopOrder(job.key, 1, 2_000))
            await here.engine.pause(job.key, 1)
            stopped = await here.next(*END)
            assert isinstance(stopped, Stopped)
            assert 150 < stopped.saved_ms < 1_000
            assert (tmp_path / "jobs" / "1" / "checkpoints" / "step").exists()

    asyncio.run(story())


def test_a_paused_gang_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path):
    async def story():
        async with site(tmp_path) as here:
            job = order("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + TICKS)
            await begin(here, job)
            await here.engine.pause(job.key, 1)
            began = time.monotonic()
            await here.engine.stop(StopOrder(job.key, 1, 300))
            assert isinstance(await here.next(*END), Stopped)
            assert 0.3 <= time.monotonic() - began < 2

    asyncio.run(story())


def test_a_rank_that_is_killed_in_a_pause_ends_the_others(tmp_path: Path):
    async def story():
        async with site(tmp_path) as here:
            job = order(TICKS, processes_per_node=2)
            await begin(here, job)
            await here.engine.pause(job.key, 1)
            os.kill(rank_pid(tmp_path), signal.SIGKILL)
            ended = await here.next(*END)
            assert isinstance(ended, Ended)
            assert ended.exit_code == -9

    asyncio.run(story())


def test_an_attempt_that_is_gone_or_unknown_is_left_alone(tmp_path: Path):
    async def story():
        async with site(tmp_path) as here:
            ended = await here.end_of(order())
            with pytest.raises(StaleEpoch):
                await here.engine.pause(ended.key, 0)
            for key in (ended.key, AttemptKey(77, 1)):
                await here.engine.pause(key, 1)
                await here.engine.resume(key, 1)
            assert here.reports.empty()

    asyncio.run(story())


def test_a_paused_gang_stays_so_over_a_restart_of_the_server(tmp_path: Path):
    kill_server(tmp_path, TICKS)

    async def first_reports(here: Lab) -> Report:
        await here.next(Started)
        return await here.next(Paused, Resumed, *END)

    async def story():
        async with lab(tmp_path) as here:
            await here.next(Started)
            await here.engine.pause(order().key, 1)
            first = await here.next(Paused)
        async with lab(tmp_path) as here:
            assert await first_reports(here) == first
            await stands_still(here, order())
            await here.engine.resume(order().key, 1)
            resumed = await here.next(Resumed)
        async with lab(tmp_path) as here:
            assert await first_reports(here) == resumed
            await here.engine.stop(StopOrder(order().key, 1, 100))
            await here.next(Stopped)

    asyncio.run(story())


def test_nothing_of_a_paused_gang_outlives_its_parent(tmp_path: Path):
    async def story():
        async with site(tmp_path) as here:
            job = order(FAMILY)
            await begin(here, job, "hidden")
            await here.says(job, "child")
            await here.engine.pause(job.key, 1)
            os.kill(state(tmp_path)["shim"]["pid"], signal.SIGKILL)
            assert isinstance(await here.next(*END), Lost)
            words = (await here.log(job)).split()
            pids = [int(words[words.index(name) + 1]) for name in ("hidden", "child", "parent")]
            assert [family.start_ticks(pid) for pid in pids] == [0, 0, 0]

    asyncio.run(story())


def test_a_gang_of_an_earlier_version_is_not_killed_by_a_pause(tmp_path: Path):
    async def story():
        async with site(tmp_path) as here:
            job = order(TICKS)
            await begin(here, job)
            written = tmp_path / "live" / "1.1" / "state.json"
            words = json.loads(written.read_text())
            del words["can_pause"]
            written.write_text(json.dumps(words))
            with pytest.raises(EngineFault, match="earlier version"):
                await here.engine.pause(job.key, 1)
            before = await here.log(job)
            await here.says(job, before + "tick")

    asyncio.run(story())
