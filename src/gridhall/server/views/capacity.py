"""What is there, up, used, free and held: for the whole fleet, and for any spans of racks."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from gridhall.controller.state import ControllerState
from gridhall.fleet.arrays import MAX_POWER_PATH
from gridhall.kernel import Ints
from gridhall.scheduling.holds import FOR_PROJECT, HOLDS
from gridhall.scheduling.jobs import RUNNING, STOPPING
from gridhall.scheduling.sharing_score import STRIDE
from gridhall.server.live.fleet_map import FleetMap, Span
from gridhall.server.live.world import World
from gridhall.server.objects.fleet import Capacity, FleetCapacity, PowerLimit, TenantUse


def capacity(fleet: FleetMap, w: ControllerState, spans: Iterable[Span]) -> Capacity:
    """Counts over some spans of racks."""
    nodes = _nodes_of(w, spans)
    gpus, up, used = fleet.node_gpus[nodes], w.view("node_up")[nodes] == 1, w.view("node_used")[nodes]
    out, held = _out(w)[nodes], w.view("node_hold")[nodes] != 0
    unused = (gpus - np.minimum(used, gpus)) * up
    return Capacity(
        nodes=len(nodes),
        nodes_up=int(up.sum()),
        gpus=int(gpus.sum()),
        gpus_up=int((gpus * up).sum()),
        gpus_used=int(np.minimum(used, gpus).sum()),
        gpus_free=int((unused * ~held * ~out).sum()),
        gpus_held=int((unused * held * ~out).sum()),
        gpus_out=int((gpus * out).sum()),
        shared_used_milli=int(shared_used_milli(w)[nodes].sum()),
    )


def shared_used_milli(w: ControllerState) -> Ints:
    """What is used of each node in the shared pool, in 1/1000 GPU; 0 for the others."""
    used = np.zeros(len(w.view("node_up")), dtype=np.int64)
    count = int(w.pool_count[0])
    free = w.view("pool_free")[: count * STRIDE].reshape(count, STRIDE).sum(axis=1)
    used[w.view("pool_node")[:count]] = w.view("pool_gpus")[:count] * 1000 - free
    return used


def _out(w: ControllerState) -> NDArray[np.bool_]:
    """Which nodes are retired or cordoned."""
    return (w.view("node_out") != 0) | (w.view("node_cordoned") != 0)


def _nodes_of(w: ControllerState, spans: Iterable[Span]) -> Ints:
    ends = w.view("rack_node0")
    parts = [np.arange(ends[first], ends[last], dtype=np.int64) for first, last in spans]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def limits(fleet: FleetMap, w: ControllerState, places: Iterable[int]) -> tuple[PowerLimit, ...]:
    """Nodes of the power graph by their indexes."""
    arrays = fleet.arrays
    return tuple(
        PowerLimit(
            id=arrays.power_names[place],
            kind=arrays.power_kind[place],
            limit_w=int(w.power_limit_w[place]),
            committed_w=int(w.power_committed_w[place]),
        )
        for place in places
    )


def above_rack(fleet: FleetMap, rack: int) -> Sequence[int]:
    """The nodes of the power graph above a rack, nearest first."""
    path = fleet.arrays.rack_path[rack * MAX_POWER_PATH : (rack + 1) * MAX_POWER_PATH]
    return [int(place) for place in path if place >= 0]


def tightest(fleet: FleetMap, w: ControllerState, site: int) -> list[int]:
    """The feeds of a site, and the node of its power graph that is nearest to its limit when that is none of them."""
    here = np.flatnonzero(fleet.arrays.power_site == site)
    feeds = [int(place) for place in here if fleet.arrays.power_parent[place] < 0]
    if len(here) == len(feeds):
        return feeds
    shares = w.view("power_committed_w")[here] / np.maximum(1, w.view("power_limit_w")[here])
    nearest = int(here[np.argmax(shares)])
    return feeds if nearest in feeds else [*feeds, nearest]


def cell_draw_w(w: ControllerState) -> Ints:
    """Committed watts of each cell: idle power of what is up, and the charge of what runs. Each watt counts once."""
    running = np.flatnonzero(np.isin(w.view("job_state"), (RUNNING, STOPPING)))
    charged = w.view("job_node_w")[running] * w.view("job_nodes")[running]
    total = w.view("cell_nodes_up") * w.view("cell_node_idle_w")
    np.add.at(total, w.view("job_cell")[running], charged)
    return total


def fleet_capacity(world: World, now_ms: int) -> FleetCapacity:
    """The four figures of the whole fleet, and of each project that has or reserves anything."""
    fleet, w = world.fleet, world.state
    arrays = fleet.arrays
    node_rack = np.array(fleet.node_rack, dtype=np.int64)
    ready = (arrays.rack_ready_from_ms <= now_ms) & (now_ms < arrays.rack_ready_to_ms)
    healthy = (w.view("node_up") == 1) & ~_out(w)
    tenants = [each for each in _tenants(world) if each.gpus_reserved or each.gpus_in_use]
    return FleetCapacity(
        time_ms=now_ms,
        gpus_delivered=int((fleet.node_gpus * ready[node_rack]).sum()),
        gpus_healthy=int((fleet.node_gpus * healthy).sum()),
        gpus_reserved=sum(each.gpus_reserved for each in tenants),
        gpus_in_use=sum(each.gpus_in_use for each in tenants),
        tenants=tuple(tenants),
    )


def _tenants(world: World) -> Iterable[TenantUse]:
    w, reserved = world.state, reserved_gpus(world.fleet, world.state)
    for project in world.directory.all("project"):
        in_use = int(w.project_running[project.number])
        kept = reserved.get(project.number, 0)
        yield TenantUse(organisation=project.organisation, project=project.id, gpus_reserved=kept, gpus_in_use=in_use)


def reserved_gpus(fleet: FleetMap, w: ControllerState) -> dict[int, int]:
    """GPUs kept by advance reservations, by the project's number."""
    found: dict[int, int] = {}
    for hold in range(HOLDS):
        if w.hold_kind[hold] == FOR_PROJECT:
            gpus = int(w.hold_nodes[hold] * w.cell_gpus_per_node[w.hold_cell[hold]])
            project = int(w.hold_project[hold])
            found[project] = found.get(project, 0) + (gpus if fleet.cell_has_gpus[w.hold_cell[hold]] else 0)
    return found
