"""The fleet between people and the core: names of sites, nodes and hardware here, indexes and masks there."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridhall.engines.protocol import Place
from gridhall.fleet.arrays import FleetArrays
from gridhall.fleet.compile import compile_fleet, node_names
from gridhall.fleet.models import Feed, Fleet, Site
from gridhall.fleet.power import FEED
from gridhall.kernel import Ints
from gridhall.units import W_PER_MW

Span = tuple[int, int]
"""Racks from the first up to (not including) the second."""


@dataclass(frozen=True, slots=True)
class HallPart:
    """A hall as people know it: its id, site (index) and racks, one span for each kind of hardware in it."""

    id: str
    site: int
    racks: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class FeedPart:
    """A feed as people know it, with its index in the power graph. Watts are at the meter, as the fleet file says."""

    id: str
    tag: str
    place: int
    site: int
    limit_w: int
    default_w: int
    least_w: int


@dataclass(frozen=True)
class FleetMap:
    """A fleet file, compiled, with the names of its nodes in the order of the arrays.

    Ids are what the API calls a thing: `SITE:RACK` and `SITE:RACK:n1`, or `SITE:HOST` where a host has its own name.
    """

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

    @cached_property
    def node_ids(self) -> tuple[str, ...]:
        """The id of each node."""
        return tuple(public_id(self.site_of(node).id, name) for node, name in enumerate(self.nodes))

    @cached_property
    def node_of_id(self) -> dict[str, int]:
        """The index of a node by its id."""
        return {id: node for node, id in enumerate(self.node_ids)}

    @cached_property
    def rack_ids(self) -> tuple[str, ...]:
        """The id of each rack."""
        return tuple(name.replace("/", ":") for name in self.arrays.rack_names)

    @cached_property
    def rack_of_id(self) -> dict[str, int]:
        """The index of a rack by its id."""
        return {id: rack for rack, id in enumerate(self.rack_ids)}

    @cached_property
    def halls(self) -> dict[str, HallPart]:
        """The halls by their ids, site by site."""
        found: dict[str, HallPart] = {}
        arrays = self.arrays
        for hall, name in enumerate(arrays.hall_names):
            id = name.partition(" ")[0].replace("/", ":")
            span = (int(arrays.hall_rack0[hall]), int(arrays.hall_rack0[hall + 1]))
            before = found[id].racks if id in found else ()
            found[id] = HallPart(id, int(arrays.cell_site[arrays.hall_cell[hall]]), (*before, span))
        return dict(sorted(found.items(), key=lambda each: each[1].site))

    @cached_property
    def feeds(self) -> dict[str, FeedPart]:
        """The feeds by their ids, `SITE:TAG`, in the order of the power graph."""
        places = (place for place, kind in enumerate(self.arrays.power_kind) if kind == FEED)
        found = [
            _feed_part(self.fleet.sites[site].id, feed, site, next(places))
            for site in range(len(self.fleet.sites))
            for feed in self.fleet.sites[site].grid.feeds
        ]
        return {each.id: each for each in found}

    @cached_property
    def rack_hall_ids(self) -> tuple[str, ...]:
        """The id of each rack's hall."""
        of_hall = [name.partition(" ")[0].replace("/", ":") for name in self.arrays.hall_names]
        return tuple(of_hall[int(hall)] for hall in self.arrays.rack_hall)

    @cached_property
    def site_racks(self) -> tuple[tuple[Span, ...], ...]:
        """The racks of each site: one span a cell."""
        arrays = self.arrays
        return tuple(
            tuple(
                (int(arrays.cell_rack0[cell]), int(arrays.cell_rack0[cell + 1]))
                for cell in range(len(arrays.cell_site))
                if int(arrays.cell_site[cell]) == site
            )
            for site in range(len(self.fleet.sites))
        )

    @cached_property
    def node_gpus(self) -> Ints:
        """GPUs of each node; 0 where its hardware has none."""
        per_cell = self.arrays.hw_gpus_per_node[self.arrays.cell_hw] * np.array(self.cell_has_gpus, dtype=np.int64)
        return per_cell[self.node_cell]

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

    def host_units(self, cells: int, cpu_milli: int) -> int:
        """Units of a host without GPUs that stand for so many 1/1000 cores, by the smallest units among some cells."""
        hw = [int(self.arrays.cell_hw[cell]) for cell in _bits(cells)]
        units = [int(self.arrays.hw_cpu_milli[each]) // int(self.arrays.hw_gpus_per_node[each]) for each in hw]
        return max(1, -(-cpu_milli // max(1, min(units, default=1000))))

    def cells(self, sites: Collection[str], countries: Collection[str], hardware: Collection[str], gpus: bool) -> int:
        """The mask of cells at the named sites, in the named countries and of the named hardware (empty = any).

        `gpus` says whether hosts with GPUs are asked for or hosts without.
        """
        asked = (tuple(sites), tuple(countries), tuple(hardware), gpus)
        if asked not in self._masks:
            self._masks[asked] = self._mask(*asked)
        return self._masks[asked]

    @cached_property
    def _masks(self) -> dict[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], bool], int]:
        """What was asked before: thousands of jobs a second ask the same."""
        return {}

    def _mask(self, sites: Collection[str], countries: Collection[str], hardware: Collection[str], gpus: bool) -> int:
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


def public_id(site: str, name: str) -> str:
    """The id of a node from its site and the name that engines know it by."""
    return name.replace("/", ":") if name.startswith(f"{site}/") else f"{site}:{name}"


def _feed_part(site_id: str, feed: Feed, site: int, place: int) -> FeedPart:
    limit_w = round(feed.limit_mw.value * W_PER_MW)
    default_w = limit_w if feed.default_mw is None else min(limit_w, round(feed.default_mw.value * W_PER_MW))
    least_w = 0 if feed.min_mw is None else round(feed.min_mw.value * W_PER_MW)
    return FeedPart(f"{site_id}:{feed.tag}", feed.tag, place, site, limit_w, default_w, least_w)


def _bits(mask: int) -> Iterable[int]:
    while mask:
        yield (mask & -mask).bit_length() - 1
        mask &= mask - 1
