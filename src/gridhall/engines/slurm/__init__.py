"""Slurm as an engine: one cluster is one site.

`engine` keeps the protocol. What goes to Slurm is written by `submission`, what comes back is read by `answers`, and
`verdict` decides what that means for an attempt; these three are pure. `rest` and `command` reach the cluster, `folder`
keeps what must outlive the controller in the site's shared folder, `poller` watches. `runner` is the small program that
Slurm starts on the nodes: it starts the ranks, and writes down when they began and how they ended.

Slurm's own memory of a finished job is short (MinJobAge) and its answers are a second old; the shared folder is
therefore the first source for begins and ends, and Slurm the first source for everything that the runner cannot say:
a node that died, a job that was cancelled, a node that takes no work.
"""

from gridhall.engines.slurm.engine import SlurmEngine
from gridhall.engines.slurm.settings import SlurmSettings

__all__ = ["SlurmEngine", "SlurmSettings"]
