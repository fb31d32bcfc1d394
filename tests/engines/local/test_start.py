"""From an order to its end: exit codes, output, environment, orders that come twice."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from gridhall.engines.protocol import Ended, EngineFault, NodeSeen, Place, StaleEpoch, Started, StopOrder, Stopped
from tests.engines.local.lab import END, PYTHON, lab, order

TWO_NODES = (Place("lab", "n1", (2, 3)), Place("annex", "n2", ()))
SHOW = "import os, json; print(json.dumps(dict(os.environ)))"


def test_every_node_is_seen_when_the_engine_opens(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            seen = [await here.next(NodeSeen) for _ in range(3)]
            assert [(node.site, node.node, node.up) for node in seen] == [
                ("lab", "n0", True),
                ("lab", "n1", True),
                ("annex", "n2", True),
            ]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("code", "expected"), [("", 0), ("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", -9)]
)
def test_end_carries_the_exit_code(tmp_path: Path, code: str, expected: int):
    async def story():
        async with lab(tmp_path) as here:
            await here.engine.start(order(code))
            started = await here.next(Started, *END)
            ended = await here.next(*END)
            assert isinstance(started, Started)
            assert isinstance(ended, Ended)
            assert (ended.exit_code, ended.timed_out) == (expected, False)
            assert ended.time_ms - started.time_ms == ended.ran_ms

    asyncio.run(story())


def test_program_that_is_not_there_ends_like_in_a_shell(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            missing = order(command=("no-such-program",))
            assert (await here.end_of(missing)).exit_code == 127
            assert "no-such-program" in await here.log(missing)
            nowhere = order(job=2, directory="/no/such/folder")
            assert (await here.end_of(nowhere)).exit_code == 126

    asyncio.run(story())


def test_gang_finds_itself_in_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SERVER_SECRET", "x")
    gang = order(
        SHOW, places=TWO_NODES, processes_per_node=2, saved_ms=5, environment={"MINE": "yes", "RANK": "not mine"}
    )

    async def story():
        async with lab(tmp_path) as here:
            assert (await here.end_of(gang)).exit_code == 0
            ranks = [json.loads(await here.log(gang, rank)) for rank in range(4)]
            assert [int(rank["RANK"]) for rank in ranks] == [0, 1, 2, 3]
            assert [int(rank["LOCAL_RANK"]) for rank in ranks] == [0, 1, 0, 1]
            assert [int(rank["NODE_RANK"]) for rank in ranks] == [0, 0, 1, 1]
            assert [rank["CUDA_VISIBLE_DEVICES"] for rank in ranks] == ["2,3", "2,3", "", ""]
            assert [rank["GRIDHALL_NODE"] for rank in ranks] == ["n1", "n1", "n2", "n2"]
            assert [rank["GRIDHALL_SITE"] for rank in ranks] == ["lab", "lab", "annex", "annex"]
            same = ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "NNODES", "GRIDHALL_JOB", "GRIDHALL_ATTEMPT", "GRIDHALL_SAVED_MS")
            for rank in ranks:
                assert [rank[name] for name in same] == ["4", "2", "2", "1", "1", "5"]
                assert rank["MASTER_ADDR"] == "127.0.0.1"
                assert rank["MASTER_PORT"] == ranks[0]["MASTER_PORT"]
                assert rank["MINE"] == "yes"
                assert "SERVER_SECRET" not in rank

    asyncio.run(story())


ALL_REDUCE = """
import os, socket, time
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
at = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
mine = rank + 1
if rank == 0:
    others = []
    with socket.create_server(at) as door:
        while len(others) < size - 1:
            others.append(door.accept()[0])
    total = mine + sum(int(other.recv(16)) for other in others)
    for other in others:
        other.sendall(b"%d" % total)
else:
    while True:
        try:
            root = socket.create_connection(at)
            break
        except ConnectionRefusedError:
            time.sleep(0.02)
    root.sendall(b"%d" % mine)
    total = int(root.recv(16))
print("sum", total)
"""


def test_two_processes_all_reduce(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            gang = order(ALL_REDUCE, places=TWO_NODES)
            assert (await here.end_of(gang)).exit_code == 0
            assert [await here.log(gang, rank) for rank in (0, 1)] == ["sum 3\n", "sum 3\n"]

    asyncio.run(story())


def test_failed_rank_ends_the_gang(tmp_path: Path):
    code = "import os, time\nif os.environ['RANK'] == '1': raise SystemExit(3)\ntime.sleep(60)"

    async def story():
        async with lab(tmp_path) as here:
            assert (await here.end_of(order(code, processes_per_node=2))).exit_code == 3

    asyncio.run(story())


def test_order_that_comes_again_changes_nothing(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            once = order("print('ran'); input()", command=(PYTHON, "-c", "import time; print('ran'); time.sleep(0.3)"))
            await here.engine.start(once)
            await here.engine.start(once)
            ended = await here.next(*END)
            await here.engine.start(once)
            assert await here.next(*END) == ended
            await here.engine.forget(once.key, 1)
            assert await here.engine.running() == ()
            await here.engine.start(once)
            assert await here.next(*END) == ended
            assert await here.log(once) == "ran\n"

    asyncio.run(story())


def test_caller_that_gives_up_does_not_leave_the_gang_unfollowed(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(here.engine.start(order()), 0.001)
            assert isinstance(await here.next(*END), Ended)

    asyncio.run(story())


def test_older_epoch_is_refused_also_by_the_next_engine(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            await here.end_of(order(epoch=7))
        async with lab(tmp_path) as here:
            for call in (
                here.engine.start(order(job=2, epoch=6)),
                here.engine.stop(StopOrder(order().key, 6)),
                here.engine.forget(order().key, 6),
            ):
                with pytest.raises(StaleEpoch):
                    await call
            assert isinstance(await here.end_of(order(job=2, epoch=7)), Ended)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"command": ()}, "no command"),
        ({"command": ("echo", "a\0b")}, "NUL"),
        ({"environment": {"A": "\0"}}, "NUL"),
        ({"environment": {"A=B": "1"}}, "'='"),
        ({"command": ("echo", "x" * 200_000)}, "too long"),
        ({"command": ("echo", *["x" * 1000] * 5000)}, "too long"),
        ({"places": ()}, "no command, no place"),
        ({"places": (Place("lab", "n9", ()),)}, "n9"),
        ({"places": (Place("moon", "n0", ()),)}, "moon"),
        ({"directory": "relative"}, "absolute"),
        ({"directory": "/\0"}, "absolute"),
    ],
)
def test_order_that_cannot_be_carried_out_is_refused(tmp_path: Path, changes: dict[str, object], words: str):
    async def story():
        async with lab(tmp_path) as here:
            with pytest.raises(EngineFault, match=words):
                await here.engine.start(order(**changes))
            assert await here.engine.running() == ()
            assert isinstance(await here.end_of(order()), Ended)

    asyncio.run(story())


def test_log_is_read_from_an_offset_and_keeps_both_streams(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            job = order("import sys; print('abc'); sys.stderr.write('def')")
            await here.end_of(job)
            read = here.engine.read_log
            assert await read(job.key, 0, 0, 100) == b"abc\ndef"
            assert await read(job.key, 0, 2, 3) == b"c\nd"
            assert await read(job.key, 0, 50, 3) == b""
            assert await read(job.key, 4, 0, 3) == b""

    asyncio.run(story())


def test_attempt_costs_less_than_150_ms_of_processor_time(tmp_path: Path):
    """Of the engine, the shim and a rank that does nothing; wall time would be that of the busiest neighbour."""

    async def story():
        async with lab(tmp_path) as here:
            before = sum(os.times()[:4])
            for job in range(1, 6):
                await here.end_of(order(job=job, command=("/bin/true",)))
            assert (sum(os.times()[:4]) - before) / 5 < 0.15

    asyncio.run(story())


def test_stop_without_a_start_is_answered_and_holds_for_a_late_start(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            await here.engine.stop(StopOrder(order().key, 1))
            lost = await here.next(*END)
            assert not isinstance(lost, Ended | Stopped)
            assert await here.end_of(order("print('ran')")) == lost
            assert await here.log(order()) == ""

    asyncio.run(story())
