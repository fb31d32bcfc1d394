"""What a job may take: memory, files, core dumps, output, privileges."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from gridhall.engines.local import launch
from tests.engines.local.lab import lab, order

EAT = "import sys; eaten = bytearray({mib} << 20); eaten[::4096] = b'1' * len(eaten[::4096]); print('fed')"
LIMITS = """
import json, resource
names = ("CORE", "NOFILE", "CPU", "FSIZE", "AS", "DATA")
print(json.dumps({name: resource.getrlimit(getattr(resource, "RLIMIT_" + name)) for name in names}))
"""


def test_memory_limit_holds_and_leaves_what_is_allowed(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            assert (await here.end_of(order(EAT.format(mib=64), mem_mib=256))).exit_code == 0
            greedy = order(EAT.format(mib=512), job=2, mem_mib=256)
            assert (await here.end_of(greedy)).exit_code in (1, -9)
            assert "fed" not in await here.log(greedy)
            forked = "import os\nif os.fork() == 0:\n  " + EAT.format(mib=512) + "\nelse: print(os.wait()[1])"
            child = order(forked, job=3, mem_mib=256)
            await here.end_of(child)
            assert "fed" not in await here.log(child)

    asyncio.run(story())


def test_process_limits(tmp_path: Path):
    async def story():
        async with lab(tmp_path) as here:
            job = order(LIMITS)
            await here.end_of(job)
            limits = json.loads(await here.log(job))
            assert limits["CORE"] == [0, 0]
            assert limits["NOFILE"][0] == limits["NOFILE"][1] > 1000
            assert all(limits[name] == [-1, -1] for name in ("CPU", "FSIZE", "AS", "DATA"))

    asyncio.run(story())


def test_log_is_kept_up_to_its_size_and_the_job_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, "LOG_BYTES", 100_000)

    async def story():
        async with lab(tmp_path) as here:
            loud = order("for _ in range(300): print('x' * 999)\nraise SystemExit(4)")
            assert (await here.end_of(loud)).exit_code == 4
            log = await here.log(loud)
            assert log[:100_000] == ("x" * 999 + "\n") * 100
            assert "reached its size" in log[100_000:]
            assert len(log) < 100_200

    asyncio.run(story())


def test_process_cannot_gain_privileges_and_holds_nothing_of_its_parent(tmp_path: Path):
    code = "import os; print(open('/proc/self/status').read()); print('fds', sorted(os.listdir('/proc/self/fd')))"

    async def story():
        async with lab(tmp_path) as here:
            job = order(code)
            await here.end_of(job)
            log = await here.log(job)
            assert "NoNewPrivs:\t1" in log
            assert "SigBlk:\t0000000000000000" in log
            assert "fds ['0', '1', '2', '3']" in log  # 3 is the listing itself
            if os.geteuid() == 0:
                assert "CapEff:\t0000000000000000" in log
                assert "Groups:\t \n" in log

    asyncio.run(story())


def test_hostile_words_are_only_words(tmp_path: Path):
    words = ("$(touch /tmp/x)", "`id`", "; rm -rf .", "../../..", "\n", "\udcff", "é", "--help")

    async def story():
        async with lab(tmp_path) as here:
            code = "import os, sys; print([os.fsencode(word) for word in sys.argv[1:]], os.environ['A'])"
            plain = order(code)
            job = order(command=(*plain.command, *words), environment={"A": "$HOME"}, name="../../etc\n\0")
            assert (await here.end_of(job)).exit_code == 0
            assert (await here.log(job)).strip() == f"{[os.fsencode(word) for word in words]} $HOME"

    asyncio.run(story())
