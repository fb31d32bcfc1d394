"""Slurm as an engine: one cluster is one site.

`engine` keeps the protocol. What goes to Slurm is written by `submission` and `script`, what comes back is read by
`answers`, and `verdict` decides what that means for an attempt; these are pure. `rest` and `command` reach the cluster,
`folder` keeps what must outlive the controller in the site's shared folder, `book` the attempts, `poller` watches. On
the nodes the scripts start the ranks, and `runner`, a small program, watches them and writes down how they ended.

Slurm's own memory of a finished job is short (MinJobAge) and its answers are a second old; the shared folder is
therefore the first source for begins and ends, and Slurm the first source for everything that the runner cannot say:
a node that died, a job that was cancelled, a node that takes no work.
"""

from gridhall.engines.slurm.engine import SlurmEngine
from gridhall.engines.slurm.settings import SlurmSettings

__all__ = ["SlurmEngine", "SlurmSettings"]
