"""What do we have? Sites, grid feeds, the power graph, halls, racks, nodes and GPUs, and when each comes on line.

A request walks through this room so: a fleet file (YAML) is read with the line of every value (`yamlfile`), checked
against typed models whose every figure says what it rests on (`figures`, `hardware`, `models`, `typed`), checked as a
graph (`graph`: references, cycles, racks without feed) and becomes a `Fleet`. `compile` turns it into `FleetArrays`
(`arrays`, with `power` for the power graph), the integers that the kernels see; `capacity` counts on them what is free.
`check` adds up what a planner asks (`rollup` is the answer): GPUs and megawatts by site and status, the first
bottleneck of each hall, what is ready by when. `catalogue` holds the hardware that ships, `imports` reads a Slurm
cluster or a list of nodes, `dump` writes a fleet back as a file, `synthetic` makes fleets from a few numbers for tests
and benchmarks.
"""

from gridhall.fleet.arrays import FleetArrays
from gridhall.fleet.catalogue import shipped_hardware
from gridhall.fleet.check import check_fleet
from gridhall.fleet.compile import compile_fleet
from gridhall.fleet.dump import dump_fleet
from gridhall.fleet.hardware import Hardware
from gridhall.fleet.load import load_fleet
from gridhall.fleet.models import Fleet
from gridhall.fleet.rollup import Rollup
from gridhall.fleet.synthetic import uniform_fleet

__all__ = [
    "Fleet",
    "FleetArrays",
    "Hardware",
    "Rollup",
    "check_fleet",
    "compile_fleet",
    "dump_fleet",
    "load_fleet",
    "shipped_hardware",
    "uniform_fleet",
]
