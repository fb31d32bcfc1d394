"""A newcomer's first minutes: this machine, no file, no GPU, no container, no network."""

import json
import os
import time
from pathlib import Path

from gridhall.server.objects.job import JobRequest, JobSpec, Resources
from tests.e2e.up import Up

PYTHON = "/usr/bin/python3"
REDUCE = """
import os, socket
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
address = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
if rank == 0:
    with socket.create_server(address) as server:
        others = [server.accept()[0] for _ in range(size - 1)]
    total = 1 + sum(int(each.recv(100)) for each in others)
    for each in others:
        each.sendall(str(total).encode())
else:
    import time
    for _ in range(200):
        try:
            one = socket.create_connection(address)
            break
        except OSError:
            time.sleep(0.05)
    one.sendall(str(rank + 1).encode())
    total = int(one.recv(100))
print("sum of", size, "ranks:", total, flush=True)
"""
COUNT = """
import os, pathlib, signal, sys, time
file = pathlib.Path(os.environ["GRIDHALL_CHECKPOINT_DIR"], "count")
count = int(file.read_text()) if file.exists() else 0
print("from", count, flush=True)
signal.signal(signal.SIGTERM, lambda *_: (file.write_text(str(count)), sys.exit(0)))
while count < 40:
    count += 1
    time.sleep(0.05)
print("to", count, flush=True)
"""


def test_a_first_job_runs_shows_its_output_and_gives_its_exit_code(reachable: Path) -> None:
    with Up(reachable) as up:
        said = up.gridhall("run", "--", PYTHON, "-c", "print('hello from a job')")
        assert said == "hello from a job\n"
        up.gridhall("run", "--", PYTHON, "-c", "raise SystemExit(7)", code=7)
        jobs = json.loads(up.gridhall("jobs", "list", "--json"))
        assert [job["status"]["state"] for job in jobs] == ["failed", "completed"]
        assert "PASS" in up.gridhall("ledger", "verify")
        up.stop()
        assert "same" in up.gridhall("replay", str(reachable))


def test_two_processes_find_each_other_and_reduce(reachable: Path) -> None:
    with Up(reachable) as up:
        said = up.gridhall("run", "--processes", "2", "--", PYTHON, "-c", REDUCE)
        assert said == "sum of 2 ranks: 3\n"


def test_urgent_work_preempts_and_the_other_resumes_from_its_own_checkpoint(reachable: Path) -> None:
    with Up(reachable) as up, up.client() as client:
        whole = Resources(gpus=0, cpu_milli=1000 * len(os.sched_getaffinity(0)))
        low = JobSpec(command=(PYTHON, "-c", COUNT), resources=whole, priority="low", preemptible=True)
        job = client.jobs.submit(JobRequest(name="low", spec=low))
        until(lambda: b"from 0" in b"".join(client.jobs.log(job.metadata.id)))
        time.sleep(0.3)
        urgent = JobSpec(command=("/bin/true",), resources=whole, priority="urgent")
        first = client.jobs.submit(JobRequest(name="urgent", spec=urgent))
        assert client.jobs.wait(first.metadata.id, 30).status.state == "completed"
        done = client.jobs.wait(job.metadata.id, 60)
        assert done.status.state == "completed"
        assert done.status.attempt == 2
        said = b"".join(client.jobs.log(job.metadata.id)).decode().split()
        assert said[0] == "from"
        assert int(said[1]) > 0
        assert said[2:] == ["to", "40"]


def test_killed_with_everything_it_comes_back_and_what_ran_is_adopted(reachable: Path) -> None:
    up = Up(reachable)
    up.start()
    with up.client() as client:
        spec = JobSpec(command=("/bin/sleep", "3"), resources=Resources(gpus=0))
        job = client.jobs.submit(JobRequest(name="sleeper", spec=spec))
        until(lambda: client.jobs.get(job.metadata.id).status.state == "running")
    for _ in range(3):
        up.kill()
        up.start()
    with up.client() as client:
        done = client.jobs.wait(job.metadata.id, 30)
        assert (done.status.state, done.status.attempt) == ("completed", 1)
    up.stop()


def until(condition: object, seconds: float = 20.0) -> None:
    """Wait for something to come true."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)
