"""The topology as a tree. Who may read every node sees all of it, a tenant the branches that its work stands in."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

import numpy as np

from gridhall.server.live.fleet_map import FleetMap, HallPart, Span
from gridhall.server.live.world import World
from gridhall.server.objects.topology import Branch, Topology, TopologyKind
from gridhall.server.views.fleet import hardware_of
from gridhall.server.views.uses import May, running_jobs

Shown = Callable[[int], bool]
"""Whether a rack is shown."""


def topology(world: World, sees_all: bool, may: May) -> Topology:
    """The tree for one caller."""
    fleet = world.fleet
    racks = None if sees_all else _racks_of(world, may)
    tree = _Tree(fleet, lambda rack: racks is None or rack in racks)
    return Topology(hash=topology_hash(fleet), sites=tuple(tree.site(site) for site in range(len(fleet.fleet.sites))))


class WholeTopology:
    """The whole tree as JSON, made once: the fleet stays as it is while the server runs."""

    def __init__(self, world: World) -> None:
        self._world = world

    @cached_property
    def json(self) -> str:
        """The tree of somebody who sees all of it."""
        return topology(self._world, True, lambda organisation, project: True).model_dump_json()


def topology_hash(fleet: FleetMap) -> str:
    """SHA-256 over every place and what it is part of."""
    arrays, total = fleet.arrays, hashlib.sha256()
    for names in (arrays.site_names, arrays.hall_names, arrays.hw_names, fleet.rack_ids, fleet.node_ids):
        total.update("\n".join([*names, ""]).encode())
    for column in (arrays.cell_site, arrays.cell_hw, arrays.hall_cell, arrays.pod_hall, arrays.rack_pod):
        total.update(column.tobytes())
    total.update(arrays.rack_node0.tobytes() + arrays.rack_nvlink.tobytes())
    return total.hexdigest()


def _racks_of(world: World, may: May) -> set[int]:
    """The racks in which work runs that the caller may read."""
    fleet, found = world.fleet, set[int]()
    for job in running_jobs(world):
        if job.open_attempt is not None and may(job.organisation, job.project):
            for place in job.open_attempt.places:
                found.add(fleet.node_rack[fleet.node_index[place.site, place.node]])
    return found


class _Tree:
    """Branches from sites down to nodes."""

    def __init__(self, fleet: FleetMap, shown: Shown) -> None:
        self._fleet, self._shown = fleet, shown

    def site(self, site: int) -> Branch:
        """A site; everyone sees that it is there."""
        fleet = self._fleet
        halls = [self._hall(hall) for hall in fleet.halls.values() if hall.site == site]
        return self._branch("site", fleet.fleet.sites[site].id, fleet.site_racks[site], halls)

    def _hall(self, hall: HallPart) -> Branch:
        pods = [self._pod(pod, span) for pod, span in self._pods(hall)]
        return self._branch("hall", hall.id, hall.racks, (pod for pod in pods if pod.children))

    def _pods(self, hall: HallPart) -> Iterator[tuple[int, Span]]:
        """The pods of a hall, each a run of racks."""
        ends = self._fleet.arrays.pod_rack0
        for first, last in hall.racks:
            for pod in np.unique(self._fleet.arrays.rack_pod[first:last]):
                yield int(pod), (int(ends[pod]), int(ends[pod + 1]))

    def _pod(self, pod: int, span: Span) -> Branch:
        racks = [self._rack(rack) for rack in range(*span) if self._shown(rack)]
        return self._branch("pod", f"pod-{pod}", [span], racks)

    def _rack(self, rack: int) -> Branch:
        fleet, arrays = self._fleet, self._fleet.arrays
        id, whole = fleet.rack_ids[rack], bool(arrays.rack_nvlink[rack])
        nodes = [
            Branch(
                kind="node",
                id=fleet.node_ids[node],
                nodes=1,
                gpus=int(fleet.node_gpus[node]),
                nvlink_domain=id if whole else fleet.node_ids[node],
            )
            for node in range(int(arrays.rack_node0[rack]), int(arrays.rack_node0[rack + 1]))
        ]
        return self._branch("rack", id, [(rack, rack + 1)], nodes, id if whole else "")

    def _branch(
        self, kind: TopologyKind, id: str, spans: Iterable[Span], children: Iterable[Branch], domain: str = ""
    ) -> Branch:
        fleet, spans = self._fleet, tuple(spans)
        ends = fleet.arrays.rack_node0
        return Branch(
            kind=kind,
            id=id,
            nodes=sum(int(ends[last] - ends[first]) for first, last in spans),
            gpus=sum(int(fleet.node_gpus[ends[first] : ends[last]].sum()) for first, last in spans),
            hardware=hardware_of(fleet, spans),
            nvlink_domain=domain,
            children=tuple(children),
        )
