"""The fleet between people and the core: names of sites, nodes and hardware here, indexes and masks there."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridhall.engines.protocol import Place
from gridhall.fleet.arrays import FleetArrays
from gridhall.fleet.compile import compile_fleet, node_names
from gridhall.fleet.models import Fleet, Site
from gridhall.kernel import trailing_zeros


@dataclass(frozen=True)
class FleetMap:
    """A fleet file, compiled, with the names of its nodes in the order of the arrays."""

    fleet: Fleet
    arrays: FleetArrays
    nodes: tuple[str, ...]

    @cached_property
    def node_index(self) -> dict[tuple[str, str], int]:
        """The index of a node by the names of its site and itself."""
        return {(self.site_of(node).id, name): node for node, name in enumerate(self.nodes)}

    @cached_property
    def node_rack(self) -> list[int]:
        """The rack of each node."""
        return np.repeat(np.arange(len(self.arrays.rack_cell)), self.arrays.rack_nodes).tolist()

    @cached_property
    def node_cell(self) -> list[int]:
        """The cell of each node."""
        return self.arrays.rack_cell[self.node_rack].tolist()

    @cached_property
    def cell_has_gpus(self) -> tuple[bool, ...]:
        """Whether a cell's hardware has GPUs at all."""
        return tuple(self.hardware_has_gpus(self.arrays.hw_names[int(hw)]) for hw in self.arrays.cell_hw)

    def hardware_has_gpus(self, name: str) -> bool:
        """Whether a hardware type of this fleet has GPUs."""
        hardware = self.fleet.hardware_type(name)
        return hardware is not None and hardware.has_gpus

    def site_of(self, node: int) -> Site:
        """The site of a node."""
        return self.fleet.sites[int(self.arrays.cell_site[self.node_cell[node]])]

    def hardware_of(self, node: int) -> str:
        """The hardware type of a node."""
        return self.arrays.hw_names[int(self.arrays.cell_hw[self.node_cell[node]])]

    def place(self, node: int, gpu_mask: int, gpu_milli: int) -> Place:
        """A node of a gang as engines know it."""
        gpus = tuple(_bits(gpu_mask)) if self.cell_has_gpus[self.node_cell[node]] else ()
        return Place(self.site_of(node).id, self.nodes[node], gpus, gpu_milli)

    def cells(self, sites: Collection[str], countries: Collection[str], hardware: Collection[str], gpus: bool) -> int:
        """The mask of cells at the named sites, in the named countries and of the named hardware (empty = any).

        `gpus` says whether hosts with GPUs are asked for or hosts without.
        """
        mask = 0
        for cell, (site_index, hw_index) in enumerate(zip(self.arrays.cell_site, self.arrays.cell_hw, strict=True)):
            site, hw = self.fleet.sites[int(site_index)], self.arrays.hw_names[int(hw_index)]
            here = (not sites or site.id in sites) and (not countries or site.country in countries)
            if here and (not hardware or hw in hardware) and self.cell_has_gpus[cell] == gpus:
                mask |= 1 << cell
        return mask


def map_fleet(fleet: Fleet) -> FleetMap:
    """Compile a fleet and name its nodes."""
    return FleetMap(fleet, compile_fleet(fleet), node_names(fleet))


def _bits(mask: int) -> Iterable[int]:
    while mask:
        yield trailing_zeros(mask)
        mask &= mask - 1
