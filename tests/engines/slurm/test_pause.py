"""Pausing: Slurm suspends the gang, and what was observed is reported, also after a restart of the controller."""

import asyncio

import pytest

from gridhall.engines.protocol import AttemptKey, Ended, EngineFault, Paused, Resumed, Started, Stopped
from tests.engines.slurm.desk import Desk, drive, python
from tests.engines.slurm.test_stop import COUNT
from tests.slurm.cluster import Cluster

TICKS = python("""
import time
while True:
    print("tick", flush=True)
    time.sleep(0.05)
""")


def switches(desk: Desk, key: AttemptKey) -> list[str]:
    """What was reported of pauses of an attempt."""
    return [
        type(each).__name__.lower() for each in desk.reports if isinstance(each, Paused | Resumed) and each.key == key
    ]


async def switched(desk: Desk, kind: type[Paused] | type[Resumed], key: AttemptKey, since: int) -> None:
    await desk.find(lambda report: isinstance(report, kind) and report.key == key, since)


def test_a_paused_gang_stands_still_and_goes_on(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        order = await desk.begin(TICKS, 0, 1, limit_ms=3_600_000)
        await desk.says(order.key, "tick", rank=1)
        await desk.heard(Started, order.key)
        for _ in range(2):
            before = len(desk.reports)
            await desk.engine.pause(order.key, 1)
            await switched(desk, Paused, order.key, before)
        said = [await desk.output(order.key, rank) for rank in range(2)]
        await asyncio.sleep(1)
        assert [await desk.output(order.key, rank) for rank in range(2)] == said
        for _ in range(2):
            before = len(desk.reports)
            await desk.engine.resume(order.key, 1)
            await switched(desk, Resumed, order.key, before)
        await desk.says(order.key, said[0] + "tick")
        assert switches(desk, order.key) == ["paused", "paused", "resumed", "resumed"]

    drive(cluster, story)


def test_a_gang_stopped_right_after_its_pause_saves_itself(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        order = await desk.begin(COUNT, 0)
        await desk.says(order.key, "from 0")
        await desk.heard(Started, order.key)
        await asyncio.sleep(0.3)
        await desk.engine.pause(order.key, 1)
        await desk.stop(order.key)
        await desk.engine.pause(order.key, 1)
        await desk.heard(Stopped, order.key)
        assert int((cluster.shared / f"jobs/{order.key.job}/checkpoints/step").read_text()) > 0

    drive(cluster, story)


def test_a_new_controller_reports_what_is_paused(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        still, moving = await desk.begin(TICKS, 0), await desk.begin(TICKS, 1)
        for order in (still, moving):
            await desk.heard(Started, order.key)
        await desk.engine.pause(still.key, 1)
        await desk.heard(Paused, still.key)
        await desk.engine.close()
        later = Desk(cluster, epoch=2)
        await later.open()
        await later.heard(Paused, still.key)
        await later.heard(Resumed, moving.key)
        await asyncio.sleep(1.5)
        assert switches(later, still.key) == ["paused"]
        assert switches(later, moving.key) == ["resumed"]
        await later.engine.resume(still.key, 2)
        await later.heard(Resumed, still.key)
        desk.engine = later.engine

    drive(cluster, story)


def test_a_pause_does_not_use_up_the_time_limit(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        order = await desk.begin(COUNT, 0, limit_ms=4_000)
        await desk.says(order.key, "from 0")
        await desk.heard(Started, order.key)
        await desk.engine.pause(order.key, 1)
        await asyncio.sleep(4)
        await desk.engine.resume(order.key, 1)
        ended = await desk.heard(Ended, order.key)
        assert (ended.exit_code, ended.timed_out) == (0, False)
        assert 1_800 <= ended.ran_ms < 4_000

    drive(cluster, story)


def test_what_waits_cannot_be_paused_and_what_is_over_is_left_alone(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        holder = await desk.begin(("sleep", "3600"), 0, gpus=8)
        await desk.heard(Started, holder.key)
        waiting = await desk.begin(("true",), 0, gpus=8)
        with pytest.raises(EngineFault, match="suspend"):
            await desk.engine.pause(waiting.key, 1)
        await desk.engine.resume(waiting.key, 1)
        over = await desk.begin(("true",), 1)
        await desk.heard(Ended, over.key)
        for key in (over.key, AttemptKey(1 << 40, 1)):
            await desk.engine.pause(key, 1)
            await desk.engine.resume(key, 1)

    drive(cluster, story)
