"""From a fleet file to arrays: names become indexes, groups become racks, in the order that the kernels rely on."""

from dataclasses import dataclass

import numpy as np

from gridhall.errors import Fault, InputError
from gridhall.fleet.arrays import FOREVER_MS, FleetArrays, Ints
from gridhall.fleet.graph import graph_problems
from gridhall.fleet.hardware import Hardware
from gridhall.fleet.models import Fleet, Hall, RackGroup, Site
from gridhall.fleet.power import PowerTable, power_table, rack_paths
from gridhall.fleet.yamlfile import field_name
from gridhall.units import MICRO, utc_ms

DEFAULT_POD_RACKS = 8
"""Racks of a pod where neither the group nor the hall's fabric says: a GB200/GB300 SuperPOD unit (NVIDIA)."""


def compile_fleet(fleet: Fleet) -> FleetArrays:
    """Compile a fleet.

    `power_limit_w` counts IT load: a feed's limit is divided by the site's declared PUE. Racks of status `paused` never
    come on line. Raises InputError if the fleet does not hold together (a loaded fleet always does).
    """
    problems = graph_problems(fleet)
    if problems:
        raise InputError([Fault("fleet", field_name(p.place), p.problem, p.mend) for p in problems])
    types = hardware_in_use(fleet)
    blocks = _blocks(fleet, list(types))
    return _assemble(fleet, types, blocks, power_table(fleet))


def node_names(fleet: Fleet) -> tuple[str, ...]:
    """Every node in the order of the arrays: its host name where the file gives one, else `RACK/n1` and so on."""
    blocks = _blocks(fleet, list(hardware_in_use(fleet)))
    racks = iter(_rack_names(fleet, blocks))
    names: list[str] = []
    for block in blocks:
        hosts = iter(block.group.hosts)
        for _ in range(block.group.count.whole):
            rack = next(racks)
            names.extend(next(hosts, f"{rack}/n{place}") for place in range(1, block.nodes + 1))
    return tuple(names)


def hardware_in_use(fleet: Fleet) -> dict[str, Hardware]:
    """The hardware types that racks name, in order of first use."""
    types: dict[str, Hardware] = {}
    for site in fleet.sites:
        for hall in site.halls:
            for group in hall.rack_groups:
                hardware = fleet.hardware_type(group.type)
                if hardware is not None:
                    types.setdefault(group.type, hardware)
    return types


def never_ready(site: Site, group: RackGroup) -> bool:
    """Whether the group's racks are paused, so that no date brings them on line."""
    return (group.status or site.status) == "paused"


def pod_racks(hall: Hall, group: RackGroup) -> int:
    """Racks in one pod of the group."""
    return group.pod_racks or (hall.fabric.pod_racks if hall.fabric else DEFAULT_POD_RACKS)


@dataclass(frozen=True)
class _Block:
    """One rack group with its place in the canonical order."""

    site: int
    hw: int
    hall: int
    group: RackGroup
    pod_racks: int
    hall_name: str
    hardware: Hardware
    never: bool

    @property
    def nodes(self) -> int:
        return self.group.nodes_per_rack or self.hardware.nodes_per_rack

    @property
    def whole_rack_nvlink(self) -> bool:
        return (self.group.nvlink_domain or self.hardware.nvlink_domain) == "rack"

    @property
    def capex_musd(self) -> int:
        capex = self.group.capex_usd_per_gpu
        return round(capex.value * MICRO) * self.nodes * self.hardware.gpus_per_node if capex else 0

    @property
    def ready_from_ms(self) -> int:
        if self.never:
            return FOREVER_MS
        return utc_ms(self.group.ready_from) if self.group.ready_from else 0

    @property
    def ready_to_ms(self) -> int:
        return utc_ms(self.group.ready_to) if self.group.ready_to else FOREVER_MS


def _blocks(fleet: Fleet, types: list[str]) -> list[_Block]:
    blocks: list[_Block] = []
    for s, site in enumerate(fleet.sites):
        for h, hall in enumerate(site.halls):
            for group in hall.rack_groups:
                hardware = fleet.hardware_type(group.type)
                assert hardware is not None, "checked by graph_problems"
                name, hw = f"{site.id}/{hall.id}", types.index(group.type)
                never = never_ready(site, group)
                blocks.append(_Block(s, hw, h, group, pod_racks(hall, group), name, hardware, never))
    return sorted(blocks, key=lambda block: (block.site, block.hw, block.hall))


def _assemble(fleet: Fleet, types: dict[str, Hardware], blocks: list[_Block], power: PowerTable) -> FleetArrays:
    counts = _ints([block.group.count.whole for block in blocks])
    block_of = np.repeat(np.arange(len(blocks), dtype=np.int64), counts)
    cells = sorted({(block.site, block.hw) for block in blocks})
    halls = sorted({(block.site, block.hw, block.hall) for block in blocks})
    rack_cell = _ints([cells.index((block.site, block.hw)) for block in blocks])[block_of]
    hall_at = {hall: index for index, hall in enumerate(halls)}
    rack_hall = _ints([hall_at[block.site, block.hw, block.hall] for block in blocks])[block_of]
    rack_pod = _rack_pods(blocks, counts, block_of)
    pod_rack0 = _starts(rack_pod)
    rack_nodes = _ints([block.nodes for block in blocks])[block_of]
    rack_path, rack_feed = _rack_power(blocks, power)
    return FleetArrays(
        site_names=tuple(site.id for site in fleet.sites),
        site_country=tuple(site.country for site in fleet.sites),
        site_pue_milli=_ints([round(site.pue.value * 1000) for site in fleet.sites]),
        hw_names=tuple(types),
        hw_gpu_idle_w=_ints([hw.gpu_idle_w.whole for hw in types.values()]),
        hw_gpu_max_w=_ints([hw.gpu_max_w.whole for hw in types.values()]),
        hw_node_fixed_w=_ints([hw.node_fixed_w.whole for hw in types.values()]),
        hw_gpus_per_node=_ints([hw.gpus_per_node for hw in types.values()]),
        hw_cpu_milli=_ints([round(hw.cpu_cores.value * 1000) for hw in types.values()]),
        hw_mem_mib=_ints([round(hw.mem_gib.value * 1024) for hw in types.values()]),
        cell_site=_ints([site for site, _ in cells]),
        cell_hw=_ints([hw for _, hw in cells]),
        cell_rack0=_starts(rack_cell),
        hall_names=_hall_names(blocks, list(types)),
        hall_cell=_ints([cells.index((site, hw)) for site, hw, _ in halls]),
        hall_rack0=_starts(rack_hall),
        pod_hall=rack_hall[pod_rack0[:-1]],
        pod_rack0=pod_rack0,
        rack_names=_rack_names(fleet, blocks),
        rack_cell=rack_cell,
        rack_hall=rack_hall,
        rack_pod=rack_pod,
        rack_nodes=rack_nodes,
        rack_node0=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(rack_nodes)]),
        rack_nvlink=_ints([block.whole_rack_nvlink for block in blocks])[block_of],
        rack_sharing=_ints([block.group.sharing for block in blocks])[block_of],
        rack_ready_from_ms=_ints([block.ready_from_ms for block in blocks])[block_of],
        rack_ready_to_ms=_ints([block.ready_to_ms for block in blocks])[block_of],
        rack_capex_musd=_ints([block.capex_musd for block in blocks])[block_of],
        rack_path=rack_path,
        rack_feed=rack_feed,
        power_names=power.names,
        power_kind=power.kinds,
        power_site=power.site,
        power_parent=power.parent,
        power_limit_w=power.limit_w,
    )


def _rack_pods(blocks: list[_Block], counts: Ints, block_of: Ints) -> Ints:
    """Pods never reach over two groups: a phase that comes on line later is cabled as pods of its own."""
    size = _ints([block.pod_racks for block in blocks])
    first_rack = np.cumsum(counts) - counts
    pods = -(-counts // size)
    first_pod = np.cumsum(pods) - pods
    within = np.arange(len(block_of), dtype=np.int64) - first_rack[block_of]
    return first_pod[block_of] + within // size[block_of]


def _rack_power(blocks: list[_Block], power: PowerTable) -> tuple[Ints, Ints]:
    paths = max(len(block.group.feeds) for block in blocks)
    attached: list[Ints] = []
    for path in range(paths):
        column: list[Ints] = []
        for block in blocks:
            racks, feeds = block.group.count.whole, block.group.feeds
            absent = np.full(racks, -1, dtype=np.int64)
            column.append(power.families[block.site][feeds[path]].spread(racks) if path < len(feeds) else absent)
        attached.append(np.concatenate(column))
    return rack_paths(power, attached).reshape(-1), power.feed[attached[0]]


def _hall_names(blocks: list[_Block], types: list[str]) -> tuple[str, ...]:
    """`site/hall`, with the hardware where a hall holds several types and so stands in several cells."""
    by_hall: dict[str, set[int]] = {}
    for block in blocks:
        by_hall.setdefault(block.hall_name, set()).add(block.hw)
    names: dict[tuple[int, int, int], str] = {}
    for block in blocks:
        several = len(by_hall[block.hall_name]) > 1
        name = f"{block.hall_name} {types[block.hw]}" if several else block.hall_name
        names[block.site, block.hw, block.hall] = name
    return tuple(names.values())


def _rack_names(fleet: Fleet, blocks: list[_Block]) -> tuple[str, ...]:
    names: list[str] = []
    for block in blocks:
        racks, stem = block.group.count.whole, f"{fleet.sites[block.site].id}/{block.group.prefix}"
        width = len(str(racks))
        names.extend(f"{stem}{number:0{width}d}" for number in range(1, racks + 1))
    return tuple(names)


def _starts(groups: Ints) -> Ints:
    """First rack of each group 0, 1, 2 ... of contiguous groups, and the number of racks at the end."""
    sizes = np.bincount(groups).astype(np.int64)
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])


def _ints(values: list[int] | list[bool]) -> Ints:
    return np.array(values, dtype=np.int64)
