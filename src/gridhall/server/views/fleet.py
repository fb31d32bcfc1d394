"""Sites, halls and racks as objects."""

from functools import partial

from gridhall.server.live.fleet_map import FleetMap, HallPart, Span
from gridhall.server.live.world import World
from gridhall.server.objects.fleet import (
    Hall,
    HallSpec,
    HallStatus,
    Rack,
    RackSpec,
    RackStatus,
    Site,
    SiteSpec,
    SiteStatus,
)
from gridhall.server.objects.part import Metadata
from gridhall.server.views.capacity import above_rack, capacity, cell_draw_w, limits, tightest

OPERATOR = "operator"
fleet_metadata = partial(Metadata, created_ms=0, created_by=OPERATOR, modified_ms=0, version=1)
"""Metadata of what the fleet file says: it is there from the start and the file's owner alone changes it."""


def site_object(world: World, place: int) -> Site:
    """The site of that index."""
    fleet, w = world.fleet, world.state
    site, arrays, spans = fleet.fleet.sites[place], fleet.arrays, fleet.site_racks[place]
    draw_w = cell_draw_w(w)[arrays.cell_site == place]
    return Site(
        metadata=fleet_metadata(id=site.id, name=site.id),
        spec=SiteSpec(
            title=site.title or site.id,
            country=site.country,
            operator=site.operator,
            owner=site.owner,
            growth_zone=site.growth_zone,
            pue_milli=int(arrays.site_pue_milli[place]),
            hardware=hardware_of(fleet, spans),
        ),
        status=SiteStatus(
            engine=world.engine_of_site.get(site.id, ""),
            capacity=capacity(fleet, w, spans),
            power=limits(fleet, w, tightest(fleet, w, place)),
            draw_w=int(draw_w.sum()),
        ),
    )


def hall_object(world: World, hall: HallPart) -> Hall:
    """A hall."""
    fleet = world.fleet
    return Hall(
        metadata=fleet_metadata(id=hall.id, name=hall.id.partition(":")[2]),
        spec=HallSpec(
            site=fleet.fleet.sites[hall.site].id,
            hardware=hardware_of(fleet, hall.racks),
            racks=sum(last - first for first, last in hall.racks),
        ),
        status=HallStatus(capacity=capacity(fleet, world.state, hall.racks)),
    )


def rack_object(world: World, rack: int) -> Rack:
    """The rack of that index."""
    fleet, w, arrays = world.fleet, world.state, world.fleet.arrays
    cell, nodes = int(arrays.rack_cell[rack]), range(int(arrays.rack_node0[rack]), int(arrays.rack_node0[rack + 1]))
    id = fleet.rack_ids[rack]
    return Rack(
        metadata=fleet_metadata(id=id, name=id.partition(":")[2]),
        spec=RackSpec(
            site=arrays.site_names[int(arrays.cell_site[cell])],
            hall=fleet.rack_hall_ids[rack],
            pod=int(arrays.rack_pod[rack]),
            hardware=arrays.hw_names[int(arrays.cell_hw[cell])],
            nodes=tuple(fleet.node_ids[node] for node in nodes),
            nvlink_domain=bool(arrays.rack_nvlink[rack]),
            sharing=bool(arrays.rack_sharing[rack]),
            ready_from_ms=int(arrays.rack_ready_from_ms[rack]),
        ),
        status=RackStatus(
            capacity=capacity(fleet, w, [(rack, rack + 1)]), power=limits(fleet, w, above_rack(fleet, rack))
        ),
    )


def hardware_of(fleet: FleetMap, spans: tuple[Span, ...]) -> tuple[str, ...]:
    """The hardware types in some spans of racks, each of which is of one type."""
    arrays = fleet.arrays
    return tuple(
        dict.fromkeys(
            arrays.hw_names[int(arrays.cell_hw[arrays.rack_cell[first]])] for first, last in spans if last > first
        )
    )
