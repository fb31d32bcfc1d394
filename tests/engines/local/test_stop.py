"""Stopping: checkpoint and resume, grace, groups, limits."""

import asyncio
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gridhall.engines.protocol import AttemptKey, Ended, Started, StopOrder, Stopped
from tests.engines.local.lab import END, Lab, lab, order

TRAIN = """
import os, signal, time
path = os.path.join(os.environ["GRIDHALL_CHECKPOINT_DIR"], "step")
step = int(open(path).read()) if os.path.exists(path) else 0
print("from", step, os.environ["GRIDHALL_SAVED_MS"])
def save(*_):
    with open(path, "w") as file: file.write(str(step))
    raise SystemExit(0)
signal.signal(signal.SIGTERM, save)
print("ready")
while step < 30:
    time.sleep(0.02); step += 1
print("done")
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("no"))
print("ready")
while True: time.sleep(1)
"""
FAMILY = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            print("hidden", os.getpid())
            while True: time.sleep(1)
        os._exit(0)
    print("child", os.getpid())
    while True: time.sleep(1)
time.sleep(0.2)
print("ready")
"""
SLEEP = "import time; print('ready'); time.sleep(60)"


async def stopped(here: Lab, key: AttemptKey, grace_ms: int = 2_000) -> Stopped:
    await here.engine.stop(StopOrder(key, 1, grace_ms))
    end = await here.next(*END)
    assert isinstance(end, Stopped)
    return end


def test_stopped_job_resumes_from_its_own_checkpoint(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            first = order(TRAIN)
            await here.engine.start(first)
            started = await here.next(Started)
            await here.says(first, "ready")
            await asyncio.sleep(0.2)
            end = await stopped(here, first.key)
            assert 150 < end.saved_ms <= end.time_ms - started.time_ms
            await here.engine.forget(first.key, 1)
            second = order(TRAIN, attempt=2, saved_ms=end.saved_ms)
            assert (await here.end_of(second)).exit_code == 0
            said = (await here.log(second)).split()
            assert int(said[1]) >= 5
            assert said[2:] == [str(end.saved_ms), "ready", "done"]

    asyncio.run(story())


def test_job_without_a_checkpoint_keeps_what_earlier_attempts_saved(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            await here.engine.start(order(SLEEP, saved_ms=1_234))
            await here.next(Started)
            assert (await stopped(here, order().key)).saved_ms == 1_234

    asyncio.run(story())


def test_job_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            job = order(STUBBORN)
            await here.engine.start(job)
            await here.says(job, "ready")
            began = time.monotonic()
            await here.engine.stop(StopOrder(job.key, 1, 60_000))
            await here.says(job, "no")
            await here.engine.stop(StopOrder(job.key, 1, 300))
            await here.engine.stop(StopOrder(job.key, 1, 90_000))
            assert isinstance(await here.next(*END), Stopped)
            assert 0.3 <= time.monotonic() - began < 2
            assert (await here.log(job)).count("no") == 1

    asyncio.run(story())


@pytest.mark.parametrize("ends", ["by itself", "by a stop"])
def test_nothing_of_the_job_outlives_it(tmp_path: Path, ends: str):
    code = FAMILY + ("" if ends == "by itself" else "while True: time.sleep(1)")

    async def story():
        async with lab(tmp_path) as here:
            job = order(code)
            await here.engine.start(job)
            await here.says(job, "ready")
            if ends == "by itself":
                assert isinstance(await here.next(*END), Ended)
            else:
                await stopped(here, job.key, grace_ms=100)
            words = (await here.log(job)).split()
            for name in ("hidden", "child"):
                assert not os.path.exists(f"/proc/{words[words.index(name) + 1]}")

    asyncio.run(story())


def test_stop_at_once_after_the_start_stops_it(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            for job in range(1, 6):
                sleeper = order(SLEEP, job=job)
                await here.engine.start(sleeper)
                await asyncio.sleep(0.01 * (job - 1))
                await stopped(here, sleeper.key)

    asyncio.run(story())


def test_stop_of_an_ended_attempt_is_answered_by_its_end(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            ended = await here.end_of(order())
            for _ in range(2):
                await here.engine.stop(StopOrder(order().key, 1))
                assert await here.next(*END) == ended

    asyncio.run(story())


def test_time_limit_ends_the_gang(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            ended = await here.end_of(order(SLEEP, limit_ms=200))
            assert (ended.timed_out, ended.exit_code) == (True, -15)
            assert 200 <= ended.ran_ms < 1_000
            stubborn = replace(order(STUBBORN, job=2), limit_ms=300, grace_ms=200)
            ended = await here.end_of(stubborn)
            assert (ended.timed_out, ended.exit_code) == (True, -9)
            assert ended.ran_ms >= 500

    asyncio.run(story())
