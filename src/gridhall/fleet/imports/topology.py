"""Slurm's topology.conf: which switch or block each node stands in."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gridhall.errors import Fault, InputError, fault
from gridhall.fleet.imports.hostlist import expand


@dataclass
class Place:
    """Where a node stands; empty where the file does not say."""

    rack: str = ""
    pod: str = ""
    hall: str = ""


@dataclass(frozen=True)
class Topology:
    """The place of every node that the file names, in the file's order."""

    places: dict[str, Place]


def read_topology(path: Path) -> Topology:
    """Read a tree (SwitchName) or block (BlockName) topology. Raises InputError with every fault."""
    faults: list[Fault] = []
    places: dict[str, Place] = {}
    above: dict[str, str] = {}
    for where, line in _lines(path):
        name = line.get("switchname") or line.get("blockname")
        if name is None:
            continue
        try:
            nodes, switches = expand(line.get("nodes", "")), expand(line.get("switches", ""))
        except ValueError as error:
            faults.append(Fault(where, name, str(error), "write names such as gpu[001-016,020]"))
            continue
        above |= dict.fromkeys(switches, name)
        is_block = "blockname" in line
        for node in nodes:
            if node in places:
                faults.append(Fault(where, name, f"node {node!r} stands in two places", "name it once"))
            places[node] = Place(rack=name) if is_block else Place(pod=name)
    if not places and not faults:
        mend = "give lines such as SwitchName=leaf1 Nodes=gpu[001-016]"
        faults.append(Fault(f"{path}:1", "", "names no node", mend))
    if faults:
        raise InputError(faults)
    for place in places.values():
        place.hall = above.get(place.pod, "")
    return Topology(places)


def _lines(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Settings of each line, keys in lower case, with `file:line`; comments are dropped, continued lines joined."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise fault(str(path), "", f"cannot be read: {error}", "give the path of topology.conf") from error
    pending, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].strip()
        start = start if pending else number
        if line.endswith("\\"):
            pending += line[:-1] + " "
            continue
        words = [word.partition("=") for word in (pending + line).split()]
        pending = ""
        if words:
            yield f"{path}:{start}", {key.lower(): value for key, _, value in words}
