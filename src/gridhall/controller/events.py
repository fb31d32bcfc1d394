"""What can happen: events, as rows of EVENT_WIDTH integers.

    kind, time_ms, then the fields of the kind

| kind | fields |
|---|---|
| SUBMIT | job_id, project, user, name, priority, preemptible, tier, gpus, gpus_per_node, gpu_milli, cpu_milli, |
| | mem_mib, mask of allowed cells, limit_ms, power_milli, checkpoint_ms, checkpoint_cost_ms, deadline_ms, |
| | pack_level, min_domains, max_skew, best_effort |
| ENDED | slot, attempt, final state, run time in ms of useful work in all, job_id |
| STOPPED | slot, attempt, work saved in ms, 0, job_id |
| LOST | slot, attempt, work saved in ms, 0, job_id: the gang died with a node |
| NODE_DOWN, NODE_UP, NODE_OUT | node (OUT: retired; takes no new work) |
| TICK | nothing: a wake-up that was asked for is due |
| LIMIT | power node, limit in W |
| RESERVE | project, mask of cells, nodes, from ms, until ms |
| CANCEL | slot, job_id |
| GROW | slots: the state has room for so many jobs from here on; written in recordings only, never fed to `step` |

Events about an attempt that is no longer current change nothing: engines may repeat themselves or be late.
"""

SUBMIT = 1
ENDED = 2
STOPPED = 3
LOST = 4
NODE_DOWN = 5
NODE_UP = 6
NODE_OUT = 7
TICK = 8
LIMIT = 9
RESERVE = 10
CANCEL = 11
GROW = 12

EVENT_NAMES = (
    "",
    "submit",
    "ended",
    "stopped",
    "lost",
    "node-down",
    "node-up",
    "node-out",
    "tick",
    "limit",
    "reserve",
    "cancel",
    "grow",
)
EVENT_WIDTH = 24
"""Integers in one event row."""
