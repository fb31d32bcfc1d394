"""Fleets from a few numbers, for tests and benchmarks: every figure in them is synthetic."""

from collections.abc import Sequence
from dataclasses import dataclass

from gridhall.fleet.arrays import FleetArrays
from gridhall.fleet.catalogue import shipped_hardware
from gridhall.fleet.compile import compile_fleet
from gridhall.fleet.figures import Figure
from gridhall.fleet.hardware import Hardware
from gridhall.fleet.models import Fabric, Feed, Fleet, Grid, Hall, Power, PowerKind, PowerNode, RackGroup, Site

SIX_SITES = (34, 22, 16, 12, 9, 7)
"""Shares in percent of the six-site fleet that the benchmarks use."""
COUNTRIES = ("GB", "NO", "PT", "SE", "FR", "DE")


def uniform_fleet(
    gpus: int = 60_000,
    *,
    shares: Sequence[int] = SIX_SITES,
    hardware: str | Sequence[str] = "gb300-nvl72",
    countries: Sequence[str] = COUNTRIES,
    nodes_per_rack: int | None = None,
    pod_racks: int = 8,
    hall_pods: int = 10,
    feed_headroom: int = 1100,
    node_headroom: int = 1100,
    sharing_milli: int = 0,
    pue: float = 1.1,
) -> FleetArrays:
    """A compiled fleet of sites `site-1`, `site-2` ... with one row PDU a pod, one transformer a hall, one feed a site.

    `gpus` is rounded down to whole racks (60,000 give 833 NVL72 racks), shared out by largest remainder (with racks of
    several sizes, each site is rounded down). `hardware`
    names catalogue types, taken in turn by the sites. Headrooms are per mille of what the racks below commit at most;
    `sharing_milli` per mille of each site's racks, counted from its end, let jobs divide GPUs. All racks are ready
    from the start.
    """
    names = [hardware] if isinstance(hardware, str) else list(hardware)
    kinds = [shipped_hardware()[name] for name in names]
    sites: list[Site] = []
    for index, racks in enumerate(_racks_of_sites(gpus, shares, [_rack_gpus(k, nodes_per_rack) for k in kinds])):
        kind = kinds[index % len(kinds)]
        nodes = nodes_per_rack or kind.nodes_per_rack
        rack_w = nodes * kind.node_max_w
        plan = _Plan(names[index % len(names)], nodes, pod_racks, hall_pods, rack_w * node_headroom / 1000)
        sites.append(
            Site(
                id=f"site-{index + 1}",
                country=countries[index % len(countries)],
                operator="synthetic",
                pue=Figure(value=pue),
                grid=Grid(feeds=(_feed(racks * rack_w * feed_headroom * pue / 1000),)),
                power=Power(nodes=tuple(plan.power(racks))),
                halls=tuple(plan.halls(racks, racks - racks * sharing_milli // 1000)),
            )
        )
    return compile_fleet(Fleet(schema_id="fleet/v1", title="synthetic", sites=tuple(sites)))


@dataclass(frozen=True)
class _Plan:
    """How every hall of one site is built."""

    type: str
    nodes: int
    pod_racks: int
    hall_pods: int
    limit_w_per_rack: float

    def hall_sizes(self, racks: int) -> list[int]:
        """Racks of each hall: as many even halls as are needed."""
        halls = max(1, -(-racks // (self.pod_racks * self.hall_pods)))
        return [racks * (hall + 1) // halls - racks * hall // halls for hall in range(halls)]

    def power(self, racks: int) -> list[PowerNode]:
        nodes: list[PowerNode] = []
        for number, size in enumerate(self.hall_sizes(racks), 1):
            pods = max(1, -(-size // self.pod_racks))
            nodes.append(self._node(f"tr-{number}", "transformer", "feed", 1, size))
            nodes.append(self._node(f"pdu-{number}", "pdu", f"tr-{number}", pods, -(-size // pods)))
        return nodes

    def _node(self, name: str, kind: PowerKind, parent: str, count: int, racks: int) -> PowerNode:
        limit_kw = _figure(racks * self.limit_w_per_rack / 1000)
        return PowerNode(id=name, kind=kind, parent=parent, count=count, usable_kw=limit_kw)

    def halls(self, racks: int, whole_gpu_racks: int) -> list[Hall]:
        """Halls in which racks from number `whole_gpu_racks` on may be shared."""
        halls: list[Hall] = []
        first = 0
        for number, size in enumerate(self.hall_sizes(racks), 1):
            whole = min(max(whole_gpu_racks - first, 0), size)
            groups = [self._group(number, "r", whole), self._group(number, "s", size - whole)]
            fabric = Fabric(kind="synthetic", pod_racks=self.pod_racks)
            kept = tuple(group for group in groups if group is not None)
            halls.append(Hall(id=f"hall-{number}", fabric=fabric, rack_groups=kept))
            first += size
        return halls

    def _group(self, hall: int, letter: str, racks: int) -> RackGroup | None:
        if not racks:
            return None
        return RackGroup(
            prefix=f"h{hall}{letter}",
            count=_figure(racks),
            type=self.type,
            nodes_per_rack=self.nodes,
            feeds=(f"pdu-{hall}",),
            sharing=letter == "s",
        )


def _rack_gpus(kind: Hardware, nodes_per_rack: int | None) -> int:
    return (nodes_per_rack or kind.nodes_per_rack) * kind.gpus_per_node


def _racks_of_sites(gpus: int, shares: Sequence[int], rack_gpus: Sequence[int]) -> list[int]:
    """Whole racks of each site, none lost to rounding where every site has racks of the same size."""
    if len(set(rack_gpus)) == 1:
        return _share_out(gpus // rack_gpus[0], shares)
    return [part // rack_gpus[i % len(rack_gpus)] for i, part in enumerate(_share_out(gpus, shares))]


def _share_out(total: int, shares: Sequence[int]) -> list[int]:
    """Whole numbers in proportion to `shares` that add up to `total`, by largest remainder."""
    weight = sum(shares)
    parts = [total * share // weight for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda i: (-(total * shares[i] % weight), i))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts


def _feed(limit_w: float) -> Feed:
    return Feed(tag="feed", limit_mw=_figure(limit_w / 1e6))


def _figure(value: float) -> Figure:
    return Figure(value=value)
