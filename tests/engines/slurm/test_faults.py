"""Nodes that die, drain and come back; Slurm's daemons that go away and come back."""

import pytest

from gridhall.engines.protocol import Ended, EngineFault, Lost, NodeSeen, Started
from tests.engines.slurm.desk import Desk, drive
from tests.slurm.cluster import Cluster


def test_a_dead_node_loses_its_gang_and_comes_back(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        gang = await desk.begin(("sleep", "3600"), 6, 7)
        other = await desk.begin(("sleep", "3600"), 5)
        await desk.heard(Started, gang.key)
        cluster.kill_node(cluster.nodes[7])
        # Slurm finds out itself after about half a minute; whoever watches the hardware tells it at once
        cluster.call("scontrol", "update", f"nodename={cluster.nodes[7]}", "state=down", "reason=power")
        lost = await desk.heard(Lost, gang.key)
        assert "NODE_FAIL" in lost.reason
        before = len(desk.reports)
        assert (await desk.seen(7, up=False, takes_work=False)).reason == "power"
        cluster.start_node(cluster.nodes[7])
        await desk.seen(7, up=True, since=before)
        assert not [each for each in desk.reports if isinstance(each, Lost | Ended) and each.key == other.key]

    drive(cluster, story)


def test_a_drained_node_takes_no_work_and_keeps_what_runs(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        order = await desk.begin(("sleep", "3600"), 3)
        await desk.heard(Started, order.key)
        await desk.engine.drain(cluster.nodes[3], "cooling loop 2", 1)
        await desk.engine.drain(cluster.nodes[4], "cooling loop 2", 1)
        assert (await desk.seen(3, up=True, takes_work=False)).reason == "cooling loop 2"
        assert (await desk.seen(4, up=False, takes_work=False)).reason == "cooling loop 2"
        before = len(desk.reports)
        for node in (3, 4):
            await desk.engine.undrain(cluster.nodes[node], 1)
            await desk.seen(node, up=True, since=before)
        assert not [each for each in desk.reports if isinstance(each, Lost)]

    drive(cluster, story)


def test_a_gang_whose_node_is_down_is_lost_before_it_begins(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        await desk.engine.drain(cluster.nodes[2], "gone", 1)
        try:
            await desk.seen(2, up=False, takes_work=False)
            order = await desk.begin(("true",), 2)
            assert (await desk.heard(Lost, order.key)).reason == f"Slurm cannot start it: {cluster.nodes[2]}: gone"
        finally:
            await desk.engine.undrain(cluster.nodes[2], 1)

    drive(cluster, story)


def test_a_controller_of_slurm_that_restarts_loses_nothing(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        short = await desk.begin(("sleep", "2"), 0, 1)
        long = await desk.begin(("sleep", "3600"), 2)
        await desk.heard(Started, short.key)
        await desk.heard(Started, long.key)
        nodes = len([each for each in desk.reports if isinstance(each, NodeSeen)])
        cluster.stop_controller()
        with pytest.raises(EngineFault, match="slurmrestd"):
            await desk.begin(("true",), 3)
        cluster.start_controller()
        assert (await desk.heard(Ended, short.key)).exit_code == 0
        later = await desk.begin(("true",), 4)
        await desk.heard(Ended, later.key)
        assert not [each for each in desk.reports if isinstance(each, Lost)]
        assert len([each for each in desk.reports if isinstance(each, NodeSeen)]) == nodes

    drive(cluster, story)


def test_without_slurmrestd_orders_fail_and_ends_are_still_heard(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        order = await desk.begin(("sleep", "1"), 0)
        await desk.heard(Started, order.key)
        cluster.stop_rest()
        try:
            with pytest.raises(EngineFault, match="see that slurmrestd runs"):
                await desk.begin(("true",), 1)
            assert (await desk.heard(Ended, order.key)).exit_code == 0
            with pytest.raises(EngineFault):
                await Desk(cluster).open()
        finally:
            cluster.start_rest()

    drive(cluster, story)
