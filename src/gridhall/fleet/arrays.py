"""The fleet as arrays: what the kernels see once names have become indexes.

Racks stand in the order (site, hardware, hall, pod), so that a cell (one hardware type at one site), a hall within it
and a pod are each a contiguous range of racks. Every array is int64. Names stay here, in tuples, at the edge.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

MAX_POWER_PATH = 8
"""Most power nodes that one rack can hang from, both of its paths together (the path is deduplicated)."""
MAX_NODES_PER_RACK = 60
"""A rack's nodes are bits of one int64 word."""
MAX_GPUS_PER_NODE = 16
MAX_CELLS = 60
MAX_SITES = 60
FOREVER_MS = 1 << 60


@dataclass(frozen=True)
class FleetArrays:
    """A compiled fleet.

    Lengths: S sites, H hardware types, C cells, L halls (per cell), P pods, R racks, N nodes, W power nodes.
    """

    site_names: tuple[str, ...]
    site_country: tuple[str, ...]
    site_pue_milli: Ints  # S; declared constant until the cooling room exists
    hw_names: tuple[str, ...]
    hw_gpu_idle_w: Ints  # H; one GPU, no work
    hw_gpu_max_w: Ints  # H; one GPU at its power limit
    hw_node_fixed_w: Ints  # H; what a node draws beside its GPUs while it is up (CPUs, NICs, fans, switch share)
    hw_gpus_per_node: Ints  # H
    hw_cpu_milli: Ints  # H; per node, 1/1000 core
    hw_mem_mib: Ints  # H; per node
    cell_site: Ints  # C
    cell_hw: Ints  # C
    cell_rack0: Ints  # C + 1
    hall_names: tuple[str, ...]
    hall_cell: Ints  # L
    hall_rack0: Ints  # L + 1
    pod_hall: Ints  # P
    pod_rack0: Ints  # P + 1
    rack_names: tuple[str, ...]
    rack_cell: Ints  # R
    rack_hall: Ints  # R
    rack_pod: Ints  # R
    rack_nodes: Ints  # R; nodes in the rack, 1..60
    rack_node0: Ints  # R + 1; first node; node i of rack r is rack_node0[r] + i
    rack_nvlink: Ints  # R; 1 where the whole rack is one NVLink domain, 0 where each node is its own
    rack_sharing: Ints  # R; 1 where single GPUs may be divided between jobs
    rack_ready_from_ms: Ints  # R; 0 = from the start
    rack_ready_to_ms: Ints  # R; FOREVER_MS = never retired
    rack_capex_musd: Ints  # R; micro-USD for the whole rack, 0 = not stated
    rack_path: Ints  # R * MAX_POWER_PATH; power nodes above the rack, nearest first, -1 = none
    rack_feed: Ints  # R; the power node that meters the rack (its primary feed)
    power_names: tuple[str, ...]
    power_kind: tuple[str, ...]
    power_site: Ints  # W
    power_parent: Ints  # W; -1 = the feed itself
    power_limit_w: Ints  # W; usable watts after derating

    @property
    def gpus(self) -> int:
        """GPUs of the whole fleet, whenever they come on line."""
        per_node = self.hw_gpus_per_node[self.cell_hw[self.rack_cell]]
        return int((self.rack_nodes * per_node).sum())
