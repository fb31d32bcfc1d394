"""The counter tree: which GPUs are free where, and how many watts are committed on every power ancestor.

Facts are per node (up, used GPUs, who holds it) and per power node (limit, committed watts). Everything else here is an
index over them: free nodes of a rack as bits of one word, counts per pod, hall and cell, and for every cell the set
of racks
with exactly c open nodes and the set of partly used nodes with exactly f free GPUs. The indexes are canonical: they
depend on the facts only, never on the order in which the facts came about.

A node is **free** when it is up, takes work and is unused, **held** while a time reservation keeps it, and **open**
when it is free and not held. Only open nodes stand in the sets.
"""

from gridhall.fleet.arrays import MAX_GPUS_PER_NODE, MAX_NODES_PER_RACK, MAX_POWER_PATH
from gridhall.kernel import Columns, column, count_ones, kernel, trailing_zeros

RACK_SETS = MAX_NODES_PER_RACK + 1
PART_SETS = MAX_GPUS_PER_NODE + 1
NEVER_MS = 1 << 60


class CapacityColumns(Columns):
    """Sizes: cells, halls, pods, racks, nodes, power, bit_words. See the module's story for the words."""

    # the fleet as it was compiled
    cell_site = column("cells")
    cell_hw = column("cells")
    cell_gpus_per_node = column("cells")
    cell_rack_size = column("cells")  # most nodes in one rack of the cell
    cell_node_idle_w = column("cells")  # one node that is up and does nothing
    cell_gpu_span_w = column("cells")  # one GPU's maximum minus its idle power
    cell_rack0 = column("cells_1")
    cell_hall0 = column("cells_1")
    hall_rack0 = column("halls_1")
    hall_pod0 = column("halls_1")
    pod_rack0 = column("pods_1")
    rack_cell = column("racks")
    rack_hall = column("racks")
    rack_pod = column("racks")
    rack_node0 = column("racks_1")
    rack_path = column("racks", MAX_POWER_PATH)
    node_rack = column("nodes")
    power_limit_w = column("power")
    # facts
    power_committed_w = column("power")
    node_up = column("nodes")
    node_out = column("nodes")  # retired: takes no new work, and leaves when it has none
    node_here = column("nodes")  # 1 = it has joined and not left: its idle watts are committed, also while it is down
    node_shares = column("nodes")  # jobs on it, where it is in the shared pool
    node_cordoned = column("nodes")  # an operator said so: takes no new work, whatever else becomes of it
    node_used = column("nodes")  # GPUs in use
    node_gpu_mask = column("nodes")  # which of them
    node_job = column("nodes")  # slot + 1 of the gang that has the whole node
    node_hold = column("nodes")  # hold + 1
    node_shared = column("nodes")  # 1 = its GPUs may be divided: it is in the shared pool, never open
    node_end_ms = column("nodes")  # latest predicted end of the work on it
    gpu_job = column("nodes", MAX_GPUS_PER_NODE)  # slot + 1 on partly used nodes
    # indexes
    rack_free = column("racks", derived=True)
    rack_open = column("racks", derived=True)
    rack_open_count = column("racks", derived=True)
    rack_held = column("racks", derived=True)
    rack_idle_held = column("racks", derived=True)  # nodes that are free and held
    idle_held = column(1, derived=True)  # the same over all racks
    pod_open = column("pods", derived=True)
    hall_open = column("halls", derived=True)
    cell_open = column("cells", derived=True)
    cell_nodes_up = column("cells", derived=True)
    cell_part_gpus = column("cells", derived=True)  # free GPUs on partly used nodes that are not held
    cell_used_gpus = column("cells", derived=True)
    cell_open_counts = column("cells", derived=True)  # bit c: some rack has exactly c open nodes
    cell_racks_with = column("cells", RACK_SETS, derived=True)  # racks with exactly c open nodes, c > 0
    cell_part_counts = column("cells", derived=True)  # bit f: some partly used node has exactly f free GPUs
    cell_rack_words = column("cells")  # words of one set of racks, lower and upper level
    cell_node_words = column("cells")
    cell_rack_bits0 = column("cells")  # first word of the cell's sets of racks
    cell_node_bits0 = column("cells")
    node_free_ms = column("nodes", derived=True)  # when it is expected to fall free: 0 = now, NEVER_MS = not to be had
    node_part = column("nodes", derived=True)  # the set that a partly used node stands in, 0 = none
    bits = column("bit_words", derived=True)


# --- sets of small numbers: 32 bits a word, one summary bit a word above --------------------------------------------


def set_words(members: int) -> int:
    """Words that one set needs: a bit a member, and a summary bit for each of those words."""
    lower = (members + 31) // 32
    return lower + (lower + 31) // 32


@kernel
def set_add(w: CapacityColumns, base: int, lower: int, member: int) -> int:
    """Put `member` into the set; 1 when the set was empty before."""
    word = member >> 5
    w.bits[base + word] |= 1 << (member & 31)
    w.bits[base + lower + (word >> 5)] |= 1 << (word & 31)
    return 0


@kernel
def set_drop(w: CapacityColumns, base: int, lower: int, member: int) -> int:
    """Take `member` out of the set; 1 when no member is left in its summary word."""
    word = member >> 5
    w.bits[base + word] &= ~(1 << (member & 31))
    if w.bits[base + word] == 0:
        w.bits[base + lower + (word >> 5)] &= ~(1 << (word & 31))
        return 1 if w.bits[base + lower + (word >> 5)] == 0 else 0
    return 0


@kernel
def set_next(w: CapacityColumns, base: int, lower: int, start: int) -> int:
    """The smallest member >= start, or -1."""
    word = start >> 5
    if word >= lower:
        return -1
    rest = w.bits[base + word] >> (start & 31)
    if rest != 0:
        return start + trailing_zeros(rest)
    word += 1
    upper = word >> 5
    uppers = (lower + 31) >> 5
    shift = word & 31
    while upper < uppers:
        rest = w.bits[base + lower + upper] >> shift
        if rest != 0:
            word = (upper << 5) + shift + trailing_zeros(rest)
            return (word << 5) + trailing_zeros(w.bits[base + word])
        upper += 1
        shift = 0
    return -1


# --- indexes follow facts -------------------------------------------------------------------------------------------


@kernel
def open_racks(w: CapacityColumns, cell: int, count: int, rack: int) -> int:
    """The first rack >= rack of the cell that has exactly `count` open nodes, or -1."""
    words = w.cell_rack_words[cell]
    lower = (w.cell_rack0[cell + 1] - w.cell_rack0[cell] + 31) >> 5
    found = set_next(w, w.cell_rack_bits0[cell] + count * words, lower, rack - w.cell_rack0[cell])
    return found + w.cell_rack0[cell] if found >= 0 else -1


@kernel
def part_nodes(w: CapacityColumns, cell: int, free: int, node: int) -> int:
    """The first node >= node of the cell that has exactly `free` free GPUs and is partly used, or -1."""
    first = w.rack_node0[w.cell_rack0[cell]]
    lower = (w.rack_node0[w.cell_rack0[cell + 1]] - first + 31) >> 5
    found = set_next(w, w.cell_node_bits0[cell] + free * w.cell_node_words[cell], lower, node - first)
    return found + first if found >= 0 else -1


@kernel
def refresh_rack(w: CapacityColumns, rack: int) -> None:
    """Bring the indexes of open nodes up to date after `rack_free` or `rack_held` changed."""
    idle = count_ones(w.rack_free[rack] & w.rack_held[rack])
    w.idle_held[0] += idle - w.rack_idle_held[rack]
    w.rack_idle_held[rack] = idle
    new = w.rack_free[rack] & ~w.rack_held[rack]
    if new == w.rack_open[rack]:
        return
    count = count_ones(new)
    w.rack_open[rack] = new
    old = w.rack_open_count[rack]
    if count == old:
        return
    w.rack_open_count[rack] = count
    cell = w.rack_cell[rack]
    w.pod_open[w.rack_pod[rack]] += count - old
    w.hall_open[w.rack_hall[rack]] += count - old
    w.cell_open[cell] += count - old
    words = w.cell_rack_words[cell]
    lower = (w.cell_rack0[cell + 1] - w.cell_rack0[cell] + 31) >> 5
    base = w.cell_rack_bits0[cell]
    member = rack - w.cell_rack0[cell]
    emptied = old > 0 and set_drop(w, base + old * words, lower, member) == 1
    if emptied and set_next(w, base + old * words, lower, 0) < 0:
        w.cell_open_counts[cell] &= ~(1 << old)
    w.cell_racks_with[cell * RACK_SETS + old] -= 1
    w.cell_racks_with[cell * RACK_SETS + count] += 1
    if count > 0:
        set_add(w, base + count * words, lower, member)
        w.cell_open_counts[cell] |= 1 << count


@kernel
def takes_work(w: CapacityColumns, node: int) -> bool:
    """Whether new work may go to a node, as far as its health and its operators are concerned."""
    return w.node_up[node] == 1 and w.node_out[node] == 0 and w.node_cordoned[node] == 0


@kernel
def refresh_part(w: CapacityColumns, node: int) -> None:
    """Bring the set of partly used nodes up to date after the node's use, health or hold changed."""
    cell = w.rack_cell[w.node_rack[node]]
    free = 0
    usable = takes_work(w, node) and w.node_hold[node] == 0 and w.node_shared[node] == 0
    if usable and w.node_used[node] > 0:
        free = w.cell_gpus_per_node[cell] - w.node_used[node]
    old = w.node_part[node]
    if free == old:
        return
    w.node_part[node] = free
    w.cell_part_gpus[cell] += free - old
    words = w.cell_node_words[cell]
    first = w.rack_node0[w.cell_rack0[cell]]
    lower = (w.rack_node0[w.cell_rack0[cell + 1]] - first + 31) >> 5
    base = w.cell_node_bits0[cell]
    emptied = old > 0 and set_drop(w, base + old * words, lower, node - first) == 1
    if emptied and set_next(w, base + old * words, lower, 0) < 0:
        w.cell_part_counts[cell] &= ~(1 << old)
    if free > 0:
        set_add(w, base + free * words, lower, node - first)
        w.cell_part_counts[cell] |= 1 << free


@kernel
def refresh_node(w: CapacityColumns, node: int) -> None:
    """Bring every index up to date after any fact of one node changed."""
    note_node(w, node)
    refresh_rack(w, w.node_rack[node])


@kernel
def note_node(w: CapacityColumns, node: int) -> None:
    """What `refresh_node` does but for the rack's indexes, which are to be refreshed after the last of its nodes."""
    rack = w.node_rack[node]
    bit = 1 << (node - w.rack_node0[rack])
    usable = takes_work(w, node) and w.node_shared[node] == 0
    if usable and w.node_used[node] == 0:
        w.rack_free[rack] |= bit
    else:
        w.rack_free[rack] &= ~bit
    if w.node_hold[node] != 0:
        w.rack_held[rack] |= bit
    else:
        w.rack_held[rack] &= ~bit
    if usable and w.node_hold[node] == 0:
        w.node_free_ms[node] = w.node_end_ms[node]
    else:
        w.node_free_ms[node] = NEVER_MS
    refresh_part(w, node)


# --- taking and giving ----------------------------------------------------------------------------------------------


@kernel
def take_nodes(w: CapacityColumns, rack: int, mask: int, slot: int, end_ms: int) -> None:
    """Give whole free nodes of one rack to a gang."""
    cell = w.rack_cell[rack]
    gpus = w.cell_gpus_per_node[cell]
    rest = mask
    while rest != 0:
        node = w.rack_node0[rack] + trailing_zeros(rest)
        rest &= rest - 1
        w.node_used[node] = gpus
        w.node_gpu_mask[node] = (1 << gpus) - 1
        w.node_job[node] = slot + 1
        w.node_end_ms[node] = end_ms
        if w.node_hold[node] == 0:
            w.node_free_ms[node] = end_ms
        w.cell_used_gpus[cell] += gpus
    w.rack_free[rack] &= ~mask
    refresh_rack(w, rack)


@kernel
def give_nodes(w: CapacityColumns, rack: int, mask: int) -> None:
    """Take whole nodes back from a gang."""
    cell = w.rack_cell[rack]
    free = 0
    rest = mask
    while rest != 0:
        bit = rest & -rest
        node = w.rack_node0[rack] + trailing_zeros(rest)
        rest &= rest - 1
        w.cell_used_gpus[cell] -= w.node_used[node]
        w.node_used[node] = 0
        w.node_gpu_mask[node] = 0
        w.node_job[node] = 0
        w.node_end_ms[node] = 0
        if w.node_out[node] != 0:
            leave_if_idle(w, node)
        elif takes_work(w, node):
            free |= bit
            if w.node_hold[node] == 0:
                w.node_free_ms[node] = 0
    w.rack_free[rack] |= free
    refresh_rack(w, rack)


@kernel
def take_gpus(w: CapacityColumns, node: int, count: int, slot: int, end_ms: int) -> int:
    """Give the lowest `count` free GPUs of a node to a job; returns their mask."""
    gpus = w.cell_gpus_per_node[w.rack_cell[w.node_rack[node]]]
    mask = 0
    left = count
    for gpu in range(gpus):
        if left > 0 and (w.node_gpu_mask[node] >> gpu) & 1 == 0:
            mask |= 1 << gpu
            w.gpu_job[node * MAX_GPUS_PER_NODE + gpu] = slot + 1
            left -= 1
    w.node_gpu_mask[node] |= mask
    w.node_used[node] += count
    w.cell_used_gpus[w.rack_cell[w.node_rack[node]]] += count
    w.node_end_ms[node] = max(w.node_end_ms[node], end_ms)
    refresh_node(w, node)
    return mask


@kernel
def give_gpus(w: CapacityColumns, node: int, mask: int) -> None:
    """Take GPUs of one node back from a job."""
    rest = mask
    while rest != 0:
        w.gpu_job[node * MAX_GPUS_PER_NODE + trailing_zeros(rest)] = 0
        rest &= rest - 1
        w.node_used[node] -= 1
        w.cell_used_gpus[w.rack_cell[w.node_rack[node]]] -= 1
    w.node_gpu_mask[node] &= ~mask
    if w.node_used[node] == 0:
        w.node_end_ms[node] = 0
        leave_if_idle(w, node)
    refresh_node(w, node)


# --- nodes come and go ----------------------------------------------------------------------------------------------


@kernel
def set_node_up(w: CapacityColumns, node: int, up: int) -> None:
    """A node becomes usable or is lost."""
    if w.node_up[node] != up:
        w.node_up[node] = up
        w.cell_nodes_up[w.rack_cell[w.node_rack[node]]] += 1 if up == 1 else -1
    refresh_node(w, node)


@kernel
def join(w: CapacityColumns, node: int) -> None:
    """A node comes up. The first time its idle watts join every ancestor; they stay there while it is repaired."""
    w.node_out[node] = 0
    if w.node_here[node] == 0:
        w.node_here[node] = 1
        commit_watts(w, w.node_rack[node], w.cell_node_idle_w[w.rack_cell[w.node_rack[node]]])
    set_node_up(w, node, 1)


@kernel
def leave_if_idle(w: CapacityColumns, node: int) -> None:
    """A retired node without work is gone, and its idle watts with it."""
    if w.node_out[node] == 0 or w.node_here[node] == 0 or w.node_used[node] > 0 or w.node_shares[node] > 0:
        return
    w.node_here[node] = 0
    commit_watts(w, w.node_rack[node], -w.cell_node_idle_w[w.rack_cell[w.node_rack[node]]])
    set_node_up(w, node, 0)


@kernel
def commit_watts(w: CapacityColumns, rack: int, watts: int) -> None:
    """Charge watts to every power ancestor of a rack (negative gives them back)."""
    for step in range(MAX_POWER_PATH):
        above = w.rack_path[rack * MAX_POWER_PATH + step]
        if above < 0:
            return
        w.power_committed_w[above] += watts


@kernel
def watts_left(w: CapacityColumns, rack: int) -> int:
    """Watts that may still be committed in a rack: the least over all of its power ancestors."""
    left = 1 << 60
    for step in range(MAX_POWER_PATH):
        above = w.rack_path[rack * MAX_POWER_PATH + step]
        if above < 0:
            break
        left = min(left, w.power_limit_w[above] - w.power_committed_w[above])
    return left
