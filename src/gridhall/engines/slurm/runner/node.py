"""One node of a gang over several nodes, started there by srun."""

from __future__ import annotations

import os

from attempt import Attempt, write_numbers
from ranks import Ranks


def main(folder: str) -> int:
    """Run this node's ranks. Only a failure may end the other nodes: of a stop or a time limit they hear themselves."""
    mine = Attempt(folder)
    rank = mine.nodes.index(os.environ["SLURMD_NODENAME"])
    ranks = Ranks(mine, rank)
    result = ranks.run()
    write_numbers(mine.node_result(rank), result)
    return 1 if result["exit_code"] and not ranks.told and not ranks.timed_out else 0
