"""Read a fleet file: all of it, or every fault in it at once."""

from pathlib import Path

from gridhall.errors import InputError
from gridhall.fleet.graph import graph_problems
from gridhall.fleet.models import Fleet
from gridhall.fleet.typed import typed
from gridhall.fleet.yamlfile import read_yaml


def load_fleet(path: str | Path) -> Fleet:
    """Read and check a fleet file. Raises InputError with every fault: file and line, field, problem and mend."""
    document = read_yaml(Path(path))
    fleet, faults = typed(document, Fleet)
    if fleet is not None:
        told = {fault.field for fault in faults}
        found = [document.fault(p.place, p.problem, p.mend) for p in graph_problems(fleet)]
        faults += [fault for fault in found if fault.field not in told]
    if faults:
        raise InputError(sorted(faults, key=lambda fault: int(fault.where.rpartition(":")[2])))
    assert fleet is not None, "a model without faults is there"
    return fleet
