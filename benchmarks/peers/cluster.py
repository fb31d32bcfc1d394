"""A fleet without topology, for the peers: cells of equal nodes, whole nodes as counts, part-used nodes in buckets.

A cell is one hardware type at one site. Nodes of a cell are alike and nothing is known of racks, so a gang only needs a
number of whole free nodes of one cell: the count `free_nodes` is enough. Nodes that are shared by several jobs are
`open`: they stand in a list by their number of free GPUs, and a job that fits one node takes the open node with the
fewest sufficient free GPUs (best fit), or opens a free one. A shared GPU is a slot of its node with a remainder.

What peers may ignore and the real scheduler may not: power limits, quotas, fair share, priorities, failures, racks,
which racks allow sharing, and when racks come on line.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gridhall.fleet.arrays import FleetArrays
from gridhall.work.table import JobTable

Ints = NDArray[np.int64]
GPU_MILLI = 1000
SLOTS = 16
"""Most GPUs of a node."""
UNSHARED = -1


class Cluster(NamedTuple):
    """The state that placements change. Lengths: C cells, N nodes, J jobs."""

    gpus_per_node: Ints  # C
    node0: Ints  # C + 1; nodes of cell c are node0[c] .. node0[c + 1] - 1
    free_nodes: Ints  # C; nodes that nobody uses
    free_milli: Ints  # C; GPU capacity that nobody uses, scattered or not
    stack: Ints  # N; nodes that may be opened, a stack for each cell from node0[c] on
    stacked: Ints  # C
    bucket: Ints  # C * (SLOTS + 1); first open node with so many free GPUs, -1 = none
    after: Ints  # N; next in the bucket
    before: Ints  # N; previous in the bucket, -1 = first
    free_gpus: Ints  # N; whole GPUs that nobody uses, on open nodes
    free_cpu: Ints  # N
    free_mem: Ints  # N
    users: Ints  # N; jobs on an open node
    share_left: Ints  # N * SLOTS; what is left of a shared GPU, UNSHARED where the slot is not shared
    shared: Ints  # N; shared GPUs of an open node
    job_cell: Ints  # J; -1 = not placed
    job_node: Ints  # J; the open node of a job on one node, -1 for a gang
    job_slot: Ints  # J; the shared GPU, -1 = whole GPUs


class Asked(NamedTuple):
    """What the jobs ask for. Lengths: J jobs."""

    submit_ms: Ints
    duration_ms: Ints
    limit_ms: Ints
    gpus: Ints
    milli: Ints  # 1000 = whole GPUs, or none at all
    total_milli: Ints  # gpus * milli
    cpu: Ints  # of a job on one node; what a job does not state, it does not take
    mem: Ints
    cells: Ints  # bit mask of cells that could ever hold the job
    shape: Ints  # jobs of one shape fit alike: 0 .. shapes - 1
    queue: Ints  # jobs with the same allowed cells: 0 .. queues - 1


def build(fleet: FleetArrays, table: JobTable, no_limit_ms: int) -> tuple[Cluster, Asked]:
    """An empty cluster of the fleet's nodes, and the jobs' requests. A limit of 0 counts as `no_limit_ms`."""
    cells = len(fleet.cell_site)
    nodes = np.array([fleet.rack_nodes[fleet.cell_rack0[c] : fleet.cell_rack0[c + 1]].sum() for c in range(cells)])
    return _empty(fleet, nodes, len(table)), _asked(fleet, nodes, table, no_limit_ms)


def _empty(fleet: FleetArrays, nodes: Ints, jobs: int) -> Cluster:
    node0 = np.concatenate([[0], np.cumsum(nodes)]).astype(np.int64)
    hw = np.repeat(fleet.cell_hw, nodes)
    count = int(node0[-1])
    per_node = fleet.hw_gpus_per_node[fleet.cell_hw]
    return Cluster(
        gpus_per_node=per_node,
        node0=node0,
        free_nodes=nodes.astype(np.int64),
        free_milli=nodes * per_node * GPU_MILLI,
        stack=np.arange(count),
        stacked=nodes.astype(np.int64),
        bucket=np.full(len(nodes) * (SLOTS + 1), -1),
        after=np.full(count, -1),
        before=np.full(count, -1),
        free_gpus=fleet.hw_gpus_per_node[hw],
        free_cpu=fleet.hw_cpu_milli[hw],
        free_mem=fleet.hw_mem_mib[hw],
        users=np.zeros(count, np.int64),
        share_left=np.full(count * SLOTS, UNSHARED),
        shared=np.zeros(count, np.int64),
        job_cell=np.full(jobs, -1),
        job_node=np.full(jobs, -1),
        job_slot=np.full(jobs, -1),
    )


def _asked(fleet: FleetArrays, nodes: Ints, table: JobTable, no_limit_ms: int) -> Asked:
    cells = _possible_cells(fleet, nodes, table)
    needs = np.column_stack([table.gpus, table.gpu_milli, table.cpu_milli, table.mem_mib, cells])
    return Asked(
        submit_ms=table.submit_ms,
        duration_ms=table.duration_ms,
        limit_ms=np.where(table.limit_ms > 0, table.limit_ms, no_limit_ms),
        gpus=table.gpus,
        milli=np.where(table.gpus > 0, table.gpu_milli, GPU_MILLI),
        total_milli=table.gpus * table.gpu_milli,
        cpu=table.cpu_milli,
        mem=table.mem_mib,
        cells=cells,
        shape=np.unique(needs, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64),
        queue=np.unique(cells, return_inverse=True)[1].astype(np.int64),
    )


def _possible_cells(fleet: FleetArrays, nodes: Ints, table: JobTable) -> Ints:
    """Cells that are allowed and, empty, big enough."""
    mask = np.zeros(len(table), np.int64)
    for cell, (site, hw) in enumerate(zip(fleet.cell_site, fleet.cell_hw, strict=True)):
        per_node = fleet.hw_gpus_per_node[hw]
        gang = table.gpus > per_node
        good = (table.places >> site & 1) & (table.hardware >> hw & 1) == 1
        good &= (table.gpus_per_node <= per_node) & (-(-table.gpus // per_node) <= nodes[cell])
        good &= gang | (table.cpu_milli <= fleet.hw_cpu_milli[hw])
        good &= gang | (table.mem_mib <= fleet.hw_mem_mib[hw])
        mask |= good.astype(np.int64) << cell
    return mask


@njit(cache=True)
def place(cluster: Cluster, asked: Asked, job: int, cells: int) -> bool:
    """Place a job in one of the cells of the mask; False, and nothing changed, when it fits nowhere now."""
    if asked.milli[job] < GPU_MILLI and _place_share(cluster, asked, job, cells):
        return True
    return _place_on_open(cluster, asked, job, cells) or _place_on_free(cluster, asked, job, cells)


@njit(cache=True)
def release(cluster: Cluster, asked: Asked, job: int) -> None:
    """Give back what the job holds."""
    cell = cluster.job_cell[job]
    node = cluster.job_node[job]
    cluster.free_milli[cell] += asked.total_milli[job]
    cluster.job_cell[job] = -1
    if node < 0:
        cluster.free_nodes[cell] += nodes_of(cluster, asked, job, cell)
        return
    _unlink(cluster, cell, node)
    _give(cluster, asked, job, cell, node)
    if cluster.users[node] == 0:
        cluster.stack[cluster.node0[cell] + cluster.stacked[cell]] = node
        cluster.stacked[cell] += 1
        cluster.free_nodes[cell] += 1
    else:
        _link(cluster, cell, node)


@njit(cache=True)
def nodes_of(cluster: Cluster, asked: Asked, job: int, cell: int) -> int:
    """Whole nodes of that cell that a gang takes; a job that shares a node counts as one."""
    return max(1, -(-asked.gpus[job] // cluster.gpus_per_node[cell]))


@njit(cache=True)
def _roomy(cluster: Cluster, asked: Asked, job: int, node: int) -> bool:
    return asked.cpu[job] <= cluster.free_cpu[node] and asked.mem[job] <= cluster.free_mem[node]


@njit(cache=True)
def _place_share(cluster: Cluster, asked: Asked, job: int, cells: int) -> bool:
    """The shared GPU with the least sufficient remainder."""
    best_left = GPU_MILLI + 1
    best_node = -1
    best_slot = -1
    best_cell = -1
    for cell in range(len(cluster.free_nodes)):
        if cells >> cell & 1 == 0 or cluster.free_milli[cell] < asked.milli[job]:
            continue
        for free in range(cluster.gpus_per_node[cell]):
            node = cluster.bucket[cell * (SLOTS + 1) + free]
            while node >= 0:
                if cluster.shared[node] > 0 and _roomy(cluster, asked, job, node):
                    for slot in range(node * SLOTS, node * SLOTS + cluster.gpus_per_node[cell]):
                        left = cluster.share_left[slot]
                        if asked.milli[job] <= left < best_left:
                            best_left, best_node, best_slot, best_cell = left, node, slot, cell
                node = cluster.after[node]
    if best_node < 0:
        return False
    _take(cluster, asked, job, best_cell, best_node, best_slot)
    return True


@njit(cache=True)
def _place_on_open(cluster: Cluster, asked: Asked, job: int, cells: int) -> bool:
    """The open node with the fewest sufficient free GPUs."""
    for free in range(asked.gpus[job], SLOTS + 1):
        for cell in range(len(cluster.free_nodes)):
            if cells >> cell & 1 == 0 or free > cluster.gpus_per_node[cell]:
                continue
            node = cluster.bucket[cell * (SLOTS + 1) + free]
            while node >= 0:
                if _roomy(cluster, asked, job, node):
                    _take(cluster, asked, job, cell, node, -1)
                    return True
                node = cluster.after[node]
    return False


@njit(cache=True)
def _place_on_free(cluster: Cluster, asked: Asked, job: int, cells: int) -> bool:
    """Whole nodes of the cell that is left with the least free capacity."""
    best = -1
    best_left = 0
    for cell in range(len(cluster.free_nodes)):
        needed = nodes_of(cluster, asked, job, cell)
        if cells >> cell & 1 == 0 or needed > cluster.free_nodes[cell]:
            continue
        left = cluster.free_nodes[cell] * cluster.gpus_per_node[cell] - asked.gpus[job]
        if best < 0 or left < best_left:
            best, best_left = cell, left
    if best < 0:
        return False
    if asked.gpus[job] > cluster.gpus_per_node[best]:
        cluster.free_nodes[best] -= nodes_of(cluster, asked, job, best)
        cluster.free_milli[best] -= asked.total_milli[job]
        cluster.job_cell[job] = best
        cluster.job_node[job] = -1
        return True
    cluster.free_nodes[best] -= 1
    cluster.stacked[best] -= 1
    node = cluster.stack[cluster.node0[best] + cluster.stacked[best]]
    _link(cluster, best, node)
    _take(cluster, asked, job, best, node, -1)
    return True


@njit(cache=True)
def _take(cluster: Cluster, asked: Asked, job: int, cell: int, node: int, slot: int) -> None:
    """Give a job its place on an open node; `slot` is the shared GPU to join, -1 to take whole GPUs or begin one."""
    _unlink(cluster, cell, node)
    if asked.milli[job] < GPU_MILLI:
        if slot < 0:
            slot = node * SLOTS
            while cluster.share_left[slot] != UNSHARED:
                slot += 1
            cluster.share_left[slot] = GPU_MILLI
            cluster.shared[node] += 1
            cluster.free_gpus[node] -= 1
        cluster.share_left[slot] -= asked.milli[job]
    else:
        cluster.free_gpus[node] -= asked.gpus[job]
    cluster.free_cpu[node] -= asked.cpu[job]
    cluster.free_mem[node] -= asked.mem[job]
    cluster.free_milli[cell] -= asked.total_milli[job]
    cluster.users[node] += 1
    cluster.job_cell[job] = cell
    cluster.job_node[job] = node
    cluster.job_slot[job] = slot
    _link(cluster, cell, node)


@njit(cache=True)
def _give(cluster: Cluster, asked: Asked, job: int, cell: int, node: int) -> None:
    slot = cluster.job_slot[job]
    if slot >= 0:
        cluster.share_left[slot] += asked.milli[job]
        if cluster.share_left[slot] == GPU_MILLI:
            cluster.share_left[slot] = UNSHARED
            cluster.shared[node] -= 1
            cluster.free_gpus[node] += 1
    else:
        cluster.free_gpus[node] += asked.gpus[job]
    cluster.free_cpu[node] += asked.cpu[job]
    cluster.free_mem[node] += asked.mem[job]
    cluster.users[node] -= 1
    cluster.job_slot[job] = -1


@njit(cache=True)
def _link(cluster: Cluster, cell: int, node: int) -> None:
    bucket = cell * (SLOTS + 1) + cluster.free_gpus[node]
    first = cluster.bucket[bucket]
    cluster.after[node] = first
    cluster.before[node] = -1
    if first >= 0:
        cluster.before[first] = node
    cluster.bucket[bucket] = node


@njit(cache=True)
def _unlink(cluster: Cluster, cell: int, node: int) -> None:
    after = cluster.after[node]
    before = cluster.before[node]
    if before >= 0:
        cluster.after[before] = after
    else:
        cluster.bucket[cell * (SLOTS + 1) + cluster.free_gpus[node]] = after
    if after >= 0:
        cluster.before[after] = before
