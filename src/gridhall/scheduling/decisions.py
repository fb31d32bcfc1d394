"""What the core decides, written down as rows of eight integers: the effects of the one contract.

    kind, time_ms, job_id, slot, attempt, a, b, c

| kind | a, b, c |
|---|---|
| ACCEPT | the slot is the job's until DONE |
| REFUSE | a = reason it can never run |
| START | a = cell, b = nodes, c = level * 8 + cause (0 fresh, 1 again, 2 in place after a swap); PLACE rows follow |
| PLACE | a = rack, b = mask of nodes, c = mask of GPUs on each node |
| STOP | a = why (1 pre-empted, 2 cancelled, 3 reservation, 4 drained node, 5 budget); write a checkpoint if it can, |
| | then answer STOPPED |
| RELEASE | the engine may forget this attempt: its nodes are free |
| DONE | a = final state, b = restarts; the slot is unused from here on |
| HOLD | a = cell, b = time at which it is expected to start, c = nodes. For a reservation: job -1, slot = its number, |
| | attempt = nodes that it lacks; told again whenever that changes |
| WAKE | a = time at which a TICK event is wanted |
| SET | slot = owner, attempt = its level (0 organisation, 1 project), a = kind of the event that set something, |
| | b = its new version (0 where there are none) |
| UNSET | as SET, nothing was changed: b = the version that stands, c = why (index of UNSET_REASONS) |
| PAUSE | a = power node of the feed whose target asks for it; stop every process where it stands, then answer PAUSED |
| RESUME | a = why (1 room below the target, 2 its allowance is used up, 3 its deadline, 4 its engine did not pause it |
| | in time, or let it go on unasked); let it go on, then answer RESUMED. A STOP ends a pause too |

A running digest covers every row, so that two runs that decided the same say so in sixteen hexadecimal digits.
"""

from gridhall.kernel import Columns, column, kernel

ACCEPT = 1
REFUSE = 2
START = 3
PLACE = 4
STOP = 5
RELEASE = 6
DONE = 7
HOLD = 8
WAKE = 9
SET = 10
UNSET = 11
PAUSE = 12
RESUME = 13

EFFECT_NAMES = (
    "",
    "accept",
    "refuse",
    "start",
    "place",
    "stop",
    "release",
    "done",
    "hold",
    "wake",
    "set",
    "unset",
    "pause",
    "resume",
)
EFFECT_WIDTH = 8
FNV_PRIME = 16777619

# final states of a job, as in the run folder's tables
S_QUEUED = 0
S_RUNNING = 1
S_COMPLETED = 2
S_FAILED = 3
S_CANCELLED = 4
S_TIMEOUT = 5
S_REFUSED = 6
S_CRASH_LOOP = 7

WHY_PREEMPTED = 1
WHY_CANCELLED = 2
WHY_RESERVATION = 3
WHY_DRAIN = 4
WHY_BUDGET = 5

WHY_ROOM = 1
WHY_ALLOWANCE = 2
WHY_DEADLINE = 3
WHY_ENGINE = 4

# why nothing was set
U_UNKNOWN = 1
U_VERSION = 2
U_IN_USE = 3
U_NO_ROOM = 4
U_VALUE = 5
UNSET_REASONS = (
    "",
    "there is no such organisation or project",
    "it was changed since: another version stands",
    "running work is using more than that, and it could not be borrowed",
    "the state has no room for one more",
    "a value is out of its bounds",
)

# counters of what decided
N_QUOTA = 0
N_PLACES = 1
N_POWER = 2
N_PREEMPT = 3
N_FAILURE = 4
N_RESERVATION = 5
N_SWAP = 6
N_BACKFILL_HELD = 7
N_STARTS = 8
N_HOLDS = 9
N_PASSES = 10
N_TRIES = 11
N_BREACH = 12
N_SPARES = 13
N_TOPOLOGY = 14
N_PLANS = 15
COUNTER_NAMES = (
    "quota",
    "places",
    "power",
    "preemption",
    "failure",
    "reservation",
    "swap",
    "backfill_in_hold",
    "starts",
    "holds",
    "passes",
    "tries",
    "breaches",
    "spares",
    "topology",
    "plans",
)


class DecisionColumns(Columns):
    """Size: effects (rows that one step may write)."""

    effects = column("effects", EFFECT_WIDTH, derived=True)
    effect_count = column(1, derived=True)
    effect_room = column(1)
    effect_digest = column(2)  # two lanes of 32 bits: FNV-1a over the low and high words
    decided = column(len(COUNTER_NAMES))


@kernel
def emit(
    w: DecisionColumns, kind: int, time_ms: int, job: int, slot: int, attempt: int, a: int, b: int, c: int
) -> None:
    """Write one effect and take it into the digest."""
    base = w.effect_count[0] * EFFECT_WIDTH
    w.effect_count[0] += 1
    w.effects[base] = kind
    w.effects[base + 1] = time_ms
    w.effects[base + 2] = job
    w.effects[base + 3] = slot
    w.effects[base + 4] = attempt
    w.effects[base + 5] = a
    w.effects[base + 6] = b
    w.effects[base + 7] = c
    low = w.effect_digest[0]
    high = w.effect_digest[1]
    for place in range(EFFECT_WIDTH):
        value = w.effects[base + place]
        low = ((low ^ (value & 0xFFFFFFFF)) * FNV_PRIME) & 0xFFFFFFFF
        high = ((high ^ low ^ ((value >> 32) & 0xFFFFFFFF)) * FNV_PRIME) & 0xFFFFFFFF
    w.effect_digest[0] = low
    w.effect_digest[1] = high
