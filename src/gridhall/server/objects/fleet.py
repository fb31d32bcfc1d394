"""Sites, halls, racks and nodes as they are read: what is there, what is free, and what it may draw.

Watts are committed ones: the idle power of what is up and the full charge of what runs.
"""

from typing import Annotated, Literal

from pydantic import Field

from gridhall.server.objects.part import Metadata, Part, Text

NodeProvisioning = Literal["expected", "in-service", "cordoned", "draining", "drained", "retired"]
NodeHealth = Literal["healthy", "lost", "unknown"]
NodeReason = Literal["none", "not-ready-yet", "not-reported"]


class Capacity(Part):
    """Nodes and GPUs. `free` = up, unused and kept for nobody; `held` = kept for a gang or a reservation.

    `out` = retired or cordoned. `shared_used_milli` is what is used of GPUs that may be divided, in 1/1000 GPU; they
    count in no other use.
    """

    nodes: int
    nodes_up: int
    gpus: int
    gpus_up: int
    gpus_used: int
    gpus_free: int
    gpus_held: int
    gpus_out: int
    shared_used_milli: int


class PowerLimit(Part):
    """A node of the power graph: what may be committed below it and what is."""

    id: str
    kind: str
    limit_w: int
    committed_w: int


class SiteSpec(Part):
    """What the operator wrote down about a site."""

    title: str
    country: str
    operator: str
    owner: str | None
    growth_zone: str | None
    pue_milli: int
    hardware: tuple[str, ...]


class SiteStatus(Part):
    """`engine` runs the work of the site; `power` has its feeds and the node nearest to its limit below them."""

    engine: str
    capacity: Capacity
    power: tuple[PowerLimit, ...]
    draw_w: int


class Site(Part):
    """One place with its grid connection."""

    metadata: Metadata
    spec: SiteSpec
    status: SiteStatus


class HallSpec(Part):
    """Where a hall is and what stands in it."""

    site: str
    hardware: tuple[str, ...]
    racks: int


class HallStatus(Part):
    """What is free in it."""

    capacity: Capacity


class Hall(Part):
    """A room of racks with one fabric."""

    metadata: Metadata
    spec: HallSpec
    status: HallStatus


class RackSpec(Part):
    """Where a rack stands and what it is made of. `nvlink_domain` = all of it is one."""

    site: str
    hall: str
    pod: int
    hardware: str
    nodes: tuple[str, ...]
    nvlink_domain: bool
    sharing: bool
    ready_from_ms: int


class RackStatus(Part):
    """What is free in a rack, and the limits that it hangs from, nearest first."""

    capacity: Capacity
    power: tuple[PowerLimit, ...]


class Rack(Part):
    """A rack."""

    metadata: Metadata
    spec: RackSpec
    status: RackStatus


class NodeSpec(Part):
    """What a node is and where, and whether people want it out of service."""

    site: str
    hall: str
    rack: str
    name: str
    hardware: str
    gpus: int
    cordoned: bool
    draining: bool
    note: str


class NodeUse(Part):
    """Work on a node. Of work that the caller may not read only the GPUs are told; `job` is then empty."""

    job: str
    project: str
    gpus: int


class NodeStatus(Part):
    """Where a node stands. `provisioning` is what people want of it, `health` what its engine says."""

    provisioning: NodeProvisioning
    health: NodeHealth
    reason: NodeReason
    message: str
    gpus_used: int
    shared_used_milli: int
    reservation: str
    in_use: bool
    used_by: tuple[NodeUse, ...]


class Node(Part):
    """One computer system."""

    metadata: Metadata
    spec: NodeSpec
    status: NodeStatus


class NodeNote(Part):
    """Why a node is taken out of service or put back."""

    note: Annotated[Text, Field(max_length=500)] = ""


class TenantUse(Part):
    """What one project has reserved and uses."""

    organisation: str
    project: str
    gpus_reserved: int
    gpus_in_use: int


class FleetCapacity(Part):
    """GPUs delivered, healthy, reserved and in use (NVIDIA's CAP01), of the whole fleet and by tenant."""

    time_ms: int
    gpus_delivered: int
    gpus_healthy: int
    gpus_reserved: int
    gpus_in_use: int
    tenants: tuple[TenantUse, ...]
