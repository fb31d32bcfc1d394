"""Reservations as objects: what was asked for, from the directory, and the nodes that are kept, from the state."""

from collections.abc import Iterator

from gridhall.controller.state import ControllerState
from gridhall.scheduling.holds import FOR_PROJECT
from gridhall.server.live.world import Resource, World
from gridhall.server.objects.part import Metadata
from gridhall.server.objects.reservation import Reservation, ReservationSpec, ReservationState, ReservationStatus

KIND = "reservation"


def reservation_object(world: World, kept: Resource, now_ms: int) -> Reservation:
    """A reservation as it is read."""
    fleet, w = world.fleet, world.state
    hold, cell = kept.number - 1, as_int(kept, "cell")
    there = is_kept(w, kept)
    nodes = tuple(fleet.node_ids[node] for node in held_nodes(w, hold)) if there else ()
    spec = ReservationSpec.model_validate(kept.spec)
    per_node = int(fleet.arrays.hw_gpus_per_node[fleet.arrays.cell_hw[cell]]) if fleet.cell_has_gpus[cell] else 0
    return Reservation(
        metadata=metadata_of(kept),
        spec=spec,
        status=ReservationStatus(
            state=_state(w, kept, there, now_ms),
            site=fleet.arrays.site_names[int(fleet.arrays.cell_site[cell])],
            hardware=fleet.arrays.hw_names[int(fleet.arrays.cell_hw[cell])],
            from_ms=as_int(kept, "from_ms"),
            until_ms=spec.until_ms,
            gpus=spec.nodes * per_node,
            nodes=nodes,
            entry=as_int(kept, "entry"),
        ),
    )


def reservation_of_hold(world: World, hold: int) -> Resource | None:
    """The reservation that a hold of the core is."""
    w = world.state
    return next((r for r in world.directory.all(KIND) if r.number == hold + 1 and is_kept(w, r)), None)


def is_kept(w: ControllerState, kept: Resource) -> bool:
    """Whether the core still keeps the nodes; a hold's number is used again when it is over."""
    hold = kept.number - 1
    if hold < 0 or w.hold_kind[hold] != FOR_PROJECT or w.hold_project[hold] != as_int(kept, "project"):
        return False
    times = (as_int(kept, "from_ms"), kept.spec["until_ms"])
    return (int(w.hold_at_ms[hold]), int(w.hold_until_ms[hold])) == times


def held_nodes(w: ControllerState, hold: int) -> Iterator[int]:
    """The nodes of a hold, rack by rack."""
    at = int(w.hold_chunk[hold])
    while at:
        rest, first = int(w.chunk_mask[at - 1]), int(w.rack_node0[w.chunk_rack[at - 1]])
        while rest:
            yield first + (rest & -rest).bit_length() - 1
            rest &= rest - 1
        at = int(w.chunk_next[at - 1])


def metadata_of(kept: Resource) -> Metadata:
    """The metadata of any resource of the directory."""
    return Metadata(
        id=kept.id,
        name=kept.name,
        organisation=kept.organisation,
        project=kept.project,
        created_ms=kept.created_ms,
        created_by=kept.created_by,
        modified_ms=kept.modified_ms,
        version=kept.version,
    )


def as_int(kept: Resource, name: str) -> int:
    """A number from a resource's status."""
    value = kept.status.get(name, 0)
    return value if isinstance(value, int) else 0


def _state(w: ControllerState, kept: Resource, there: bool, now_ms: int) -> ReservationState:
    if not there:
        return "ended"
    return "active" if int(w.project_hold[as_int(kept, "project")]) == kept.number else "pending"
