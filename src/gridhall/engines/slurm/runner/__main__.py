"""What Slurm starts on the nodes: it starts the ranks and writes down when they began and how they ended.

It stands alone (standard library, Python 3.8 or newer) and is copied into the shared folder. `lead FOLDER` is the batch
script: it claims the attempt, so that of two Slurm jobs for one attempt only the first does anything; runs the ranks
itself on a single node, or has srun start `node FOLDER` on every node; and writes the end.

Slurm sends SIGTERM to the runner and to its ranks alike, so the runner only takes note of it. The runner keeps the time
limit, not counting the time in which the gang was suspended, and kills its ranks when a later attempt of the job has
been started elsewhere.

A user waits for what happens before the first rank runs. So nothing is imported before that which takes milliseconds:
no json, socket, signal or typing.
"""

from __future__ import annotations

import sys

import lead
import node

sys.exit({"lead": lead.main, "node": node.main}[sys.argv[1]](sys.argv[2]))
