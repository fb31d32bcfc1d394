"""openb workloads (Alibaba GPU trace v2023) as pods on a fleet, FGD's published results, and a stand-in for both."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gridhall.fleet import compile_fleet
from gridhall.fleet.arrays import FleetArrays
from gridhall.fleet.imports.nodes import NodeRecord, SiteFacts, fleet_of_nodes
from gridhall.fleet.imports.nodes_csv import openb_fleet

Ints = NDArray[np.int64]

OPENB = Path(__file__).resolve().parents[2] / "shared" / "data" / "traces" / "openb"
WORKLOADS = ("default", "cpu200", "gpushare40", "gpushare100", "gpuspec33", "multigpu20")
ATTRIBUTION = (
    "Alibaba cluster trace gpu-v2023 (openb), via hkust-adsl/kubernetes-scheduler-simulator, Apache-2.0. Weng et al., "
    "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent, USENIX ATC 2023."
)
POLICIES = ("01-Random", "02-DotProd", "03-GpuClustering", "04-GpuPacking", "05-BestFit", "06-FGD")
"""Published policies, as the file of expected results names them."""


@dataclass(frozen=True)
class Pods:
    """Pods in order of arrival, one entry each. `cells` is the bit mask of allowed cells."""

    cpu_milli: Ints
    mem_mib: Ints
    gpu_milli: Ints
    gpus: Ints
    cells: Ints

    def __len__(self) -> int:
        return len(self.gpus)

    def take(self, rows: Ints) -> "Pods":
        """The chosen pods, in that order."""
        return Pods(*(column[rows] for column in (self.cpu_milli, self.mem_mib, self.gpu_milli, self.gpus, self.cells)))

    @property
    def demand_milli(self) -> Ints:
        """GPU share that each pod asks for."""
        return self.gpus * self.gpu_milli


def read_fleet() -> FleetArrays:
    """The 1,213 GPU nodes of openb."""
    return compile_fleet(openb_fleet(OPENB / "openb_node_list_gpu_node.csv"))


def read_pods(name: str, fleet: FleetArrays) -> Pods:
    """One of WORKLOADS. `gpu_spec` names allowed GPU models, separated by bars; empty = any."""
    models = [hw.split("-")[0] for hw in fleet.hw_names]
    cell_model = [models[hw] for hw in fleet.cell_hw]
    masks: dict[str, int] = {}
    rows: list[tuple[int, ...]] = []
    with (OPENB / f"openb_pod_list_{name}.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            spec = (row.get("gpu_spec") or "").lower()
            if spec not in masks:
                allowed = set(spec.split("|")) if spec else set(models)
                masks[spec] = sum(1 << cell for cell, model in enumerate(cell_model) if model in allowed)
            gpus = int(row["num_gpu"])
            milli = int(row["gpu_milli"]) if gpus else 0
            rows.append((int(row["cpu_milli"]), int(row["memory_mib"]), milli, gpus, masks[spec]))
    return Pods(*np.array(rows, dtype=np.int64).T.copy())


def read_published() -> dict[str, dict[str, dict[int, float]]]:
    """Published allocation in % by workload, policy and per cent of capacity arrived (100, 130): means of ten seeds."""
    found: dict[str, dict[str, list[dict[int, float]]]] = {}
    with (OPENB / "fgd_expected_allocation.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            workload = found.setdefault(row["workload"].removeprefix("openb_pod_list_"), {})
            workload.setdefault(row["sc_policy"], []).append({at: float(row[str(at)]) for at in (100, 130)})
    return {
        workload: {
            policy: {at: float(np.mean([run[at] for run in runs])) for at in (100, 130)}
            for policy, runs in policies.items()
        }
        for workload, policies in found.items()
    }


def synthetic_fleet() -> FleetArrays:
    """A stand-in of 200 nodes (1,000 GPUs) where the trace is absent; invented, not a fit."""
    records = [NodeRecord(f"small-{i}", "T4", 2, 104, 512, "synthetic") for i in range(100)]
    records += [NodeRecord(f"large-{i}", "H100", 8, 96, 768, "synthetic") for i in range(100)]
    return compile_fleet(fleet_of_nodes(records, SiteFacts(sharing=True), "Synthetic pool", ()))


def synthetic_pods(fleet: FleetArrays, seed: int = 1) -> Pods:
    """About as much work as the stand-in fleet holds: a third takes part of a GPU, a twentieth whole nodes."""
    draw = np.random.Generator(np.random.Philox(key=[seed, 0]))
    count = fleet.gpus * 9 // 10
    kind = draw.random(count)
    gpus = np.where(kind < 0.95, 1, np.where(kind < 0.97, 8, 2))
    milli = np.where(kind < 0.35, draw.choice([100, 250, 330, 460, 600, 810], count), 1000)
    cpu = draw.choice([2000, 4000, 8000, 12000], count) * gpus
    cells = np.full(count, (1 << len(fleet.cell_hw)) - 1)
    return Pods(*(column.astype(np.int64) for column in (cpu, cpu * 4, milli, gpus, cells)))
