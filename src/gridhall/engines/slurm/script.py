"""The shell scripts of an attempt: what runs on the nodes before the first rank, which is why they are shell.

`start` is the batch script: it claims the attempt, so that of two Slurm jobs for one attempt only the first does
anything, and finds a free MASTER_PORT. `ranks` runs on every node: it starts the ranks there, each under a small shell
that tells the runner, through a pipe, which process it is and how it ended. A shell does that in a few milliseconds;
Python would take ten times as long, and a user waits for it. Every word of the job stands in single quotes.

Slurm sends SIGTERM to all of these processes. The shells ignore it, the ranks get it as they should.
"""

import shlex
from collections.abc import Mapping, Sequence

from gridhall.engines.slurm.records import Order

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FIRST_PORT, PORTS = 15_000, 15_000
"""Where ports for MASTER_PORT lie: below those that systems give out themselves."""


def start(order: Order, folder: str, runner: str) -> str:
    """The batch script; `folder` is the attempt's, `runner` the command line of the runner."""
    port = FIRST_PORT + (order.job * 7919 + order.attempt * 1009) % PORTS
    here = shlex.quote(folder)
    last = f". {here}/ranks.sh" if len(order.nodes) == 1 else f"exec {runner} lead {here}"
    return f"""\
#!/bin/sh
(set -C; echo "$SLURM_JOB_ID" >{here}/claim) 2>/dev/null || exit 0
MASTER_PORT={port}
# the kernel walks its whole table for each of the two files: milliseconds each, so both at once
in_use() {{
  grep -qs "$1" /proc/net/tcp &
  grep -qs "$1" /proc/net/tcp6 || wait $!
}}
while in_use ":$(printf %04X $MASTER_PORT) "; do
  MASTER_PORT=$((MASTER_PORT + 1))
done
export MASTER_PORT
{last}
"""


def ranks(order: Order, folder: str, news: str, runner: str) -> str:
    """The script that starts the ranks of a node; `news` is the file that says that the first of them runs."""
    here, count = shlex.quote(folder), order.processes_per_node
    work = f"{folder.rsplit('/', 1)[0]}/work"
    return f"""\
trap '' TERM
case "$SLURMD_NODENAME" in
{_node_ranks(order)}
esac
# shells let what they start in the background ignore Ctrl-C, which no rank should inherit
DEFAULT=--default-signal=INT,QUIT
env $DEFAULT true 2>/dev/null || DEFAULT=
rank() {{
  {{
    trap - TERM
    cd {shlex.quote(order.directory or work)} || exit 126
    exec env $DEFAULT {_environment(order, folder, work)} {_words(order.command)}
  }} </dev/null >>{here}/rank-$RANK.log 2>&1 3>&- &
  echo "pid $RANK $!" >&3
  wait $!
  echo "end $RANK $?" >&3
}}
{{
  LOCAL_RANK=0
  while [ $LOCAL_RANK -lt {count} ]; do
    RANK=$((NODE_RANK * {count} + LOCAL_RANK))
    rank &
    LOCAL_RANK=$((LOCAL_RANK + 1))
  done
  [ "$NODE_RANK" != 0 ] || : >{shlex.quote(news)}
  wait  # some sites let Slurm find a job's processes by their parents: none may lose its own
}} 3>&1 >/dev/null | {runner} ranks {here} "$NODE_RANK" {count}
"""


def _node_ranks(order: Order) -> str:
    nodes = enumerate(zip(order.nodes, order.fleet_nodes, strict=True))
    return "\n".join(
        f"  {shlex.quote(slurm)}) NODE_RANK={rank} GRIDHALL_NODE={shlex.quote(fleet)} ;;"
        for rank, (slurm, fleet) in nodes
    )


def _environment(order: Order, folder: str, work: str) -> str:
    """Assignments for env(1), where the last of a name counts: the order's, then what nobody may override."""
    base = {"HOME": work, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    own = {
        "MASTER_ADDR": order.master,
        "WORLD_SIZE": str(order.processes_per_node * len(order.nodes)),
        "LOCAL_WORLD_SIZE": str(order.processes_per_node),
        "NNODES": str(len(order.nodes)),
        "GRIDHALL_JOB": str(order.job),
        "GRIDHALL_ATTEMPT": str(order.attempt),
        "GRIDHALL_SITE": order.site,
        "GRIDHALL_CHECKPOINT_DIR": f"{folder.rsplit('/', 1)[0]}/checkpoints",
        "GRIDHALL_SAVED_MS": str(order.saved_ms),
    }
    there = ("RANK", "LOCAL_RANK", "NODE_RANK", "GRIDHALL_NODE", "MASTER_PORT", "CUDA_VISIBLE_DEVICES")
    expanded = " ".join(f'{name}="${name}"' for name in there)
    return f"{_assignments(base | order.environment | own)} {expanded}"


def _assignments(variables: Mapping[str, str]) -> str:
    return _words([f"{name}={text}" for name, text in variables.items()])


def _words(words: Sequence[str]) -> str:
    return " ".join(map(shlex.quote, words))
