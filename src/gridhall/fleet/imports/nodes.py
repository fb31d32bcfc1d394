"""From node records to a fleet: match hardware with the catalogue, stack nodes into racks, pods and halls."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from pydantic import ValidationError

from gridhall.errors import Fault, InputError
from gridhall.fleet.arrays import MAX_GPUS_PER_NODE, MAX_NODES_PER_RACK
from gridhall.fleet.catalogue import shipped, shipped_hardware
from gridhall.fleet.figures import Figure
from gridhall.fleet.hardware import Hardware
from gridhall.fleet.models import MAX_POD_RACKS, Fabric, Feed, Fleet, Grid, Hall, RackGroup, Site


@dataclass(frozen=True)
class NodeRecord:
    """One node as its source tells it; `rack`, `pod` and `hall` are names, empty where the source says nothing."""

    name: str
    model: str
    gpus: int
    cpu_cores: float
    mem_gib: float
    where: str
    rack: str = ""
    pod: str = ""
    hall: str = ""


@dataclass(frozen=True)
class SiteFacts:
    """What no node list tells. `types` maps GPU models of the source to catalogue types (`{"tesla_v100": "v100m32"}`).

    Without `feed_limit_mw` the feed is taken to carry every rack at full load.
    """

    site: str = "site"
    country: str = "GB"
    operator: str = "operator"
    pue: float = 1.2
    feed_limit_mw: float | None = None
    sharing: bool = False
    types: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class _Matched:
    """A record, the catalogue type it is made of, and the type it is."""

    record: NodeRecord
    base: str
    type: str


@dataclass(frozen=True)
class _Rack:
    hall: str
    pod: str
    type: str
    nodes: tuple[NodeRecord, ...]


def fleet_of_nodes(records: Sequence[NodeRecord], facts: SiteFacts, title: str, notes: Iterable[str]) -> Fleet:
    """Build a fleet of one site. Raises InputError that lists every node whose hardware is not known."""
    _check_facts(facts)
    matched = _match(records, facts.types)
    hardware = _hardware_types(matched)
    racks = [rack for key, nodes in _by_pod(matched) for rack in _stack(key, nodes, hardware[key[2]])]
    full_mw = sum(len(rack.nodes) * hardware[rack.type].node_max_w for rack in racks) * facts.pue / 1e6
    limit_mw = facts.feed_limit_mw or round(full_mw + 0.0005, 3)
    site = Site(
        id=facts.site,
        country=facts.country,
        operator=facts.operator,
        pue=Figure(value=facts.pue),
        grid=Grid(feeds=(Feed(tag="feed", limit_mw=Figure(value=limit_mw)),)),
        halls=_halls(racks, facts),
    )
    own = {name: hw for name, hw in hardware.items() if name not in shipped_hardware()}
    sources = shipped().sources
    used = {figure.source: None for hw in own.values() for figure in (hw.gpu_idle_w, hw.gpu_max_w, hw.node_fixed_w)}
    return Fleet(
        schema_id="fleet/v1",
        title=title,
        notes=tuple(notes),
        sources={name: sources[name] for name in used if name},
        hardware=own,
        sites=(site,),
    )


def _check_facts(facts: SiteFacts) -> None:
    try:
        figures = {"pue": facts.pue, "grid": {"feeds": [{"tag": "feed", "limit_mw": facts.feed_limit_mw or 1}]}}
        Site.model_validate({"id": facts.site, "country": facts.country, "operator": "", "halls": [], **figures})
    except ValidationError as error:
        faults = [(str(entry["loc"][0]), entry["msg"]) for entry in error.errors()]
        mend = "give an id of letters, digits and hyphens, a country such as GB, a PUE of 1 or more, a limit in MW"
        raise InputError([Fault("the facts about the site", *entry, mend) for entry in faults]) from error


def _match(records: Sequence[NodeRecord], mapping: Mapping[str, str]) -> list[_Matched]:
    catalogue = shipped_hardware()
    by_model: dict[str, str] = {}
    for name, hardware in catalogue.items():
        by_model.setdefault(hardware.gpu_model.lower(), name)
    matched: list[_Matched] = []
    faults: list[Fault] = []
    for record in records:
        model = record.model.lower()
        base = mapping.get(record.model) or mapping.get(model) or by_model.get(model) or model
        if base not in catalogue:
            mend = f"map {record.model or 'gpu'!r} to one of: {', '.join(sorted(catalogue))}"
            mapped = f", mapped to {base!r}," if base != model else ""
            problem = f"GPU model {record.model!r}{mapped} is not in the catalogue"
            faults.append(Fault(record.where, "model", problem, mend))
        elif not 1 <= record.gpus <= MAX_GPUS_PER_NODE:
            problem = f"{record.gpus} GPUs on one node"
            faults.append(Fault(record.where, "gpus", problem, f"give 1 to {MAX_GPUS_PER_NODE} GPUs a node"))
        else:
            matched.append(_Matched(record, base, _type_name(base, catalogue[base], record)))
    if faults:
        raise InputError(faults)
    return matched


def _type_name(name: str, base: Hardware, record: NodeRecord) -> str:
    """The catalogue's own name where the node is just like it, else the name with GPUs, cores and memory."""
    known = (base.gpus_per_node, base.cpu_cores.value, base.mem_gib.value)
    if (record.gpus, record.cpu_cores, record.mem_gib) == known:
        return name
    return f"{name}-{record.gpus}x-{record.cpu_cores:g}c-{record.mem_gib:.0f}g"


def _hardware_types(matched: list[_Matched]) -> dict[str, Hardware]:
    types: dict[str, Hardware] = {}
    for node in matched:
        if node.type not in types:
            base = shipped_hardware()[node.base]
            types[node.type] = base if node.type == node.base else _hardware(base, node.record)
    return types


def _hardware(base: Hardware, record: NodeRecord) -> Hardware:
    """The catalogue type with this node's counts; what a node draws beside its GPUs is scaled with them."""
    fixed = base.node_fixed_w
    if record.gpus != base.gpus_per_node:
        fixed = Figure(value=round(fixed.value * record.gpus / base.gpus_per_node))
    return Hardware(
        title=f"{base.gpu_model}, {record.gpus} a node (imported)",
        gpu_model=base.gpu_model,
        gpus_per_node=record.gpus,
        nodes_per_rack=base.nodes_per_rack,
        nvlink_domain=base.nvlink_domain,
        gpu_idle_w=base.gpu_idle_w,
        gpu_max_w=base.gpu_max_w,
        node_fixed_w=fixed,
        cpu_cores=Figure(value=record.cpu_cores, kind="measured"),
        mem_gib=Figure(value=record.mem_gib, kind="measured"),
    )


_PodKey = tuple[str, str, str]


def _by_pod(matched: list[_Matched]) -> list[tuple[_PodKey, list[NodeRecord]]]:
    """Nodes by (hall, pod, type): halls and pods in order of first appearance."""
    pods: dict[_PodKey, list[NodeRecord]] = {}
    for node in matched:
        pods.setdefault((node.record.hall or "hall", node.record.pod, node.type), []).append(node.record)
    halls = list(dict.fromkeys(hall for hall, _, _ in pods))
    return sorted(pods.items(), key=lambda entry: halls.index(entry[0][0]))


def _stack(key: _PodKey, nodes: list[NodeRecord], hardware: Hardware) -> list[_Rack]:
    """The racks that the source names, cut where they are too large; else racks as the catalogue fills them."""
    racks: list[_Rack] = []
    for name, members in groupby(nodes, lambda node: node.rack):
        row = list(members)
        size = MAX_NODES_PER_RACK if name else hardware.nodes_per_rack
        racks += [_Rack(*key, tuple(row[first : first + size])) for first in range(0, len(row), size)]
    return racks


def _halls(racks: list[_Rack], facts: SiteFacts) -> tuple[Hall, ...]:
    halls: list[Hall] = []
    number = 0
    for name, in_hall in groupby(racks, lambda rack: rack.hall):
        groups: list[RackGroup] = []
        for _, alike in groupby(in_hall, lambda rack: (rack.pod, rack.type, len(rack.nodes))):
            number += 1
            groups.append(_group(list(alike), number, facts))
        taken = {hall.id for hall in halls}
        hall_id = _safe(name) if _safe(name) not in taken else f"{_safe(name)}-{len(halls) + 1}"
        halls.append(Hall(id=hall_id, fabric=Fabric(kind="imported"), rack_groups=tuple(groups)))
    return tuple(halls)


def _group(racks: list[_Rack], number: int, facts: SiteFacts) -> RackGroup:
    first = racks[0]
    return RackGroup(
        prefix=f"{_safe(first.pod or first.hall)}-{number}-r",
        count=Figure(value=len(racks), kind="measured" if first.nodes[0].rack else "assumed"),
        type=first.type,
        feeds=("feed",),
        nodes_per_rack=len(first.nodes),
        pod_racks=min(len(racks), MAX_POD_RACKS) if first.pod else None,
        sharing=facts.sharing,
        hosts=tuple(node.name for rack in racks for node in rack.nodes),
    )


def _safe(name: str) -> str:
    """The name with letters that an id may hold."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name).strip("-._")[:40] or "x"
