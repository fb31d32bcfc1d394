"""The shared-GPU pool's columns, and the score of a node for a pod: fragmentation, its growth, the cache of scores.

`sharing.py` tells the story and has the calls that others use.
"""

from gridhall.fleet.arrays import MAX_GPUS_PER_NODE
from gridhall.kernel import Columns, column, kernel

STRIDE = MAX_GPUS_PER_NODE
POOL_STEP_MILLI = 0
POOL_ROUND_MILLI = 1
POOL_STRANDED_MILLI = 2
POOL_ORDER_SEED = 3
NEVER = 1 << 60
"""The score of a node that a pod does not fit on."""
BILLION = 1_000_000_000
STEP_ZERO = 1 << 30
"""Keeps scores positive; growth is far smaller (16 GPUs are 16,000 milli)."""
WAYS = 8
"""Slots of the cache where one kind of pod may stand."""
LOG = 4096
"""Changes that the log remembers; a kind not seen for longer is scored anew on every node."""


class SharingColumns(Columns):
    """State of the pool. Pool nodes are numbered in the fixed order that settles ties."""

    pool_policy = column(4)  # POOL_STEP_MILLI, POOL_ROUND_MILLI, POOL_STRANDED_MILLI, POOL_ORDER_SEED
    pool_count = column(1)  # nodes in the pool
    pool_of_node = column("pool_fleet_nodes")  # pool node of a fleet node, -1 = not in the pool
    pool_node = column("pool_nodes")  # fleet node
    pool_cell = column("pool_nodes")
    pool_gpus = column("pool_nodes")  # GPUs that the node has
    pool_up = column("pool_nodes")
    pool_cpu = column("pool_nodes")  # free, 1/1000 core
    pool_mem = column("pool_nodes")  # free, MiB
    pool_free = column("pool_nodes", STRIDE)  # free share of each GPU, per mille
    pool_type_count = column(1)
    pool_type_cpu = column("pool_types")
    pool_type_milli = column("pool_types")
    pool_type_gpus = column("pool_types")
    pool_type_cells = column("pool_types")
    pool_type_share = column("pool_types")  # per billion
    pool_cpu_per_gpu = column(1)  # what typical pods want, 1/1000 core for a whole GPU; 0 = unknown
    pool_slot_count = column(1)  # kinds of pods whose scores are kept
    pool_try = column(STRIDE, derived=True)  # scratch: the free shares of the node in question
    pool_slot_seen = column("pool_slots", derived=True)  # 1 + the change up to which the scores are fresh; 0 = empty
    pool_slot_used = column("pool_slots", derived=True)  # when last used
    pool_slot_cells = column("pool_slots", derived=True)
    pool_slot_cpu = column("pool_slots", derived=True)
    pool_slot_mem = column("pool_slots", derived=True)
    pool_slot_milli = column("pool_slots", derived=True)
    pool_slot_gpus = column("pool_slots", derived=True)
    pool_key = column("pool_slots", "pool_nodes", derived=True)  # steps of growth, then the node's number; or NEVER
    pool_clock = column(1, derived=True)  # decisions so far, for `pool_slot_used`
    pool_changes = column(1, derived=True)  # changes so far
    pool_changed = column("pool_nodes", derived=True)  # a node's latest change
    pool_log = column(LOG, derived=True)  # ring: the node of each change


@kernel
def load_gpus(w: SharingColumns, node: int) -> None:
    """Copy a node's free shares to the scratch column."""
    for gpu in range(w.pool_gpus[node]):
        w.pool_try[gpu] = w.pool_free[node * STRIDE + gpu]


@kernel
def fragmentation(w: SharingColumns, node: int, cpu_milli: int) -> int:
    """Free GPU share (milli, times a billion) that typical pods could not use on a node with the free shares in
    `pool_try` and so much free CPU, and the weighted share that would be stranded for want of CPU."""
    gpus = w.pool_gpus[node]
    cell = w.pool_cell[node]
    total = 0
    for gpu in range(gpus):
        total += w.pool_try[gpu]
    if total == 0:
        return 0
    result = 0
    wanted = w.pool_cpu_per_gpu[0]
    if wanted > 0:
        stranded = max(0, total - cpu_milli * 1000 // wanted)
        result = stranded * w.pool_policy[POOL_STRANDED_MILLI] * (BILLION // 1000)
    last_milli = -1
    roomy = 0  # GPUs with room for this kind's share
    narrow = 0  # free share on the others
    for kind in range(w.pool_type_count[0]):
        milli = w.pool_type_milli[kind]
        if milli != last_milli:
            last_milli = milli
            roomy = 0
            narrow = 0
            for gpu in range(gpus):
                free = w.pool_try[gpu]
                if free >= milli:
                    roomy += 1
                else:
                    narrow += free
        number = w.pool_type_gpus[kind]
        usable = number > 0 and roomy >= number and w.pool_type_cpu[kind] <= cpu_milli
        if usable and (w.pool_type_cells[kind] >> cell) & 1 == 1:
            result += w.pool_type_share[kind] * narrow
        else:
            result += w.pool_type_share[kind] * total
    return result


@kernel
def growth_steps(w: SharingColumns, before: int, after: int) -> int:
    """Growth of fragmentation in the policy's steps."""
    rounding = w.pool_policy[POOL_ROUND_MILLI] * BILLION
    return (after - before + rounding) // (w.pool_policy[POOL_STEP_MILLI] * BILLION)


@kernel
def best_gpu(w: SharingColumns, node: int, cpu_milli: int, gpu_milli: int, before: int) -> int:
    """The GPU on which one share makes fragmentation grow least, as steps of growth * STRIDE + GPU; or NEVER.

    `pool_try` holds the free shares; `cpu_milli` is the free CPU afterwards. The lowest number wins a tie.
    """
    best = NEVER
    last = -1
    for gpu in range(w.pool_gpus[node]):
        free = w.pool_try[gpu]
        if free >= gpu_milli and free != last:
            last = free
            w.pool_try[gpu] = free - gpu_milli
            coded = growth_steps(w, before, fragmentation(w, node, cpu_milli)) * STRIDE + gpu
            w.pool_try[gpu] = free
            if coded < best:
                best = coded
    return best


@kernel
def tightest_gpus(w: SharingColumns, node: int, gpu_milli: int, gpus: int) -> int:
    """Bit mask of the `gpus` GPUs with the least, but enough, free share in `pool_try`; 0 when there are too few."""
    mask = 0
    for _ in range(gpus):
        best = -1
        for gpu in range(w.pool_gpus[node]):
            free = w.pool_try[gpu]
            if free >= gpu_milli and (mask >> gpu) & 1 == 0 and (best < 0 or free < w.pool_try[best]):
                best = gpu
        if best < 0:
            return 0
        mask |= 1 << best
    return mask


@kernel
def steps_on(w: SharingColumns, node: int, cpu_milli: int, gpu_milli: int, gpus: int) -> int:
    """By how many steps a pod makes a node's fragmentation grow, or NEVER when its GPUs lack room."""
    load_gpus(w, node)
    before = fragmentation(w, node, w.pool_cpu[node])
    left = w.pool_cpu[node] - cpu_milli
    if gpus == 1:
        coded = best_gpu(w, node, left, gpu_milli, before)
        return NEVER if coded == NEVER else coded // STRIDE
    mask = tightest_gpus(w, node, gpu_milli, gpus)
    if mask == 0 and gpus > 0:
        return NEVER
    for gpu in range(w.pool_gpus[node]):
        w.pool_try[gpu] -= gpu_milli * ((mask >> gpu) & 1)
    return growth_steps(w, before, fragmentation(w, node, left))


@kernel
def score_node(w: SharingColumns, slot: int, node: int) -> None:
    """Work out a node's key for the kind of pod in a slot: the growth in steps, then the node's number."""
    count = w.pool_count[0]
    key = NEVER
    fits = w.pool_slot_cpu[slot] <= w.pool_cpu[node] and w.pool_slot_mem[slot] <= w.pool_mem[node]
    if fits and w.pool_up[node] == 1 and (w.pool_slot_cells[slot] >> w.pool_cell[node]) & 1 == 1:
        steps = steps_on(w, node, w.pool_slot_cpu[slot], w.pool_slot_milli[slot], w.pool_slot_gpus[slot])
        if steps < NEVER:
            key = (steps + STEP_ZERO) * count + node
    w.pool_key[slot * count + node] = key


@kernel
def find_slot(w: SharingColumns, cells: int, cpu_milli: int, mem_mib: int, gpu_milli: int, gpus: int) -> int:
    """The slot of a kind of pod; a new kind takes the least recently used of the WAYS slots where it may stand."""
    slots = w.pool_slot_count[0]
    first = (((cpu_milli * 31 + mem_mib) * 31 + gpu_milli) * 31 + gpus + cells % 1_000_003 * 977) % slots
    oldest = first
    for way in range(WAYS):
        slot = (first + way) % slots
        same = w.pool_slot_used[slot] > 0 and w.pool_slot_cells[slot] == cells and w.pool_slot_cpu[slot] == cpu_milli
        same = same and w.pool_slot_mem[slot] == mem_mib and w.pool_slot_milli[slot] == gpu_milli
        if same and w.pool_slot_gpus[slot] == gpus:
            return slot
        if w.pool_slot_used[slot] < w.pool_slot_used[oldest]:
            oldest = slot
    w.pool_slot_seen[oldest] = 0
    w.pool_slot_cells[oldest] = cells
    w.pool_slot_cpu[oldest] = cpu_milli
    w.pool_slot_mem[oldest] = mem_mib
    w.pool_slot_milli[oldest] = gpu_milli
    w.pool_slot_gpus[oldest] = gpus
    return oldest


@kernel
def refresh_slot(w: SharingColumns, slot: int) -> None:
    """Bring a slot's keys up to date: the nodes changed since it was last seen, or all of them."""
    changes = w.pool_changes[0]
    seen = w.pool_slot_seen[slot] - 1
    if seen < 0 or changes - seen > LOG:
        for node in range(w.pool_count[0]):
            score_node(w, slot, node)
    else:
        for change in range(seen, changes):
            node = w.pool_log[change % LOG]
            if w.pool_changed[node] == change:  # else a later entry of the log has it
                score_node(w, slot, node)
    w.pool_slot_seen[slot] = changes + 1
    w.pool_clock[0] += 1
    w.pool_slot_used[slot] = w.pool_clock[0]


@kernel
def note_change(w: SharingColumns, node: int) -> None:
    """Enter a changed node in the log."""
    change = w.pool_changes[0]
    w.pool_log[change % LOG] = node
    w.pool_changed[node] = change
    w.pool_changes[0] = change + 1
