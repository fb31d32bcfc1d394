"""What the work room needs to know of a fleet: a protocol, because the room imports no other. `FleetArrays` fits."""

from typing import Protocol

import numpy as np

from gridhall.work.table import Ints


class Hosts(Protocol):
    """Names and counts that bound a workload: which sites and hardware there are, how many GPUs, and when."""

    @property
    def site_names(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def hw_names(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def hw_gpus_per_node(self) -> Ints: ...  # noqa: D102
    @property
    def cell_site(self) -> Ints: ...  # noqa: D102
    @property
    def cell_hw(self) -> Ints: ...  # noqa: D102
    @property
    def rack_cell(self) -> Ints: ...  # noqa: D102
    @property
    def rack_nodes(self) -> Ints: ...  # noqa: D102
    @property
    def rack_sharing(self) -> Ints: ...  # noqa: D102
    @property
    def rack_ready_from_ms(self) -> Ints: ...  # noqa: D102
    @property
    def rack_ready_to_ms(self) -> Ints: ...  # noqa: D102


def rack_gpus(hosts: Hosts) -> Ints:
    """GPUs of every rack."""
    return hosts.rack_nodes * hosts.hw_gpus_per_node[hosts.cell_hw[hosts.rack_cell]]


def largest_gang(hosts: Hosts) -> int:
    """GPUs of the largest block of one hardware at one site, once all racks stand; no gang can be larger."""
    return int(np.bincount(hosts.rack_cell, rack_gpus(hosts)).max()) if len(hosts.rack_cell) else 0
