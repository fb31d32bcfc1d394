"""Random fleets, tenancies and policies, small enough to be walked over and mixed enough to meet every rule."""

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from gridhall.fleet.arrays import FOREVER_MS, MAX_POWER_PATH, FleetArrays
from gridhall.scheduling.policy import Policy, load_policy
from gridhall.tenancy import Organisation, Project, Tenancy

MOST_NODES = 36
SHIPPED = load_policy()


@dataclass(frozen=True)
class Case:
    """What a run begins with."""

    fleet: FleetArrays
    tenancy: Tenancy
    policy: Policy


def random_case(rng: Random, replaced: float | None = None) -> Case:
    """Any fleet, any tenancy, any policy; `replaced` is the share of the shipped policy's numbers that are replaced."""
    fleet = random_fleet(rng, [0.0, 0.3, 0.7, 1.0, 1.0, 3.0])
    return Case(fleet, random_tenancy(rng, fleet.gpus), random_policy(rng, replaced))


def calm_case(rng: Random) -> Case:
    """A fleet with watts for everyone and a policy in which everyone's turn comes."""
    fleet = random_fleet(rng, [1.0, 3.0])
    changes = {"passes": {"tick_minutes": 60.0}, "placement": {"spare_share": rng.choice([0.0, 0.1])}}
    return Case(fleet, random_tenancy(rng, fleet.gpus), changed(SHIPPED, changes))


# --- fleets ---------------------------------------------------------------------------------------------------------


@dataclass
class _Racks:
    """Racks of a fleet as they are drawn, in order."""

    cell: list[int]
    hall: list[int]
    pod: list[int]
    nodes: list[int]


def random_fleet(rng: Random, headrooms: list[float]) -> FleetArrays:
    """One to three sites with nodes of four or eight GPUs; watts above idle as a share of what the racks could draw."""
    cells: list[tuple[int, int]] = []
    halls: list[int] = []
    pods: list[int] = []
    racks = _Racks([], [], [], [])
    for site in range(rng.randint(1, 3)):
        for hw in rng.choice([[0], [1], [0, 1]]):
            cells.append((site, hw))
            _add_halls(rng, len(cells) - 1, halls, pods, racks)
    return _arrays(rng, cells, halls, pods, racks, headrooms)


def _add_halls(rng: Random, cell: int, halls: list[int], pods: list[int], racks: _Racks) -> None:
    for _ in range(rng.randint(1, 2)):
        halls.append(cell)
        for _ in range(rng.randint(1, 2)):
            pods.append(len(halls) - 1)
            size = rng.choice([1, 1, 2, 2, 3, 4, 6])
            for _ in range(rng.randint(1, 3)):
                left = MOST_NODES - sum(racks.nodes)
                if left > 0 or cell not in racks.cell or len(pods) - 1 not in racks.pod:
                    racks.cell.append(cell)
                    racks.hall.append(len(halls) - 1)
                    racks.pod.append(len(pods) - 1)
                    racks.nodes.append(max(1, min(left, size)))


def _arrays(
    rng: Random,
    cells: list[tuple[int, int]],
    halls: list[int],
    pods: list[int],
    racks: _Racks,
    headrooms: list[float],
) -> FleetArrays:
    sites = cells[-1][0] + 1
    count = len(racks.cell)
    gpus, idle, most, fixed = [4, 8], [70, 100], [700, 1000], [500, 900]
    paths = _power_paths(rng, cells, racks)
    floor, span = [0] * (1 + max(max(path) for path in paths)), [0.0] * (1 + max(max(path) for path in paths))
    for rack, path in enumerate(paths):
        hw = cells[racks.cell[rack]][1]
        for power in path:
            floor[power] += racks.nodes[rack] * (fixed[hw] + gpus[hw] * idle[hw])
            span[power] += racks.nodes[rack] * gpus[hw] * (most[hw] - idle[hw])
    limits = [low + round(high * rng.choice(headrooms)) for low, high in zip(floor, span, strict=True)]
    rack_path = np.full((count, MAX_POWER_PATH), -1, dtype=np.int64)
    for rack, path in enumerate(paths):
        rack_path[rack, : len(path)] = path
    return FleetArrays(
        site_names=tuple(f"site-{site}" for site in range(sites)),
        site_country=("GB",) * sites,
        site_pue_milli=_ints([1100] * sites),
        hw_names=("four", "eight"),
        hw_gpu_idle_w=_ints(idle),
        hw_gpu_max_w=_ints(most),
        hw_node_fixed_w=_ints(fixed),
        hw_gpus_per_node=_ints(gpus),
        hw_cpu_milli=_ints([64_000, 128_000]),
        hw_mem_mib=_ints([512_000, 1_024_000]),
        cell_site=_ints([site for site, _ in cells]),
        cell_hw=_ints([hw for _, hw in cells]),
        cell_rack0=_starts(racks.cell, len(cells)),
        hall_names=tuple(f"hall-{hall}" for hall in range(len(halls))),
        hall_cell=_ints(halls),
        hall_rack0=_starts(racks.hall, len(halls)),
        pod_hall=_ints(pods),
        pod_rack0=_starts(racks.pod, len(pods)),
        rack_names=tuple(f"rack-{rack}" for rack in range(count)),
        rack_cell=_ints(racks.cell),
        rack_hall=_ints(racks.hall),
        rack_pod=_ints(racks.pod),
        rack_nodes=_ints(racks.nodes),
        rack_node0=_ints([sum(racks.nodes[:rack]) for rack in range(count + 1)]),
        rack_nvlink=_ints([0] * count),
        rack_sharing=_ints([0] * count),
        rack_ready_from_ms=_ints([0] * count),
        rack_ready_to_ms=_ints([FOREVER_MS] * count),
        rack_capex_musd=_ints([0] * count),
        rack_path=rack_path.reshape(-1),
        rack_feed=_ints([path[-1] for path in paths]),
        power_names=tuple(f"power-{power}" for power in range(len(limits))),
        power_kind=("pdu",) * len(limits),
        power_site=_ints([0] * len(limits)),
        power_parent=_ints([-1] * len(limits)),
        power_limit_w=_ints(limits),
    )


def _power_paths(rng: Random, cells: list[tuple[int, int]], racks: _Racks) -> list[list[int]]:
    """For each rack the power nodes above it: its pod's PDU (or two), its hall's transformer, its site's feed."""
    numbers: dict[tuple[str, int], int] = {}
    two_paths = rng.random() < 0.3
    paths: list[list[int]] = []
    for rack, cell in enumerate(racks.cell):
        names = [("pdu", racks.pod[rack])]
        names += [("pdu-b", racks.pod[rack] // 2)] if two_paths else []
        names += [("transformer", racks.hall[rack]), ("feed", cells[cell][0])]
        paths.append([numbers.setdefault(name, len(numbers)) for name in names])
    return paths


def _ints(values: list[int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


def _starts(parents: list[int], count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.searchsorted(parents, np.arange(count + 1)).astype(np.int64)


# --- who asks -------------------------------------------------------------------------------------------------------


def random_tenancy(rng: Random, gpus: int) -> Tenancy:
    """One to three organisations with one to two projects each; quotas, borrowing and lending of any size, or none."""
    organisations: list[Organisation] = []
    projects: list[Project] = []
    for number in range(rng.randint(1, 3)):
        name = f"organisation-{number}"
        organisations.append(Organisation(name, rng.choice([1, 50, 100]), *_limits(rng, gpus)))
        for _ in range(rng.randint(1, 2)):
            projects.append(Project(f"p-{len(projects)}", name, rng.choice([1, 50, 100]), *_limits(rng, gpus)))
    return Tenancy(tuple(organisations), tuple(projects))


def _limits(rng: Random, gpus: int) -> tuple[int | None, int | None, int | None]:
    """Quota, borrowing and lending; most often the quota is large enough for something."""
    if rng.random() < 0.4:
        return None, None, None
    return (
        rng.choice([None, gpus // 2, rng.randint(0, gpus)]),
        rng.choice([None, None, 0, rng.randint(0, gpus)]),
        rng.choice([None, None, 0, rng.randint(0, gpus)]),
    )


# --- policies -------------------------------------------------------------------------------------------------------

CHOICES: dict[str, dict[str, list[Any]]] = {
    "order": {
        "stretch": [0.0, 6.0, 1000.0],
        "fair_share_hours": [0.0, 12.0, 500.0],
        "fair_share_half_life_days": [0.05, 7.0],
        "head_start_hours": [(-24.0, 0.0, 24.0, 240.0), (0.0, 0.0, 0.0, 0.0)],
    },
    "prediction": {"order_quantile": [0.0, 0.5, 1.0], "end_quantile": [0.2, 0.8, 1.0], "overrun_hours": [0.0, 1.0]},
    "passes": {"depth": [1, 3, 128], "tick_minutes": [0.5, 5.0, 60.0]},
    "placement": {
        "spread": [1.0, 1.13, 3.0, 100.0],
        "spread_wait_hours": [0.01, 2.0, 48.0],
        "spare_share": [0.0, 0.0, 0.1, 0.5, 0.99],
    },
    "holds": {
        "depth": [0, 2, 64],
        "after_hours": [0.0, 0.2, 2.0],
        "large_nodes": [1, 4, 512],
        "large_after_hours": [0.0, 0.1, 2.0],
        "window_hours": [0.0, 3.0, 1000.0],
        "window_hours_per_1000_nodes": [0.0, 500.0],
        "per_cell": [0, 1, 3, 64],
        "share": [0.0, 0.3, 0.7, 1.0],
        "idle_share": [0.0, 0.03, 1.0],
        "pod_to_hall_hours": [0.0, 1.0],
        "pod_to_cell_hours": [0.0, 3.0],
        "patience_hours": [0.0, 1.0],
        "replan_minutes": [1.0, 20.0],
    },
    "preemption": {"wait_minutes": [0.0, 10.0], "within_minutes": [0.0, 30.0, 10_000.0]},
    "failures": {"stuck_limit": [1, 3, 6], "backoff_minutes": [0.0, 5.0, 500.0]},
}


def random_policy(rng: Random, replaced: float | None = None) -> Policy:
    """The shipped policy with a few, most or all of its numbers replaced, by usual or extreme ones."""
    share = rng.choice([0.0, 0.2, 0.6, 1.0]) if replaced is None else replaced
    changes = {
        part: {name: rng.choice(values) for name, values in fields.items() if rng.random() < share}
        for part, fields in CHOICES.items()
    }
    return changed(SHIPPED, changes)


def changed(policy: Policy, changes: dict[str, dict[str, Any]]) -> Policy:
    """A policy with some of its numbers replaced."""
    values = policy.model_dump()
    for part, fields in changes.items():
        values[part] |= fields
    return Policy.model_validate(values)
