"""Stopping with a checkpoint, and going on from it."""

import asyncio

from gridhall.engines.protocol import Ended, Started, Stopped
from tests.engines.slurm.desk import Desk, drive, next_attempt, python
from tests.slurm.cluster import Cluster

COUNT = python("""
import os, signal, sys, time
path = os.environ["GRIDHALL_CHECKPOINT_DIR"] + "/step"
step = int(open(path).read()) if os.path.exists(path) else 0
def save(*_):
    open(path, "w").write(str(step))
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("from", step, flush=True)
while step < 20:
    step += 1
    time.sleep(0.1)
print("done", step, "saved", os.environ["GRIDHALL_SAVED_MS"])
""")
SIGNALS = python("""
import signal, time
told = []
signal.signal(signal.SIGTERM, lambda *_: told.append(1))
print("ready", flush=True)
while not told:
    time.sleep(0.05)
time.sleep(1)
print("signals", len(told))
""")


def test_a_job_saves_itself_when_told_and_goes_on_elsewhere(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        first = await desk.begin(COUNT, 0)
        await desk.says(first.key, "from 0")
        await asyncio.sleep(0.5)
        await desk.stop(first.key)
        stopped = await desk.heard(Stopped, first.key)
        assert 300 <= stopped.saved_ms <= 3_000
        second = next_attempt(first, saved_ms=stopped.saved_ms, places=desk.order((), 1).places)
        await desk.engine.start(second)
        assert (await desk.heard(Ended, second.key)).exit_code == 0
        said = await desk.output(second.key)
        assert "from 0" not in said
        assert f"done 20 saved {stopped.saved_ms}" in said

    drive(cluster, story)


def test_every_rank_is_told_once(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        gangs = [
            await desk.begin(SIGNALS, 0, processes_per_node=2),
            await desk.begin(SIGNALS, 1, 2, processes_per_node=2),
        ]
        ranks = [(order.key, rank) for order in gangs for rank in range(2 * len(order.places))]
        for key, rank in ranks:
            await desk.says(key, "ready", rank)
        for order in gangs:
            await desk.heard(Started, order.key)
            await desk.stop(order.key)
            await desk.stop(order.key)
        for order in gangs:
            await desk.heard(Stopped, order.key)
        for key, rank in ranks:
            assert "signals 1" in await desk.output(key, rank)

    drive(cluster, story)


def test_a_gang_that_will_not_end_is_killed_after_its_grace(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        order = await desk.begin(("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"), 0)
        await desk.says(order.key, "ready")
        await desk.heard(Started, order.key)
        await desk.stop(order.key, grace_ms=500)
        assert (await desk.heard(Stopped, order.key)).saved_ms == 0

    drive(cluster, story)


def test_a_waiting_gang_is_stopped_at_once(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        holder = await desk.begin(("sleep", "3600"), 0, gpus=8)
        await desk.heard(Started, holder.key)
        waiting = await desk.begin(("true",), 0, gpus=8)
        await desk.stop(waiting.key)
        await desk.heard(Stopped, waiting.key)
        assert not [each for each in desk.reports if isinstance(each, Started) and each.key == waiting.key]

    drive(cluster, story)
