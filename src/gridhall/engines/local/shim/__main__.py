"""The parent of one attempt's processes: it outlives the server, and writes down what became of them.

Run by the engine as `python -I -S <this folder> run <record> <ready fd> <lock fd>` in a session of its own. It reads
`plan.json` in the record folder, starts the ranks, writes `state.json`, and when the last process is gone `end.json`.
It holds the lock for as long as it lives, which is how a new server knows that it is there; the ready descriptor closes
when the ranks have been started. SIGTERM means: read `stop.json` and stop the gang. SIGUSR1 means: read `pause.json`
and pause the gang or let it go on; what was done stands in `pauses.json`.

Nothing of Gridhall and nothing slow is imported: this must start in milliseconds and must not change under a running
job when the server is upgraded. `probe namespace|mounts` only tells, by its exit code, whether this machine lets a
process hide folders that way.
"""

import contextlib
import os
import signal
import sys
import time
from typing import Any

import gang
import paper
import shield


def main(words: list[str]) -> int:
    """Carry out one command line; the exit code is 0 when it could."""
    if words[0] == "probe":
        shield.hide([], [], own_user=words[1] == "namespace")
        return 0
    record, ready, lock = words[1], int(words[2]), int(words[3])
    keep_only(ready, lock)
    shield.adopt_orphans()
    run(record, ready)
    return 0


def run(record: str, ready: int) -> None:
    """Start the gang, be its parent until nothing of it is left, and write its end."""
    plan = paper.read(record, "plan.json")
    wake = gang.listen()
    mine = gang.Gang(plan)
    told = paper.read_or_none(record, "stop.json")
    if told is None:
        mine.start()
        paper.write(record, "state.json", mine.state())
        told = paper.read_or_none(record, "stop.json")
    os.close(ready)
    if told is not None:
        mine.finish("stop", told["grace_ms"])
    switch(record, mine)
    while not mine.over():
        came = mine.wait(wake)
        if signal.SIGTERM in came:
            told = paper.read_or_none(record, "stop.json")
            mine.finish("stop", told["grace_ms"] if told else plan["grace_ms"])
        if came & {signal.SIGTERM, signal.SIGUSR1}:
            switch(record, mine)
        mine.look(time.monotonic())
    mine.sweep(wake)
    write_end(record, mine.end())


def switch(record: str, mine: gang.Gang) -> None:
    """Pause the gang or let it go on, as it was last told; on a full disk this is not noted, and will be told again."""
    told = paper.read_or_none(record, "pause.json")
    if told is not None:
        mine.stand(told["still"])
        with contextlib.suppress(OSError):
            paper.write(record, "pauses.json", mine.standing())


def keep_only(*kept: int) -> None:
    """Close what the server left open by chance, and keep these descriptors from the ranks."""
    for fd in kept:
        os.set_inheritable(fd, False)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(name))


def write_end(record: str, end: dict[str, Any]) -> None:
    """Write the end; on a full disk wait for room, for without a record the attempt would count as lost."""
    while True:
        try:
            return paper.write(record, "end.json", end)
        except OSError:
            time.sleep(1)


sys.exit(main(sys.argv[1:]))
