"""A controller without an API that is killed again and again at random moments, on the same folder.

    python -m tests.e2e.headless FOLDER LIVES SEED

It submits short jobs as fast as the machine runs them. Every line on standard output is one acknowledged submission: a
job id. Jobs run as real processes; each takes a lock on a file of its own job, so that a second live attempt of the
same job would leave the mark `doubled`. A life is a fork, so that it does not begin with a second of imports.
"""

import asyncio
import os
import random
import signal
import sys
import time
from itertools import count
from pathlib import Path

from gridhall.engines.clock import WallClock
from gridhall.engines.local.engine import LocalEngine
from gridhall.scheduling.policy import load_policy
from gridhall.server.live.service import Service, Settings, open_service
from gridhall.server.live.submit import NewJob, new_job_id
from gridhall.server.live.work import Job
from gridhall.server.objects.job import JobSpec
from tests.server.live.house import KEY, small_fleet

DOUBLED = "doubled"
WORK = f"""
cd "$GRIDHALL_CHECKPOINT_DIR" || exit 9
exec 9>lock
flock -n 9 || touch {DOUBLED}
sleep 0.15
"""
AT_ONCE = 12
"""Most jobs waiting and running: the machine that runs the tests has two cores."""


def settings_of(folder: Path) -> Settings:
    """A site of two nodes with eight GPUs each, all of them this machine.

    Now and then two lives in a row end just before the same gang begins. The shipped policy takes that for a job that
    never gets on and lets it wait for 20 minutes; here it is started again at once.
    """
    fleet = small_fleet(2)
    engine = LocalEngine(folder / "engine", {"home": [name for _, name in fleet.node_index]})
    store = f"sqlite:///{folder / 'gridhall.db'}"
    policy = load_policy()
    policy = policy.model_copy(update={"failures": policy.failures.model_copy(update={"backoff_minutes": 0.0})})
    return Settings(store, fleet, policy, KEY, WallClock(), {"local": engine}, {"home": "local"})


async def load(service: Service) -> None:
    """Submit for ever."""
    for number in count():
        while len(service.world.jobs) >= AT_ONCE:
            await asyncio.sleep(0.01)
        spec = JobSpec(command=("/bin/sh", "-c", WORK))
        job = await service.loop.happen(NewJob(new_job_id(), f"job {number}", "home", "default", 0, "user", spec))
        assert isinstance(job, Job)
        os.write(1, f"{job.id}\n".encode())  # one write, so that a kill leaves a whole line or none


async def main(folder: Path, ready: int) -> None:
    """Open, say so, then work until killed."""
    service = await open_service(settings_of(folder))
    os.write(ready, b"!")
    await load(service)


def live_and_die(folder: Path, rng: random.Random) -> None:
    """One life: one in four is killed while it recovers, the others while they work."""
    ready, says_ready = os.pipe()
    child = os.fork()
    if child == 0:
        asyncio.run(main(folder, says_ready))
        os._exit(1)
    os.close(says_ready)
    if rng.random() >= 0.25:
        os.read(ready, 1)
    time.sleep(rng.uniform(0.0, 0.4))
    os.close(ready)
    os.kill(child, signal.SIGKILL)
    if os.waitpid(child, 0)[1] != signal.SIGKILL:
        raise SystemExit("a controller died before it was killed")


if __name__ == "__main__":
    chance = random.Random(int(sys.argv[3]))
    for _ in range(int(sys.argv[2])):
        live_and_die(Path(sys.argv[1]), chance)
