"""Jobs as the core sees them: one slot a job that is queued or running, reused when it is done.

A gang's nodes are a list of chunks (rack, mask of nodes); 8,192 GPUs are about 114 chunks and not 2,048 node numbers.
"""

from gridhall.kernel import Columns, column, kernel, trailing_zeros

FREE = 0
QUEUED = 1
RUNNING = 2
STOPPING = 3
"""Told to stop for higher work; its nodes are still its own."""

# Why a job waits. The numbers are part of the run folder's tables.
R_NONE = 0
R_UNCONSIDERED = 1
R_QUOTA = 2
R_PLACES = 3
R_NOT_READY = 4
R_CAPACITY = 5
R_TOPOLOGY = 6
R_POWER = 7
R_HELD = 8
R_SPARES = 9
R_SHARED_FULL = 10
R_BACKOFF = 11
R_CLOSED = 12
R_BUDGET = 13
R_CONSTRAINT = 14
R_NEVER_MET = 15
REASONS = (
    "none",
    "not yet considered: work ahead of it was tried first",
    "quota: the project or its organisation is at its limit",
    "no allowed place has this hardware",
    "its allowed sites are not ready yet",
    "capacity: too few free GPUs where it may run",
    "topology: GPUs are free but too scattered",
    "power: a limit above every free rack would be broken",
    "a time reservation is made; it starts when the last node falls free",
    "the free nodes are kept as spares for failures",
    "shared GPUs are full",
    "it waits after repeated failures without progress",
    "closed: its project or organisation takes no more work",
    "budget: its project's money or allowance is used up; nothing of it starts",
    "placement constraint: nodes are free, but not together or apart as it asks",
    "placement constraint: no allowed place could ever meet it",
)


class JobColumns(Columns):
    """Sizes: slots, slot_words, chunks. Times in ms, watts per GPU, masks of cells."""

    job_state = column("slots")
    job_id = column("slots")
    job_project = column("slots")
    job_user = column("slots")
    job_name = column("slots")
    job_priority = column("slots")
    job_preemptible = column("slots")
    job_tier = column("slots")
    job_gpus = column("slots")
    job_gpus_per_node = column("slots")
    job_least_gpus = column("slots")  # what it is charged where it takes the fewest GPUs
    job_gpu_milli = column("slots")
    job_cpu_milli = column("slots")
    job_mem_mib = column("slots")
    job_cells = column("slots")
    job_limit_ms = column("slots")
    job_power_milli = column("slots")
    job_checkpoint_ms = column("slots")
    job_checkpoint_cost_ms = column("slots")
    job_deadline_ms = column("slots")
    job_pack_level = column("slots")  # 1 rack, 2 pod, 3 hall, 4 site: the gang lies inside one; 0 = free
    job_min_domains = column("slots")  # least number of its racks
    job_max_skew = column("slots")  # most that its nodes in two of its racks differ by; 0 = free
    job_best_effort = column("slots")  # 1 = it runs as usual where that cannot be met
    job_submit_ms = column("slots")
    job_key = column("slots")
    job_median_ms = column("slots")  # predicted run time, median
    job_high_ms = column("slots")  # predicted run time, upper quantile
    job_reason = column("slots")
    job_hold = column("slots")  # hold + 1
    job_plan_ms = column("slots")  # no new plan for a hold before this time
    job_not_before_ms = column("slots")
    job_attempt = column("slots")
    job_restarts = column("slots")
    job_stuck = column("slots")  # restarts in a row without progress
    job_saved_ms = column("slots")  # work saved by its last checkpoint
    job_start_ms = column("slots")  # of this attempt
    job_cell = column("slots")
    job_nodes = column("slots")
    job_node_gpus = column("slots")  # GPUs on each of its nodes
    job_node_w = column("slots")  # watts above idle charged on each of its nodes
    job_chunk = column("slots")  # first chunk + 1
    job_gpu_mask = column("slots")  # of its one node, where it has only part of it
    job_charged_gpus = column("slots")  # GPUs counted against its quota
    slot_bits = column("slot_words", derived=True)  # bit = the slot is taken
    slots_taken = column(1)
    chunk_rack = column("chunks")
    chunk_mask = column("chunks")
    chunk_next = column("chunks")
    chunk_free = column(1)  # first unused chunk + 1


@kernel
def take_slot(w: JobColumns, slots: int) -> int:
    """The lowest unused slot, or -1 when all are taken."""
    for word in range((slots + 31) >> 5):
        free = ~w.slot_bits[word] & 0xFFFFFFFF
        if free != 0:
            slot = (word << 5) + trailing_zeros(free)
            if slot >= slots:
                return -1
            w.slot_bits[word] |= 1 << (slot & 31)
            w.slots_taken[0] += 1
            return slot
    return -1


@kernel
def drop_slot(w: JobColumns, slot: int) -> None:
    """Give a slot back."""
    w.slot_bits[slot >> 5] &= ~(1 << (slot & 31))
    w.job_state[slot] = FREE
    w.slots_taken[0] -= 1


@kernel
def new_chunk(w: JobColumns, rack: int, mask: int, following: int) -> int:
    """A chunk in front of the list `following`; returns chunk + 1."""
    place = w.chunk_free[0] - 1
    w.chunk_free[0] = w.chunk_next[place]
    w.chunk_rack[place] = rack
    w.chunk_mask[place] = mask
    w.chunk_next[place] = following
    return place + 1


@kernel
def drop_chunks(w: JobColumns, first: int) -> None:
    """Give a list of chunks back."""
    at = first
    while at != 0:
        following = w.chunk_next[at - 1]
        w.chunk_next[at - 1] = w.chunk_free[0]
        w.chunk_free[0] = at
        at = following


@kernel
def put_in_chunks(w: JobColumns, first: int, rack: int, mask: int) -> int:
    """Add nodes of a rack to a list: to its chunk of that rack, or in a new one in front. Returns the list."""
    at = first
    while at != 0 and w.chunk_rack[at - 1] != rack:
        at = w.chunk_next[at - 1]
    if at == 0:
        return new_chunk(w, rack, mask, first)
    w.chunk_mask[at - 1] |= mask
    return first


@kernel
def take_from_chunks(w: JobColumns, first: int, rack: int, mask: int) -> int:
    """Take nodes of a rack out of a list; a chunk that is empty then is given back. Returns the list."""
    at = first
    before = 0
    while at != 0 and w.chunk_rack[at - 1] != rack:
        before = at
        at = w.chunk_next[at - 1]
    if at == 0:
        return first
    w.chunk_mask[at - 1] &= ~mask
    if w.chunk_mask[at - 1] != 0:
        return first
    following = w.chunk_next[at - 1]
    w.chunk_next[at - 1] = 0
    drop_chunks(w, at)
    if before == 0:
        return following
    w.chunk_next[before - 1] = following
    return first
