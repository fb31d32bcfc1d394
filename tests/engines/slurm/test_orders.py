"""Orders that come twice, late, out of order or from a controller that leads no more; and what a restart finds."""

import asyncio

import pytest

from gridhall.engines.protocol import AttemptKey, Ended, EngineFault, Lost, StaleEpoch, Started, StopOrder, Stopped
from gridhall.engines.slurm.rest import Rest
from tests.engines.slurm.desk import Desk, drive, next_attempt
from tests.slurm.cluster import Cluster

ONCE = ("sh", "-c", 'echo ran >> "$GRIDHALL_CHECKPOINT_DIR/count"; sleep 0.5')
HOUR = ("sleep", "3600")


def jobs_named(cluster: Cluster, key: AttemptKey) -> list[str]:
    """State of each Slurm job of an attempt."""
    lines = cluster.call("squeue", "--states=all", "-h", "-o", "%T %j").splitlines()
    return [line.split()[0] for line in lines if line.split()[1].startswith(f"gridhall:{key}:")]


def times_run(cluster: Cluster, key: AttemptKey) -> int:
    return len((cluster.shared / f"jobs/{key.job}/checkpoints/count").read_text().splitlines())


def test_a_start_that_comes_again_starts_nothing(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        order = desk.order(ONCE, 0)
        await asyncio.gather(*(desk.engine.start(order) for _ in range(3)))
        await desk.heard(Ended, order.key)
        await desk.engine.start(order)
        assert len(jobs_named(cluster, order.key)) == 1
        assert times_run(cluster, order.key) == 1
        assert desk.reports[-1] == await desk.heard(Ended, order.key), "a late start is answered by the end"

    drive(cluster, story)


def test_a_submission_without_an_answer_is_found_by_name(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        submit = Rest.submit

        async def lose_the_answer(self: Rest, body: dict[str, object]) -> int:
            await submit(self, body)
            raise EngineFault("the connection broke")

        order = desk.order(ONCE, 0)
        with monkeypatch.context() as patch:
            patch.setattr(Rest, "submit", lose_the_answer)
            with pytest.raises(EngineFault):
                await desk.engine.start(order)
        again = Desk(cluster)
        await desk.engine.start(order)
        await again.open()
        await again.engine.start(order)
        await again.heard(Ended, order.key)
        await again.engine.close()
        assert len(jobs_named(cluster, order.key)) == 1
        assert times_run(cluster, order.key) == 1

    drive(cluster, story)


def test_of_two_slurm_jobs_for_one_attempt_one_runs(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(desk: Desk) -> None:
        submit = Rest.submit

        async def submit_twice(self: Rest, body: dict[str, object]) -> int:
            await submit(self, body)
            return await submit(self, body)

        monkeypatch.setattr(Rest, "submit", submit_twice)
        order = await desk.begin(ONCE, 0)
        assert (await desk.heard(Ended, order.key)).exit_code == 0
        assert len(jobs_named(cluster, order.key)) == 2
        assert times_run(cluster, order.key) == 1

    drive(cluster, story)


def test_a_new_controller_takes_up_what_runs_and_hears_what_ended(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        short = await desk.begin(("sh", "-c", "sleep 1.2; exit 5"), 0)
        long = await desk.begin(HOUR, 1)
        await desk.heard(Started, short.key)
        await desk.heard(Started, long.key)
        await desk.engine.close()
        await asyncio.sleep(1.5)
        later = Desk(cluster, epoch=2)
        await later.open()
        assert await later.engine.running() == [short.key, long.key]
        assert (await later.heard(Ended, short.key)).exit_code == 5
        await later.engine.forget(short.key, 2)
        assert await later.engine.running() == [long.key]
        await later.stop(long.key)
        await later.heard(Stopped, long.key)
        with pytest.raises(StaleEpoch):
            await desk.engine.stop(StopOrder(long.key, 1))
        desk.engine = later.engine

    drive(cluster, story)


def test_a_job_that_nobody_wrote_down_is_an_orphan(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        order = await desk.begin(HOUR, 0)
        await desk.heard(Started, order.key)
        (cluster.shared / "held" / str(order.key)).unlink()
        later = Desk(cluster)
        await later.open()
        assert await later.engine.running() == [order.key]
        await later.engine.close()

    drive(cluster, story)


def test_a_forgotten_end_is_not_told_again(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        order = await desk.begin(("true",), 0)
        await desk.heard(Ended, order.key)
        await desk.engine.forget(order.key, 1)
        later = Desk(cluster)
        await later.open()
        await asyncio.sleep(1.2)
        assert await later.engine.running() == []
        assert not [report for report in later.reports if isinstance(report, Ended)]
        await later.engine.close()

    drive(cluster, story)


def test_orders_of_an_old_epoch_are_refused(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        order = await desk.begin(("true",), 0)
        old = desk.order(("true",), 1)
        await desk.engine.forget(order.key, 2)
        for late in (
            desk.engine.start(old),
            desk.engine.stop(StopOrder(order.key, 1)),
            desk.engine.forget(order.key, 1),
            desk.engine.pause(order.key, 1),
            desk.engine.resume(order.key, 1),
            desk.engine.drain(cluster.nodes[0], "late", 1),
        ):
            with pytest.raises(StaleEpoch):
                await late
        assert jobs_named(cluster, old.key) == []

    drive(cluster, story)


def test_an_attempt_stopped_before_it_was_started_never_runs(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        order = desk.order(ONCE, 0)
        await desk.stop(order.key)
        await desk.engine.start(order)
        await desk.heard(Lost, order.key)
        assert jobs_named(cluster, order.key) == []

    drive(cluster, story)


def test_ranks_of_an_attempt_end_when_a_later_one_starts(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        first = await desk.begin(HOUR, 0)
        await desk.heard(Started, first.key)
        second = next_attempt(first, command=("true",))
        await desk.engine.start(second)
        assert (await desk.heard(Ended, first.key)).exit_code == -9

    drive(cluster, story)
