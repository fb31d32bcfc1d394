"""Entries to the pool's kernels for tests, and a run whose digest must not depend on compilation.

`python -m tests.scheduling.sharing_entry` prints that digest.
"""

import hashlib

import numpy as np

from gridhall.fleet import compile_fleet
from gridhall.fleet.arrays import FleetArrays
from gridhall.fleet.imports.nodes import NodeRecord, SiteFacts, fleet_of_nodes
from gridhall.kernel import kernel, state_cast
from gridhall.scheduling import sharing
from gridhall.scheduling.sharing import PoolPolicy, SharingColumns, TypicalPods

as_state = state_cast(SharingColumns)


@kernel
def find_after(handle: int, cells: int, cpu: int, mem: int, milli: int, gpus: int, after: int) -> int:
    return sharing.pool_next(as_state(handle), cells, cpu, mem, milli, gpus, after)


@kernel
def find(handle: int, cells: int, cpu: int, mem: int, milli: int, gpus: int) -> int:
    return sharing.pool_find(as_state(handle), cells, cpu, mem, milli, gpus)


@kernel
def pick(handle: int, node: int, cpu: int, milli: int, gpus: int) -> int:
    return sharing.pool_pick_gpu(as_state(handle), node, cpu, milli, gpus)


@kernel
def take(handle: int, node: int, mask: int, milli: int, cpu: int, mem: int) -> None:
    sharing.pool_take(as_state(handle), node, mask, milli, cpu, mem)


@kernel
def give(handle: int, node: int, mask: int, milli: int, cpu: int, mem: int) -> None:
    sharing.pool_give(as_state(handle), node, mask, milli, cpu, mem)


@kernel
def set_up(handle: int, node: int, up: int) -> None:
    sharing.pool_set_up(as_state(handle), node, up)


@kernel
def total_fragmentation(handle: int) -> int:
    return sharing.pool_fragmentation(as_state(handle))


def small_fleet(counts: tuple[int, int, int] = (3, 2, 2), shared: bool = True) -> FleetArrays:
    """Nodes of three kinds: 2, 4 and 8 GPUs, with little, usual and plenty of CPU."""
    shapes = (("T4", 2, 8, 64), ("V100", 4, 48, 256), ("H100", 8, 192, 768))
    records = [
        NodeRecord(f"{model}-{number}", model, gpus, cores, mem, "test")
        for (model, gpus, cores, mem), count in zip(shapes, counts, strict=True)
        for number in range(count)
    ]
    types = {"T4": "t4", "V100": "v100m32", "H100": "h100"}
    return compile_fleet(fleet_of_nodes(records, SiteFacts(sharing=shared, types=types), "Test pool", ()))


def pool(fleet: FleetArrays, types: TypicalPods | None, policy: PoolPolicy, slots: int | None = None) -> SharingColumns:
    """A pool with all nodes empty; `slots` makes its cache smaller than usual."""
    sizes = sharing.pool_sizes(fleet)
    w = SharingColumns(sizes | {"pool_slots": slots or sizes["pool_slots"]})
    sharing.pool_init(w, fleet, policy)
    if types is not None:
        sharing.pool_set_types(w, types)
    return w


def usual_types(cells: int) -> TypicalPods:
    """A few kinds of pods, every one allowed everywhere."""
    kinds = np.array([(4000, 0, 0), (2000, 250, 1), (4000, 460, 1), (8000, 1000, 1), (64000, 1000, 8)], dtype=np.int64)
    rows = np.repeat(kinds, [2, 3, 5, 6, 1], axis=0)
    return sharing.typical_pods(rows[:, 0], rows[:, 1], rows[:, 2], np.full(len(rows), cells, dtype=np.int64), 1.0)


def digest_of_run(steps: int = 120) -> str:
    """Place and remove pods drawn at random; a hash over every decision and the facts at the end."""
    fleet = small_fleet()
    everywhere = (1 << len(fleet.cell_hw)) - 1
    w = pool(fleet, usual_types(everywhere), PoolPolicy())
    draw = np.random.Generator(np.random.Philox(key=[7, 0]))
    running: list[tuple[int, int, int, int, int]] = []
    decisions: list[int] = []
    for _ in range(steps):
        if running and draw.random() < 0.3:
            give(w.handle, *running.pop(int(draw.integers(len(running)))))
            continue
        cpu, milli = int(draw.choice([1000, 4000, 9000])), int(draw.choice([130, 460, 1000]))
        node = find(w.handle, everywhere, cpu, 2048, milli, 1)
        decisions.append(int(node))
        if node >= 0:
            mask = int(pick(w.handle, node, cpu, milli, 1))
            decisions.append(mask)
            running.append((int(node), mask, milli, cpu, 2048))
            take(w.handle, *running[-1])
    return hashlib.sha256(f"{decisions} {w.digest()}".encode()).hexdigest()


if __name__ == "__main__":
    print(digest_of_run())
