"""What watches the ranks on the nodes: it writes down how they ended, and ends them where that is necessary.

It stands alone (standard library, Python 3.8 or newer) and is copied into the shared folder. `ranks FOLDER NODE COUNT`
hears from a node's script about the ranks that it has started; on a single node it writes the attempt's end. `lead
FOLDER` is the batch script of a gang over several nodes: it has srun start that script on each, and writes the end
from what they said.

Slurm sends SIGTERM to the runner and to its ranks alike, so the runner only takes note of it. The runner keeps the time
limit, not counting the time in which the gang was suspended, keeps the grace of a stop, and kills its ranks when a
later attempt of the job has been started elsewhere.
"""

from __future__ import annotations

import sys

import lead
import ranks

sys.exit({"lead": lead.main, "ranks": ranks.main}[sys.argv[1]](*sys.argv[2:]))
