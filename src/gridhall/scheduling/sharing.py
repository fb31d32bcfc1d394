"""The shared-GPU pool: which node, and which GPU on it, takes a piece of work smaller than a node.

The pool is made of the nodes of racks that allow sharing. A **pod** asks `gpus` GPUs of one node and `gpu_milli` of
each (1000 = whole GPUs; `gpus` 0 = CPU only), CPU and memory. The rule is fragmentation gradient descent (FGD; Weng et
al., "Beware of Fragmentation", USENIX ATC 2023): a table of **typical pods** says what work is to be expected; a node's
fragmentation is the free GPU share that such a pod could not use there, averaged over the table; a pod goes where
fragmentation grows least.

Three things are added to the plain gradient, and earn more than it does (`benchmarks/fragmentation.py` has the figures
and what was tried). The growth is quantised. Equal growth is settled by a fixed pseudo-random order of the nodes, and
the lowest GPU first, which consolidates. And **stranded** share counts as fragmentation too: the free GPU share of a
node for which its free CPU would not suffice if typical pods came in their usual mix. The published measure sees that
CPU is short only when single pods no longer fit, which is too late.

A decision is a function of the facts alone: free shares, which nodes are up, typical pods, policy, node order. Growth
is cached for each kind of pod that came lately, and a log of changed nodes says what to refresh (`sharing_score.py`).
The cache is all `derived` columns: zeroed, it is rebuilt on the next decision, with the same answer. Pool nodes are
numbered in their fixed order. All arithmetic is on integers: fragmentation counts milli-GPU times 1e-9, because shares
are per billion.
"""

from dataclasses import dataclass

import numpy as np

from gridhall.fleet.arrays import MAX_GPUS_PER_NODE, FleetArrays, Ints
from gridhall.kernel import kernel
from gridhall.scheduling.sharing_score import (
    BILLION,
    NEVER,
    POOL_ORDER_SEED,
    POOL_ROUND_MILLI,
    POOL_STEP_MILLI,
    POOL_STRANDED_MILLI,
    WAYS,
    SharingColumns,
    best_gpu,
    find_slot,
    fragmentation,
    load_gpus,
    note_change,
    refresh_slot,
    tightest_gpus,
)

__all__ = [
    "PoolPolicy",
    "SharingColumns",
    "TypicalPods",
    "pool_find",
    "pool_fragmentation",
    "pool_give",
    "pool_init",
    "pool_next",
    "pool_pick_gpu",
    "pool_set_types",
    "pool_set_up",
    "pool_sizes",
    "pool_take",
    "typical_pods",
]

MAX_TYPES = 128
"""Most typical pods; 95 % of the openb pods are of 35 kinds, 124 where a third of them name hardware."""
MAX_SLOTS = 512
KEYS = 2_000_000
"""Kinds of pods whose scores are kept: at most MAX_SLOTS, fewer where the pool is so large that they would fill more
than KEYS entries; beyond that the least recently used kind is forgotten."""


@dataclass(frozen=True)
class PoolPolicy:
    """How the pool decides; `scheduling/policy.py` sets it, the defaults are what the benchmark found best."""

    step_milli: int = 40
    """Growth of fragmentation is counted in steps of so many milli-GPU."""
    round_milli: int = 39
    """Added before the division into steps: 0 rounds down, step - 1 up."""
    stranded_milli: int = 100
    """Weight of GPU share stranded for want of CPU, per mille; 0 = the published measure."""
    order_seed: int = 0
    """Which fixed pseudo-random order of nodes settles ties."""


@dataclass(frozen=True)
class TypicalPods:
    """The work to be expected, one entry a kind; sorted by `gpu_milli`."""

    cpu_milli: Ints
    gpu_milli: Ints
    gpus: Ints
    cells: Ints  # bit mask of the cells that it may use
    share_ppb: Ints  # how often, per billion; the sum is a billion


def typical_pods(cpu_milli: Ints, gpu_milli: Ints, gpus: Ints, cells: Ints, coverage: float = 0.95) -> TypicalPods:
    """The most frequent kinds of the given pods, until they make up `coverage` of all, at most MAX_TYPES kinds."""
    if len(gpus) == 0:
        none = np.zeros(0, dtype=np.int64)
        return TypicalPods(none, none, none, none, none)
    kinds, counts = np.unique(np.stack([gpu_milli, gpus, cpu_milli, cells]), axis=1, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    needed = int(np.count_nonzero(np.cumsum(counts[order]) < coverage * counts.sum())) + 1
    kept = np.sort(order[: min(needed, MAX_TYPES)])
    share: Ints = counts[kept] * BILLION // counts[kept].sum()
    share[np.argmax(share)] += BILLION - share.sum()
    milli, number, cpu, places = kinds[:, kept]
    return TypicalPods(cpu_milli=cpu, gpu_milli=milli, gpus=number, cells=places, share_ppb=share)


def pool_sizes(fleet: FleetArrays) -> dict[str, int]:
    """The sizes that `SharingColumns` needs for this fleet."""
    shared = int(fleet.rack_nodes[fleet.rack_sharing == 1].sum())
    slots = min(MAX_SLOTS, max(WAYS, KEYS // max(1, shared)))
    fleet_nodes = int(fleet.rack_node0[-1])
    return {"pool_nodes": shared, "pool_fleet_nodes": fleet_nodes, "pool_types": MAX_TYPES, "pool_slots": slots}


def pool_init(w: SharingColumns, fleet: FleetArrays, policy: PoolPolicy) -> None:
    """Fill the pool's columns: every node empty, and up if its rack is there from the start."""
    w.pool_policy[POOL_STEP_MILLI] = policy.step_milli
    w.pool_policy[POOL_ROUND_MILLI] = policy.round_milli
    w.pool_policy[POOL_STRANDED_MILLI] = policy.stranded_milli
    w.pool_policy[POOL_ORDER_SEED] = policy.order_seed
    rack_of_node = np.repeat(np.arange(len(fleet.rack_nodes)), fleet.rack_nodes)
    shared = np.flatnonzero(fleet.rack_sharing[rack_of_node] == 1)
    nodes = shared[np.argsort(_scatter(shared, policy.order_seed), kind="stable")]
    w.pool_count[0] = len(nodes)
    w.pool_slot_count[0] = len(w.pool_slot_seen)
    w.pool_of_node[:] = -1
    w.view("pool_of_node")[nodes] = np.arange(len(nodes))
    if len(nodes) == 0:
        return
    rack = rack_of_node[nodes]
    hw = fleet.cell_hw[fleet.rack_cell[rack]]
    w.pool_node[:] = nodes
    w.pool_cell[:] = fleet.rack_cell[rack]
    w.pool_up[:] = fleet.rack_ready_from_ms[rack] == 0
    w.pool_cpu[:] = fleet.hw_cpu_milli[hw]
    w.pool_mem[:] = fleet.hw_mem_mib[hw]
    w.pool_gpus[:] = fleet.hw_gpus_per_node[hw]
    has_gpu = np.arange(MAX_GPUS_PER_NODE) < fleet.hw_gpus_per_node[hw][:, None]
    w.pool_free[:] = np.where(has_gpu, 1000, 0).ravel()


def pool_set_types(w: SharingColumns, types: TypicalPods) -> None:
    """Set the typical pods. Without any, a pod goes to the first node in order that fits."""
    count = len(types.share_ppb)
    w.pool_type_count[0] = count
    columns = {
        "pool_type_cpu": types.cpu_milli,
        "pool_type_milli": types.gpu_milli,
        "pool_type_gpus": types.gpus,
        "pool_type_cells": types.cells,
        "pool_type_share": types.share_ppb,
    }
    for name, values in columns.items():
        w.view(name)[:count] = values
        w.view(name)[count:] = 0
    demand = int((types.share_ppb * types.gpus * types.gpu_milli).sum())
    w.pool_cpu_per_gpu[0] = int((types.share_ppb * types.cpu_milli).sum()) * 1000 // demand if demand else 0
    w.pool_slot_seen[:] = 0


def _scatter(nodes: Ints, seed: int) -> Ints:
    """A fixed pseudo-random number for each node (the finaliser of SplitMix64, Steele et al. 2014)."""
    word = nodes.astype(np.uint64) + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % (1 << 64))
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((word ^ (word >> np.uint64(31))) >> np.uint64(1)).astype(np.int64)


@kernel
def pool_find(w: SharingColumns, cells_mask: int, cpu_milli: int, mem_mib: int, gpu_milli: int, gpus: int) -> int:
    """The pool node that a pod should go to, or -1 when it fits nowhere."""
    return pool_next(w, cells_mask, cpu_milli, mem_mib, gpu_milli, gpus, -1)


@kernel
def pool_next(
    w: SharingColumns, cells_mask: int, cpu_milli: int, mem_mib: int, gpu_milli: int, gpus: int, after: int
) -> int:
    """The pool node that comes next after node `after` in a pod's preference (-1: the first), or -1.

    For a caller who finds that power or something else forbids the node that came first.
    """
    slot = find_slot(w, cells_mask, cpu_milli, mem_mib, gpu_milli, gpus)
    refresh_slot(w, slot)
    count = w.pool_count[0]
    base = slot * count
    floor = -1
    if after >= 0:
        floor = w.pool_key[base + after]
    best = NEVER
    for node in range(count):
        key = w.pool_key[base + node]
        if floor < key < best:
            best = key
    if best == NEVER:
        return -1
    return best % count


@kernel
def pool_pick_gpu(w: SharingColumns, node: int, cpu_milli: int, gpu_milli: int, gpus: int) -> int:
    """Bit mask of the GPUs that a pod should get on a node which `pool_find` named."""
    if gpus == 0:
        return 0
    load_gpus(w, node)
    if gpus == 1:
        before = fragmentation(w, node, w.pool_cpu[node])
        return 1 << (best_gpu(w, node, w.pool_cpu[node] - cpu_milli, gpu_milli, before) % MAX_GPUS_PER_NODE)
    return tightest_gpus(w, node, gpu_milli, gpus)


@kernel
def pool_take(w: SharingColumns, node: int, gpu_mask: int, gpu_milli: int, cpu_milli: int, mem_mib: int) -> None:
    """Allocate a pod on a node: `gpu_milli` on each GPU of the mask, CPU and memory."""
    pool_give(w, node, gpu_mask, -gpu_milli, -cpu_milli, -mem_mib)


@kernel
def pool_give(w: SharingColumns, node: int, gpu_mask: int, gpu_milli: int, cpu_milli: int, mem_mib: int) -> None:
    """Free what a pod held on a node."""
    for gpu in range(w.pool_gpus[node]):
        w.pool_free[node * MAX_GPUS_PER_NODE + gpu] += gpu_milli * ((gpu_mask >> gpu) & 1)
    w.pool_cpu[node] += cpu_milli
    w.pool_mem[node] += mem_mib
    note_change(w, node)


@kernel
def pool_set_up(w: SharingColumns, node: int, up: int) -> None:
    """Mark a node as up (1) or down (0); what runs on it stays allocated until it is given back."""
    w.pool_up[node] = up
    note_change(w, node)


@kernel
def pool_fragmentation(w: SharingColumns) -> int:
    """Fragmentation of all nodes that are up, in milli-GPU times a billion."""
    total = 0
    for node in range(w.pool_count[0]):
        if w.pool_up[node] == 1:
            load_gpus(w, node)
            total += fragmentation(w, node, w.pool_cpu[node])
    return total
