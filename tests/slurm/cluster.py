"""A real Slurm cluster in a temporary folder: munge, slurmctld, many slurmd, slurmrestd, all on this host.

The nodes are slurmd processes with claimed hardware and devices that stand in for GPUs; everything else is Slurm as
Debian ships it. Several clusters can live side by side, each on ports of its own: two clusters are two sites.
`python -m tests.slurm.cluster --site lab --nodes 8` starts one, prints the engine's settings for it and keeps it until
Ctrl-C.
"""

import argparse
import json
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "slurmrestd", "sbatch", "srun", "scontrol", "scancel", "sinfo")
GPUS_PER_NODE = 8
UP_S = 60.0
BACKFILL_S = 5
"""How often Slurm's backfill scheduler looks; Slurm's own 30 s would be long for a test."""


def missing() -> str:
    """Why no cluster can be started here, and what to do; empty when one can."""
    absent = [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]
    if absent:
        return f"Slurm is not installed ({', '.join(absent)} absent): run `make services`"
    return "" if os.geteuid() == 0 else "an emulated Slurm cluster needs root"


@dataclass(frozen=True)
class Cluster:
    """A running cluster: its folder (`slurm.conf`, logs, `shared` for jobs), the nodes' names and the REST address."""

    name: str
    folder: Path
    nodes: tuple[str, ...]
    control_port: int
    rest_port: int

    @property
    def shared(self) -> Path:
        """The folder that stands in for the site's shared file system."""
        return self.folder / "shared"

    @property
    def settings(self) -> dict[str, object]:
        """What the engine must be told to drive it."""
        return {
            "site": self.name,
            "rest_url": f"http://127.0.0.1:{self.rest_port}",
            "slurm_conf": str(self.folder / "slurm.conf"),
            "shared_folder": str(self.shared),
            "user": "nobody",
            "partition": "batch",
        }

    def call(self, *arguments: str, timeout_s: float = 20.0) -> str:
        """What a Slurm command printed."""
        done = subprocess.run(
            arguments, env=self._environment(), capture_output=True, text=True, timeout=timeout_s, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def idle(self) -> int:
        """How many nodes are idle."""
        return len(self.call("sinfo", "-h", "-N", "-p", "batch", "-t", "idle", "-o", "%N").split())

    def start_controller(self, fresh: bool = False) -> None:
        """Start slurmctld; it takes up its earlier state unless `fresh`."""
        self._start(["slurmctld", *(["-c"] if fresh else [])])

    def stop_controller(self) -> None:
        """Stop slurmctld in an orderly way; work on the nodes goes on."""
        _stop(self.folder / "slurmctld.pid", signal.SIGTERM)

    def start_node(self, node: str) -> None:
        """Start a node's slurmd."""
        self._start(["slurmd", "-N", node])

    def kill_node(self, node: str) -> None:
        """Take a node away at once: its slurmd, its step daemons and everything that they run."""
        for pid in _families(_writers(self.folder / "log", f"slurmd-{node}.log")):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        (self.folder / f"slurmd-{node}.pid").unlink(missing_ok=True)

    def start_rest(self) -> None:
        """Start slurmrestd, which refuses to run as root or as Slurm's own user."""
        rest = ["slurmrestd", "-t", "8", "-a", "rest_auth/jwt", "-s", "openapi/v0.0.38", f"127.0.0.1:{self.rest_port}"]
        with (self.folder / "log" / "slurmrestd.log").open("ab") as log:
            process = subprocess.Popen(
                ["runuser", "-u", "nobody", "--", *rest],
                env=self._environment() | {"SLURM_JWT": "daemon"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        (self.folder / "slurmrestd.pid").write_text(str(process.pid))
        _wait_for(lambda: _listens(self.rest_port), "slurmrestd listens")

    def stop_rest(self) -> None:
        """Stop slurmrestd."""
        pid = int((self.folder / "slurmrestd.pid").read_text())
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)

    def stop(self) -> None:
        """Stop every daemon and whatever the nodes still run, and remove the folder."""
        self.stop_rest()
        for pid in _families(_writers(self.folder / "log", "slurmd-*.log")):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _stop(self.folder / "slurmctld.pid", signal.SIGKILL)
        _stop(self.folder / "munged.pid", signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start all daemons and wait until every node is idle."""
        self._start(["munged", "--force", *_munge_options(self.folder)])
        self.start_controller(fresh=True)
        for node in self.nodes:
            self.start_node(node)
        _wait_for(lambda: self.idle() == len(self.nodes), f"{len(self.nodes)} nodes are idle", UP_S)
        self.start_rest()

    def _start(self, command: Sequence[str]) -> None:
        done = subprocess.run(
            command, env=self._environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")

    def _environment(self) -> dict[str, str]:
        return {"PATH": _path(), "SLURM_CONF": str(self.folder / "slurm.conf")}


@contextmanager
def running(name: str, nodes: int, backfill_s: int = BACKFILL_S) -> Iterator[Cluster]:
    """A cluster for the length of a block."""
    cluster = prepare(name, nodes, backfill_s)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def prepare(name: str, nodes: int, backfill_s: int = BACKFILL_S) -> Cluster:
    """The folder of a cluster that is not started yet: configuration, key, devices, on ports that are free now."""
    folder = Path(tempfile.mkdtemp(prefix=f"slurm-{name}-"))
    folder.chmod(0o755)
    for part in ("state", "log", "dev", "keys", "shared", "munge"):
        (folder / part).mkdir()
    (folder / "munge").chmod(0o755)
    names = tuple(f"{name}{index:03d}" for index in range(nodes))
    for node in names:
        (folder / "spool" / node).mkdir(parents=True)
    for key in ("jwt.key", "munge.key"):
        (folder / "keys" / key).write_bytes(secrets.token_bytes(32))
        (folder / "keys" / key).chmod(0o600)
    for gpu in range(GPUS_PER_NODE):
        os.mknod(folder / "dev" / f"nvidia{gpu}", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    first = _free_ports(nodes + 3)
    _configure(folder, names, first, backfill_s)
    return Cluster(name, folder, names, first, first + 2)


def _configure(folder: Path, names: Sequence[str], first_port: int, backfill_s: int) -> None:
    host = socket.gethostname().split(".")[0]
    span = f"{names[0][:-3]}[{names[0][-3:]}-{names[-1][-3:]}]"
    ports = f"[{first_port + 3}-{first_port + 2 + len(names)}]"
    text = CONFIGURATION.format(
        run=folder,
        host=host,
        control=first_port,
        daemon=first_port + 1,
        nodes=span,
        ports=ports,
        gpus=GPUS_PER_NODE,
        backfill_s=backfill_s,
    )
    (folder / "slurm.conf").write_text(text)
    (folder / "cgroup.conf").write_text("")
    devices = f"{folder}/dev/nvidia[0-{GPUS_PER_NODE - 1}]"
    (folder / "gres.conf").write_text(f"NodeName={span} Name=gpu Type=h100 File={devices}\n")


def _munge_options(folder: Path) -> list[str]:
    return [
        f"--key-file={folder}/keys/munge.key",
        f"--socket={folder}/munge/munge.socket",
        f"--pid-file={folder}/munged.pid",
        f"--log-file={folder}/log/munged.log",
        f"--seed-file={folder}/munge/munged.seed",
    ]


def _free_ports(count: int) -> int:
    """The first of `count` ports in a row, none in use; below the range from which the system gives ports itself."""
    for first in range(10_000 + os.getpid() % 150 * 100, 32_000 - count, 100):
        if not any(_listens(port) for port in range(first, first + count)):
            return first
    raise RuntimeError(f"no {count} free ports in a row")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait_for(ready: object, what: str, timeout_s: float = 20.0) -> None:
    assert callable(ready)
    end = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > end:
            raise RuntimeError(f"not true after {timeout_s:.0f} s: {what}")
        time.sleep(0.05)


def _stop(pid_file: Path, number: signal.Signals) -> None:
    """Signal a daemon by its pid file and wait until it is gone; nothing when it is not there."""
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        pid = int(pid_file.read_text())
        os.kill(pid, number)
        _wait_for(lambda: not _alive(pid), f"{pid_file.name} is gone")
        pid_file.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    with suppress(FileNotFoundError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    return False


def _writers(logs: Path, pattern: str) -> list[int]:
    """The processes that write these logs: of a node its slurmd and its step daemons, which show it in no other way."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            targets = [descriptor.readlink() for descriptor in (process / "fd").iterdir()]
            if any(target.parent == logs and target.match(pattern) for target in targets):
                found.append(int(process.name))
    return found


def _families(roots: Sequence[int]) -> list[int]:
    """These processes and all that they started, directly or not."""
    children: dict[int, list[int]] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            parent = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
            children.setdefault(parent, []).append(int(process.name))
    found = list(roots)
    for pid in found:
        found += children.get(pid, [])
    return found


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"


CONFIGURATION = """\
ClusterName=lab
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={control}
SlurmdPort={daemon}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthAltTypes=auth/jwt
AuthAltParameters=jwt_key={run}/keys/jwt.key
AuthInfo=socket={run}/munge/munge.socket,cred_expire=5
StateSaveLocation={run}/state
SlurmdSpoolDir={run}/spool/%n
SlurmctldPidFile={run}/slurmctld.pid
SlurmdPidFile={run}/slurmd-%n.pid
SlurmctldLogFile={run}/log/slurmctld.log
SlurmdLogFile={run}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=0
MpiDefault=none
SlurmdParameters=config_overrides
PropagateResourceLimits=NONE
ReturnToService=2
SlurmdTimeout=10
SlurmctldTimeout=60
KillWait=3
MinJobAge=60
SchedulerType=sched/backfill
SchedulerParameters=bf_interval={backfill_s},bf_continue,sched_interval=2,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PreemptType=preempt/none
GresTypes=gpu
DefMemPerGPU=16384
DefCpuPerGPU=4
DefMemPerCPU=1024
MaxJobCount=20000
TreeWidth=64
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
NodeName={nodes} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports} CPUs=64 Sockets=2 CoresPerSocket=32 \
ThreadsPerCore=1 RealMemory=512000 Gres=gpu:h100:{gpus} State=UNKNOWN
PartitionName=batch Nodes={nodes} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


def main() -> None:
    """Keep a cluster until Ctrl-C."""
    parser = argparse.ArgumentParser(description="An emulated Slurm cluster on this host.")
    parser.add_argument("--site", default="lab")
    parser.add_argument("--nodes", type=int, default=8)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with running(asked.site, asked.nodes) as cluster, suppress(KeyboardInterrupt):
        print(json.dumps(cluster.settings, indent=2), flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
