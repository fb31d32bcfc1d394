"""What can happen: events, as rows of EVENT_WIDTH integers.

    kind, time_ms, then the fields of the kind

| kind | fields |
|---|---|
| SUBMIT | job_id, project, user, name, priority, preemptible, tier, gpus, gpus_per_node, gpu_milli, cpu_milli, |
| | mem_mib, mask of allowed cells, limit_ms, power_milli, checkpoint_ms, checkpoint_cost_ms, deadline_ms, |
| | pack_level, min_domains, max_skew, best_effort |
| ENDED | slot, attempt, final state, run time in ms of useful work in all, job_id |
| STOPPED | slot, attempt, work saved in ms, 0, job_id |
| LOST | slot, attempt, work saved in ms, 0, job_id: the gang died with a node, or could not be started |
| NODE_DOWN, NODE_UP, NODE_OUT | node (OUT: retired; takes no new work, and is gone when it has none) |
| TICK | nothing: a wake-up that was asked for is due |
| LIMIT | power node, limit in W |
| RESERVE | project, mask of cells, nodes, from ms, until ms |
| CANCEL | slot, job_id |
| GROW | slots: the state has room for so many jobs from here on; written in recordings only, never fed to `step` |
| TENANT | level, owner, organisation of a project, weight (0 = closed: takes no more work): makes the next |
| | organisation or project, or sets its weight |
| QUOTA | level, owner, expected version, nominal GPUs, most to borrow, most to lend (-1 = without limit) |
| CEILING | level, owner, kind (-1 watts above idle, else GPUs of this hardware type), expected version, |
| | most (-1 = none) |
| CORDON | node, 1 = it takes no new work, 0 = it does again; stays so whether it is down or up |
| DRAIN | node: it is cordoned, and all that runs on it is told to stop and waits for another turn |
| TARGET | power node of a feed, most IT watts that it may draw from now on (-1 = as its limit allows) |
| PAUSED, RESUMED | slot, attempt, 0, 0, job_id: the gang stands still on its nodes, or goes on |
| ABILITY | cell, bits of what its engine can do (1 = pause and resume) |
| STANDING | project, 0 open / 1 blocked: nothing of it starts / 2 blocked, and what is pre-emptible is stopped |

`level` is ORGANISATION or PROJECT, `owner` the index of one. TENANT, QUOTA, CEILING and STANDING are answered by SET or
UNSET.

SUBMIT's `pack_level` (1 rack, 2 pod, 3 hall, 4 site) keeps a gang inside one of these; `min_domains` spreads its nodes
over at least so many racks; in any two of its racks their number differs by at most `max_skew`; 0 = free. With
`best_effort` 1 it runs as usual where that cannot be met now. A gang with the second or the third gets no time
reservation: it waits its turn, and may use the spares when others would be given a hold.

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
TENANT = 13
QUOTA = 14
CEILING = 15
STANDING = 16
CORDON = 17
DRAIN = 18
TARGET = 19
PAUSED = 20
RESUMED = 21
ABILITY = 22

CAN_PAUSE = 1

ORGANISATION = 0
PROJECT = 1
OPEN = 0
BLOCKED = 1
STOPPED_FOR_BUDGET = 2

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
    "tenant",
    "quota",
    "ceiling",
    "standing",
    "cordon",
    "drain",
    "target",
    "paused",
    "resumed",
    "ability",
)
EVENT_WIDTH = 24
"""Integers in one event row."""
