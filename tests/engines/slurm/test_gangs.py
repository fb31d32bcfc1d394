"""Gangs on a real cluster: where they run, what they find, how they end."""

import json
import signal

from gridhall.engines.protocol import Ended, Lost, Started
from tests.engines.slurm.desk import Desk, drive, python
from tests.slurm.cluster import Cluster

TELL = python("import json, os, sys; print(json.dumps([sys.argv, dict(os.environ)]))")
ALL_REDUCE = python("""
import os, socket, time
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
address = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
if rank == 0:
    server = socket.create_server(address)
    peers = [server.accept()[0] for _ in range(size - 1)]
    total = sum(int(peer.recv(64)) for peer in peers)
    for peer in peers:
        peer.sendall(b"%d" % total)
else:
    end = time.time() + 20
    while True:
        try:
            peer = socket.create_connection(address)
            break
        except ConnectionRefusedError:
            assert time.time() < end
            time.sleep(0.02)
    peer.sendall(b"%d" % 10 ** rank)
    total = int(peer.recv(64))
print("sum", total)
""")
HOSTILE = (
    "",
    "two words",
    "'; touch /tmp/owned; '",
    '"$(touch /tmp/owned)`touch /tmp/owned`"',
    "$PATH ${HOME} %j %N \\n \\",
    "line\nbreak\r\ttab",
    "#SBATCH --nodes=2",
    "naïve ☃ 你好",
    "-rf",
    "&& || ; | > < * ? ~ ! #",
)


def test_a_gang_runs_on_its_nodes_in_the_order_of_its_places(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        order = await desk.begin(TELL, 4, 1, gpus=8, processes_per_node=2)
        ended = await desk.heard(Ended, order.key)
        assert ended.exit_code == 0
        found = [json.loads(await desk.output(order.key, rank))[1] for rank in range(4)]
        nodes = [cluster.nodes[node] for node in (4, 4, 1, 1)]
        assert [each["SLURMD_NODENAME"] for each in found] == nodes
        assert [each["GRIDHALL_NODE"] for each in found] == nodes
        assert [each["NODE_RANK"] for each in found] == ["0", "0", "1", "1"]
        assert [each["RANK"] for each in found] == ["0", "1", "2", "3"]
        assert [each["LOCAL_RANK"] for each in found] == ["0", "1", "0", "1"]
        assert {each["CUDA_VISIBLE_DEVICES"] for each in found} == {"0,1,2,3,4,5,6,7"}
        assert len({(each["MASTER_ADDR"], each["MASTER_PORT"], each["WORLD_SIZE"]) for each in found}) == 1
        assert (await desk.heard(Started, order.key)).time_ms <= ended.time_ms

    drive(cluster, story)


def test_slurm_gives_as_many_gpus_as_the_place_has(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        one, other = [await desk.begin((*TELL, "sleep"), 2, gpus=3) for _ in range(2)]
        for order in (one, other):
            await desk.heard(Ended, order.key)
            found = json.loads(await desk.output(order.key))[1]["CUDA_VISIBLE_DEVICES"]
            assert len(set(found.split(","))) == 3

    drive(cluster, story)


def test_a_gang_over_two_nodes_reduces(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        order = await desk.begin(ALL_REDUCE, 2, 3, gpus=8, processes_per_node=2)
        assert (await desk.heard(Ended, order.key)).exit_code == 0
        assert {await desk.output(order.key, rank) for rank in range(4)} == {"sum 1110\n"}

    drive(cluster, story)


def test_exit_codes_come_back(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        ways = {
            0: ("true",),
            3: ("sh", "-c", "exit 3"),
            127: ("there-is-no-such-program",),
            -signal.SIGSEGV: ("sh", "-c", "kill -SEGV $$"),
        }
        orders = {code: await desk.begin(command, node) for node, (code, command) in enumerate(ways.items())}
        for code, order in orders.items():
            ended = await desk.heard(Ended, order.key)
            assert (ended.exit_code, ended.timed_out) == (code, False)

    drive(cluster, story)


def test_one_failed_rank_ends_the_gang_with_its_exit_code(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        wait_or_fail = ("sh", "-c", 'test "$RANK" = 3 && exit 7; exec sleep 60')
        order = await desk.begin(wait_or_fail, 5, 6, processes_per_node=2)
        assert (await desk.heard(Ended, order.key)).exit_code == 7

    drive(cluster, story)


def test_hostile_strings_arrive_as_they_are(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        environment = {f"HOSTILE_{number}": text for number, text in enumerate(HOSTILE)}
        order = await desk.begin((*TELL, *HOSTILE), 0, environment=environment)
        assert (await desk.heard(Ended, order.key)).exit_code == 0
        words, found = json.loads(await desk.output(order.key))
        assert tuple(words[1:]) == HOSTILE
        assert {name: found[name] for name in environment} == environment

    drive(cluster, story)


def test_nobody_overrides_who_they_are(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        lies = {"RANK": "9", "CUDA_VISIBLE_DEVICES": "0,1,2,3,4,5,6,7", "GRIDHALL_JOB": "0"}
        order = await desk.begin(TELL, 0, gpus=2, environment=lies)
        await desk.heard(Ended, order.key)
        found = json.loads(await desk.output(order.key))[1]
        assert (found["RANK"], found["GRIDHALL_JOB"]) == ("0", str(order.key.job))
        assert len(found["CUDA_VISIBLE_DEVICES"].split(",")) == 2

    drive(cluster, story)


def test_the_time_limit_holds_to_the_second(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        order = await desk.begin(("sleep", "60"), 0, 1, limit_ms=1_000, grace_ms=1_000)
        ended = await desk.heard(Ended, order.key)
        assert ended.timed_out
        assert 1_000 <= ended.ran_ms < 3_000

    drive(cluster, story)


def test_what_slurm_cannot_run_is_lost_with_its_reason(cluster: Cluster) -> None:
    async def story(desk: Desk) -> None:
        too_many = await desk.begin(("true",), 0, gpus=9)
        assert "not available" in (await desk.heard(Lost, too_many.key)).reason

    drive(cluster, story)


def test_two_clusters_are_two_sites(cluster: Cluster, second: Cluster) -> None:
    async def story(desk: Desk) -> None:
        async def elsewhere(other: Desk) -> None:
            orders = [(each, await each.begin(TELL, 0, 1)) for each in (desk, other)]
            for each, order in orders:
                await each.heard(Ended, order.key)
                assert json.loads(await each.output(order.key))[1]["GRIDHALL_SITE"] == each.cluster.name
                assert await each.engine.running() == [order.key]
                await each.engine.forget(order.key, each.epoch)

        other = Desk(second)
        await other.open()
        try:
            await elsewhere(other)
        finally:
            await other.engine.close()

    drive(cluster, story)
