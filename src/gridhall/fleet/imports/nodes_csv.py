"""A CSV of nodes, such as the node list of Alibaba's openb trace (sn, cpu_milli, memory_mib, gpu, model)."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from gridhall.errors import Fault, InputError, fault
from gridhall.fleet.imports.nodes import NodeRecord, SiteFacts, fleet_of_nodes
from gridhall.fleet.models import Fleet

OPENB_COLUMNS = {"name": "sn", "cpu_milli": "cpu_milli", "mem_mib": "memory_mib", "gpus": "gpu", "model": "model"}
"""Our names for a node's columns, and openb's."""

_ASSUMED = (
    "Imported from a list of nodes: racks, halls, feed limit and PUE are assumed.",
    "GPU watts are the catalogue's; what a node draws beside its GPUs is scaled with their number.",
)


def read_nodes_csv(path: str | Path, facts: SiteFacts, columns: Mapping[str, str] = OPENB_COLUMNS) -> Fleet:
    """Read a CSV with one node a row; `columns` gives the header of name, cpu_milli, mem_mib, gpus and model.

    Nodes without GPUs are left out and counted in the notes. Raises InputError with every faulty row.
    """
    rows = _rows(Path(path), columns)
    faults: list[Fault] = []
    records = [record for where, row in rows if (record := _record(where, row, columns, faults))]
    faults += _repeated(records, columns["name"])
    with_gpus = [record for record in records if record.gpus > 0]
    if not with_gpus and not faults:
        faults.append(Fault(str(path), columns["gpus"], "no node has a GPU", "check the column of GPUs"))
    if faults:
        raise InputError(faults)
    left_out = len(records) - len(with_gpus)
    notes = [*_ASSUMED, *([f"{left_out} nodes without GPUs are left out."] if left_out else [])]
    return fleet_of_nodes(with_gpus, facts, f"Nodes of {Path(path).name}", notes)


def openb_fleet(path: str | Path) -> Fleet:
    """Alibaba's openb cluster as a fleet of one site in which single GPUs may be shared.

    Hardware types are named after the GPU model and the node's size, such as `v100m32-8x-96c-768g`.
    """
    return read_nodes_csv(path, SiteFacts(site="openb", country="CN", operator="Alibaba", sharing=True))


def _rows(path: Path, columns: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Rows with their `file:line`."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, restval="")
            header = list(reader.fieldnames or ())
            missing = [name for name in columns.values() if name not in header]
            rows = [] if missing else [(f"{path}:{reader.line_num}", row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise fault(str(path), "", f"cannot be read: {error}", "give the path of a CSV file") from error
    if missing:
        has = ", ".join(header) or "nothing"
        mend = "map the columns that the file has to name, cpu_milli, mem_mib, gpus and model"
        raise InputError([Fault(f"{path}:1", name, f"no such column; the header has {has}", mend) for name in missing])
    if not rows:
        raise fault(f"{path}:2", "", "the file has no rows", "give one node a row below the header")
    return rows


def _record(where: str, row: dict[str, str], columns: Mapping[str, str], faults: list[Fault]) -> NodeRecord | None:
    numbers: dict[str, int] = {}
    for name in ("cpu_milli", "mem_mib", "gpus"):
        text = row[columns[name]]
        if text.strip().isdecimal():
            numbers[name] = int(text)
        else:
            faults.append(
                Fault(where, columns[name], f"{text!r} is not a whole number", "write zero or more, in digits")
            )
    name, model = row[columns["name"]].strip(), row[columns["model"]].strip()
    if not name:
        faults.append(Fault(where, columns["name"], "is empty", "give every node a name"))
    if not name or len(numbers) < 3:
        return None
    return NodeRecord(name, model, numbers["gpus"], numbers["cpu_milli"] / 1000, numbers["mem_mib"] / 1024, where)


def _repeated(records: list[NodeRecord], column: str) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for record in records:
        if record.name in first:
            problem = f"{record.name!r} stands already at {first[record.name]}"
            yield Fault(record.where, column, problem, "name every node once")
        first.setdefault(record.name, record.where)
