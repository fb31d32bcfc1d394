"""What the numbers in a run's tables mean: names of sites, feeds, hardware and projects, when racks come on line, and
which load targets were set.

It is written beside the tables as `index.json`, so that a run folder can be read, compared and drawn by itself.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from gridhall.engines.twin.settings import Target
from gridhall.errors import fault
from gridhall.fleet.arrays import FOREVER_MS, FleetArrays, Ints
from gridhall.work.table import Workload


@dataclass(frozen=True)
class SiteName:
    """A site; `pue_milli` is its declared PUE."""

    name: str
    country: str
    pue_milli: int


@dataclass(frozen=True)
class CellName:
    """One hardware type at one site, with its GPUs when every rack is there and the GPUs of its largest rack."""

    site: int
    hardware: int
    gpus: int
    gpus_per_rack: int


@dataclass(frozen=True)
class FeedName:
    """A metered grid connection: its index among the power nodes and its limit as IT watts."""

    node: int
    name: str
    site: int
    limit_it_w: int


@dataclass(frozen=True)
class ProjectName:
    """A project and its organisation."""

    name: str
    organisation: str


@dataclass(frozen=True)
class Arrival:
    """GPUs of one site that come on line together; `ready_from_ms` is FOREVER_MS where no date brings them."""

    ready_from_ms: int
    ready_to_ms: int
    site: int
    gpus: int
    capex_musd: int


@dataclass(frozen=True)
class RunIndex:
    """Names behind the indexes of a run, its build-out and its load targets."""

    start_ms: int
    end_ms: int
    sites: tuple[SiteName, ...]
    hardware: tuple[str, ...]
    cells: tuple[CellName, ...]
    feeds: tuple[FeedName, ...]
    projects: tuple[ProjectName, ...]
    arrivals: tuple[Arrival, ...]
    targets: tuple[Target, ...] = ()

    @property
    def gpus(self) -> int:
        """GPUs of the fleet file, whenever they come."""
        return sum(cell.gpus for cell in self.cells)


def run_index(
    fleet: FleetArrays, workload: Workload, start_ms: int, end_ms: int, targets: tuple[Target, ...] = ()
) -> RunIndex:
    """The index of a run of `workload` on `fleet`."""
    sites = zip(fleet.site_names, fleet.site_country, fleet.site_pue_milli, strict=True)
    organisations = [workload.organisations[int(index)] for index in workload.project_organisation.tolist()]
    projects = zip(workload.projects, organisations, strict=True)
    return RunIndex(
        start_ms,
        end_ms,
        tuple(SiteName(name, country, int(pue)) for name, country, pue in sites),
        fleet.hw_names,
        _cells(fleet),
        _feeds(fleet),
        tuple(ProjectName(name, organisation) for name, organisation in projects),
        _arrivals(fleet),
        targets,
    )


def write_index(index: RunIndex, run: Path) -> None:
    """Write `index.json` into a run folder."""
    (run / "index.json").write_text(json.dumps(asdict(index), indent=1) + "\n")


def read_index(run: Path) -> RunIndex:
    """Read `index.json`. Raises InputError when `run` is not the folder of a run."""
    try:
        return TypeAdapter(RunIndex).validate_json((run / "index.json").read_bytes())
    except (OSError, ValidationError) as error:
        problem = f"cannot be read: {str(error).splitlines()[0]}"
        mend = "name a folder that `gridhall simulate` wrote, such as runs/laptop-seed1"
        raise fault(str(run), "index.json", problem, mend) from error


def _rack_gpus(fleet: FleetArrays) -> Ints:
    return fleet.rack_nodes * fleet.hw_gpus_per_node[fleet.cell_hw[fleet.rack_cell]]


def _cells(fleet: FleetArrays) -> tuple[CellName, ...]:
    gpus = _rack_gpus(fleet)
    cells: list[CellName] = []
    for cell, (site, hardware) in enumerate(zip(fleet.cell_site, fleet.cell_hw, strict=True)):
        mine = gpus[fleet.cell_rack0[cell] : fleet.cell_rack0[cell + 1]]
        cells.append(CellName(int(site), int(hardware), int(mine.sum()), int(mine.max())))
    return tuple(cells)


def _feeds(fleet: FleetArrays) -> tuple[FeedName, ...]:
    roots = np.flatnonzero(fleet.power_parent < 0)
    return tuple(
        FeedName(int(node), fleet.power_names[node], int(fleet.power_site[node]), int(fleet.power_limit_w[node]))
        for node in roots
    )


def _arrivals(fleet: FleetArrays) -> tuple[Arrival, ...]:
    gpus = _rack_gpus(fleet)
    racks = np.stack(
        [
            np.minimum(fleet.rack_ready_from_ms, FOREVER_MS),
            np.minimum(fleet.rack_ready_to_ms, FOREVER_MS),
            fleet.cell_site[fleet.rack_cell],
        ]
    )
    keys, group = np.unique(racks, axis=1, return_inverse=True)
    found: list[Arrival] = []
    for number, (ready_from, ready_to, site) in enumerate(keys.T.tolist()):
        mine = group.reshape(-1) == number
        found.append(Arrival(ready_from, ready_to, site, int(gpus[mine].sum()), int(fleet.rack_capex_musd[mine].sum())))
    return tuple(found)
