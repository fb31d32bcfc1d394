"""A Slurm cluster: the output of `scontrol show node` and, where there is one, topology.conf.

A leaf switch becomes a pod and the switch above it a hall; a block (topology/block) becomes a rack, which is how NVLink
domains are told to Slurm. Nodes that are down or drained are part of the fleet; nodes of state FUTURE are not.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gridhall.errors import Fault, InputError, fault
from gridhall.fleet.imports.hostlist import split_commas
from gridhall.fleet.imports.nodes import NodeRecord, SiteFacts, fleet_of_nodes
from gridhall.fleet.imports.topology import Topology, read_topology
from gridhall.fleet.models import Fleet

_FIELD = re.compile(r"(?:^|\s)(NodeName|Gres|CPUTot|RealMemory|State)=(\S+)")
_GPU = re.compile(r"gpu(?::(?P<type>[^:]+))?:(?P<count>\d+)$")
_ASSUMED = (
    "Imported from Slurm: feed limit and PUE are assumed, and racks too where topology.conf names no blocks.",
    "GPU watts are the catalogue's; what a node draws beside its GPUs is scaled with their number.",
)


def read_slurm(nodes: str | Path, topology: str | Path | None, facts: SiteFacts) -> Fleet:
    """Read `scontrol show node` output (with or without `-o`) and topology.conf (None = one pod, one hall).

    GPU types of Gres are looked up in `facts.types`, then in the catalogue; an untyped `gpu:8` has the type `gpu`.
    Raises InputError with every fault of both files.
    """
    path = Path(nodes)
    faults: list[Fault] = []
    records = [record for where, text in _blocks(path) if (record := _record(where, text, faults))]
    faults += _repeated(records)
    if not records and not faults:
        faults.append(Fault(str(path), "Gres", "no node has a GPU", "run `scontrol show node` on the GPU cluster"))
    if faults:
        raise InputError(faults)
    notes = list(_ASSUMED)
    if topology is not None:
        records, unplaced = _placed(records, read_topology(Path(topology)))
        notes += [f"{unplaced} GPU nodes stand in no switch or block of topology.conf."] if unplaced else []
    return fleet_of_nodes(records, facts, f"Slurm cluster of {path.name}", notes)


def _blocks(path: Path) -> Iterator[tuple[str, str]]:
    """The text about each node, with its `file:line`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise fault(str(path), "", f"cannot be read: {error}", "save the output of `scontrol show node`") from error
    starts = [number for number, line in enumerate(lines) if line.startswith("NodeName=")]
    if not starts:
        raise fault(f"{path}:1", "NodeName", "no node in the file", "save the output of `scontrol show node`")
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield f"{path}:{start + 1}", "\n".join(lines[start:end])


def _record(where: str, text: str, faults: list[Fault]) -> NodeRecord | None:
    found: dict[str, str] = {}
    for name, value in _FIELD.findall(text):
        found.setdefault(name, value)
    if "FUTURE" in found.get("State", ""):
        return None
    missing = [name for name in ("Gres", "CPUTot", "RealMemory", "State") if name not in found]
    if missing:
        mend = "the output is cut off here: save it again"
        faults.append(Fault(where, missing[0], f"is missing for node {found['NodeName']!r}", mend))
        return None
    try:
        gpus = _gpus(found["Gres"])
        cores, mem_mib = int(found["CPUTot"]), int(found["RealMemory"])
    except ValueError as error:
        faults.append(Fault(where, "Gres", str(error), "give nodes one type of GPU, such as Gres=gpu:h100:8"))
        return None
    return NodeRecord(found["NodeName"], gpus[0], gpus[1], cores, mem_mib / 1024, where) if gpus else None


def _gpus(gres: str) -> tuple[str, int] | None:
    """Type and number of a node's GPUs, None where it has none."""
    kinds: list[tuple[str, int]] = []
    for part in split_commas(re.sub(r"\([^)]*\)", "", gres)):
        if not part.startswith("gpu"):
            continue
        match = _GPU.match(part)
        if match is None:
            raise ValueError(f"{part!r} does not say how many GPUs there are")
        kinds.append((match["type"] or "gpu", int(match["count"])))
    if len(kinds) > 1:
        raise ValueError(f"{gres!r} has several types of GPU on one node")
    return kinds[0] if kinds and kinds[0][1] else None


def _repeated(records: list[NodeRecord]) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for record in records:
        if record.name in first:
            problem = f"{record.name!r} stands already at {first[record.name]}"
            yield Fault(record.where, "NodeName", problem, "save each node once")
        first.setdefault(record.name, record.where)


def _placed(records: list[NodeRecord], topology: Topology) -> tuple[list[NodeRecord], int]:
    """Records with rack, pod and hall, in the topology's order, and how many it does not name."""
    order = {name: position for position, name in enumerate(topology.places)}
    placed = [replace(r, **vars(topology.places[r.name])) for r in records if r.name in order]
    placed.sort(key=lambda record: order[record.name])
    unplaced = [record for record in records if record.name not in order]
    return [*placed, *unplaced], len(unplaced)
