"""Nodes as objects, and the choice of nodes by what a caller asks for."""

from dataclasses import dataclass

import numpy as np

from gridhall.controller.state import ControllerState
from gridhall.kernel import Ints
from gridhall.scheduling.holds import FOR_PROJECT
from gridhall.server.live.fleet_map import FleetMap
from gridhall.server.live.nodes import KIND
from gridhall.server.live.world import Resource, World
from gridhall.server.objects.fleet import Node, NodeHealth, NodeProvisioning, NodeReason, NodeSpec, NodeStatus
from gridhall.server.objects.part import Metadata
from gridhall.server.views.capacity import shared_used_milli
from gridhall.server.views.fleet import fleet_metadata
from gridhall.server.views.reservations import reservation_of_hold
from gridhall.server.views.uses import May, SharedUses, node_uses, shared_uses

MESSAGES: dict[NodeReason, str] = {
    "none": "",
    "not-ready-yet": "its rack is not on line yet",
    "not-reported": "its engine does not say that it is up",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which nodes: of a site, hall or rack (ids), with this health or provisioning; empty = any."""

    site: str = ""
    hall: str = ""
    rack: str = ""
    hardware: str = ""
    provisioning: str = ""
    health: str = ""


def choose(world: World, chosen: Chosen, now_ms: int) -> list[int]:
    """The nodes, in the order of the fleet."""
    fleet, w = world.fleet, world.state
    here = np.ones(len(fleet.nodes), dtype=bool)
    rack = np.array(fleet.node_rack, dtype=np.int64)
    arrays = fleet.arrays
    for wanted, of_rack in (
        (chosen.site, np.array(arrays.site_names)[arrays.cell_site[arrays.rack_cell]]),
        (chosen.hall, np.array(fleet.rack_hall_ids)),
        (chosen.rack, np.array(fleet.rack_ids)),
        (chosen.hardware, np.array(arrays.hw_names)[arrays.cell_hw[arrays.rack_cell]]),
    ):
        if wanted:
            here &= (of_rack == wanted)[rack]
    nodes: list[int] = np.flatnonzero(here).tolist()
    if chosen.health:
        nodes = [node for node in nodes if health(fleet, w, node, now_ms)[0] == chosen.health]
    if chosen.provisioning:
        nodes = [
            node for node in nodes if provisioning(world, node, kept_of(world, node), now_ms) == chosen.provisioning
        ]
    return nodes


class NodeViews:
    """Makes node objects for one caller; what all of them need is looked up once."""

    def __init__(self, world: World, may: May, now_ms: int) -> None:
        self._world, self._may, self._now_ms = world, may, now_ms
        self._shared: SharedUses = shared_uses(world.state)
        self._milli: Ints = shared_used_milli(world.state)

    def object(self, node: int) -> Node:
        """The node of that index."""
        return self.rehearsed(node, kept_of(self._world, node))

    def rehearsed(self, node: int, kept: Resource | None) -> Node:
        """The node as it would be read if people had wanted that of it."""
        return Node(
            metadata=node_metadata(self._world, node, kept),
            spec=_spec(self._world, node, kept),
            status=self._status(node, kept),
        )

    def _status(self, node: int, kept: Resource | None) -> NodeStatus:
        world, w = self._world, self._world.state
        word, reason = health(world.fleet, w, node, self._now_ms)
        uses = node_uses(world, node, self._shared, self._may)
        return NodeStatus(
            provisioning=provisioning(world, node, kept, self._now_ms),
            health=word,
            reason=reason,
            message=MESSAGES[reason],
            gpus_used=min(int(w.node_used[node]), int(world.fleet.node_gpus[node])),
            shared_used_milli=int(self._milli[node]),
            reservation=self._reservation(node),
            in_use=bool(uses),
            used_by=uses,
        )

    def _reservation(self, node: int) -> str:
        """The id of the reservation that keeps it, where the caller may read it."""
        w = self._world.state
        hold = int(w.node_hold[node]) - 1
        if hold < 0 or w.hold_kind[hold] != FOR_PROJECT:
            return ""
        found = reservation_of_hold(self._world, hold)
        return found.id if found is not None and self._may(found.organisation, found.project) else ""


def kept_of(world: World, node: int) -> Resource | None:
    """What is kept about a node, where people ever did anything to it."""
    return world.directory.get(KIND, world.fleet.node_ids[node])


def node_metadata(world: World, node: int, kept: Resource | None) -> Metadata:
    """What people did to it last, where they did anything."""
    id = world.fleet.node_ids[node]
    if kept is None:
        return fleet_metadata(id=id, name=world.fleet.nodes[node])
    return Metadata(
        id=id,
        name=world.fleet.nodes[node],
        created_ms=kept.created_ms,
        created_by=kept.created_by,
        modified_ms=kept.modified_ms,
        version=kept.version,
    )


def _spec(world: World, node: int, kept: Resource | None) -> NodeSpec:
    fleet = world.fleet
    rack = fleet.node_rack[node]
    return NodeSpec(
        site=fleet.site_of(node).id,
        hall=fleet.rack_hall_ids[rack],
        rack=fleet.rack_ids[rack],
        name=fleet.nodes[node],
        hardware=fleet.hardware_of(node),
        gpus=int(fleet.node_gpus[node]),
        cordoned=_wanted(kept, "cordoned"),
        draining=_wanted(kept, "draining"),
        note=str(kept.spec.get("note", "")) if kept else "",
    )


def _wanted(kept: Resource | None, what: str) -> bool:
    return bool(kept and kept.spec.get(what))


def health(fleet: FleetMap, w: ControllerState, node: int, now_ms: int) -> tuple[NodeHealth, NodeReason]:
    """What is known of a node's health, and why it is not known or not good."""
    if w.node_up[node]:
        return "healthy", "none"
    rack = fleet.node_rack[node]
    if now_ms < int(fleet.arrays.rack_ready_from_ms[rack]):
        return "unknown", "not-ready-yet"
    return "lost", "not-reported"


def provisioning(world: World, node: int, kept: Resource | None, now_ms: int) -> NodeProvisioning:
    """What people want of a node, and how far that has come."""
    arrays, rack = world.fleet.arrays, world.fleet.node_rack[node]
    if now_ms < int(arrays.rack_ready_from_ms[rack]):
        return "expected"
    if now_ms >= int(arrays.rack_ready_to_ms[rack]):
        return "retired"
    if _wanted(kept, "draining"):
        return "draining" if world.state.node_used[node] else "drained"
    return "cordoned" if _wanted(kept, "cordoned") else "in-service"
