"""The fleet file: what an operator writes down about sites, power, halls and racks.

Words follow the field: NetBox's power plug-in (kinds of power nodes, domains, redundancy), NVIDIA DPS (feed tags) and
Redfish (cooling equipment). Power is IT power unless a name says otherwise; a feed's limit covers the whole site, and
`pue` says how much of it is left for the IT load.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gridhall.fleet.arrays import MAX_NODES_PER_RACK
from gridhall.fleet.catalogue import shipped_hardware
from gridhall.fleet.figures import Count, Figure, Kind, NotNegative, Part, Pue, Share, Temperature
from gridhall.fleet.hardware import Hardware

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Status = Literal["planned", "build-ready", "active", "paused", "decommissioning"]
Redundancy = Literal["none", "n_plus_1", "2n", "2n_plus_1", "distributed", "catcher", "custom"]
PowerKind = Literal[
    "utility_service", "generator", "paralleling_gear", "mv_switchgear", "lv_switchboard", "transformer", "ats", "sts",
    "maintenance_bypass", "ups", "battery_system", "bess", "rectifier", "inverter", "pdu", "rpp", "panelboard",
    "busway_run", "tap_off_box", "rack_circuit_terminator", "rack_pdu", "dc_distribution_panel",
]  # fmt: skip

MAX_POD_RACKS = 512
"""Most racks that one pod may hold: a slip of the pen beyond."""


class Claim(Part):
    """What somebody said in public about a site; compared with what is modelled, never used as a limit."""

    what: Literal["gpus", "it_mw", "site_mw", "capex_usd", "pue"]
    value: Annotated[float, Field(strict=True, ge=0)]
    kind: Kind
    as_of: date | None = None
    source: str | None = None
    note: str | None = None


class Weather(Part):
    """The weather series a site is cooled by, and the dry bulb temperature that its coolers were sized for."""

    series: str
    dry_bulb_design_c: Temperature | None = None


class Feed(Part):
    """A metered grid connection of the whole site, cooling and losses included; `tag` is the DPS feed tag."""

    tag: Id
    limit_mw: NotNegative
    min_mw: NotNegative | None = None
    default_mw: NotNegative | None = None


class Grid(Part):
    """The site's grid connections."""

    feeds: tuple[Feed, ...] = Field(min_length=1)


class PowerDomain(Part):
    """A part of the power system that fails as one."""

    code: Id
    kind: Literal["primary", "redundant", "maintenance", "catcher", "dc_bus"] = "primary"


class PowerRedundancy(Part):
    """How the power system is built to lose a part."""

    topology: Redundancy
    min_distinct_paths: int = Field(default=1, ge=1, le=4)


class PowerNode(Part):
    """A node of the power graph, or `count` alike nodes named `id-1` to `id-count`.

    `parent` is a feed tag or another node. Children of a family of nodes are spread over its members evenly, in order.
    """

    id: Id
    kind: PowerKind
    parent: str
    count: int = Field(default=1, ge=1, le=10_000)
    domain: str | None = None
    installed_kw: NotNegative | None = None
    usable_kw: NotNegative
    derating: Share = Figure(value=1.0)
    loss: tuple[Share, Share] | None = None  # loss of IT power: constant part, part that grows with load

    @property
    def limit_w(self) -> int:
        """Usable watts of one node after derating."""
        return int(self.usable_kw.value * self.derating.value * 1000 + 1e-6)


class Power(Part):
    """The power graph below the feeds."""

    domains: tuple[PowerDomain, ...] = ()
    redundancy: PowerRedundancy | None = None
    nodes: tuple[PowerNode, ...] = ()


class Loop(Part):
    """A facility water loop."""

    id: Id
    setpoint_c: Temperature
    reject: tuple[str, ...] = ()
    redundancy: Redundancy = "none"


class Rejector(Part):
    """What carries heat out of the site."""

    id: Id
    kind: Literal["dry_cooler", "adiabatic_cooler", "cooling_tower", "seawater", "chiller"]
    nominal_kw: NotNegative
    design_air_c: Temperature | None = None
    fan_fraction: Share | None = None
    adiabatic: Share | None = None


class Pumps(Part):
    """The pumps of a CDU."""

    n: int = Field(ge=1)
    redundancy: Redundancy = "none"


class Cdu(Part):
    """A coolant distribution unit, or `count` alike units named `id-1` to `id-count`."""

    id: Id
    loop: str
    count: int = Field(default=1, ge=1, le=10_000)
    capacity_kw: NotNegative
    approach_k: NotNegative | None = None
    tcs_setpoint_c: Temperature | None = None
    pumps: Pumps | None = None


class HeatReuse(Part):
    """Heat that somebody nearby takes."""

    max_kw: NotNegative
    supply_c: Temperature


class Cooling(Part):
    """Cooling equipment, kept as data for the cooling room."""

    water_class: Literal["W17", "W27", "W32", "W40", "W45", "W+"] | None = None
    loops: tuple[Loop, ...] = ()
    rejectors: tuple[Rejector, ...] = ()
    cdus: tuple[Cdu, ...] = ()
    heat_reuse: HeatReuse | None = None


class Fabric(Part):
    """The back-end network of a hall; `pod_racks` racks share a leaf layer (a SuperPOD's scalable unit)."""

    kind: str
    planes: int = Field(default=1, ge=1, le=16)
    rails: int = Field(default=8, ge=1, le=16)
    pod_racks: int = Field(default=8, ge=1, le=MAX_POD_RACKS)


class RackGroup(Part):
    """Alike racks that come on line together, named by `prefix` and a number from 1.

    `feeds` names what the racks hang from, the primary path first: nodes, families of nodes or feed tags. Racks of
    status `paused` never come on line.
    """

    prefix: Id
    count: Count
    type: str
    feeds: tuple[str, ...] = ()
    nodes_per_rack: int | None = Field(default=None, ge=1, le=MAX_NODES_PER_RACK)
    nvlink_domain: Literal["node", "rack"] | None = None
    pod_racks: int | None = Field(default=None, ge=1, le=MAX_POD_RACKS)
    cdu: str | None = None
    sharing: bool = False
    status: Status | None = None
    ready_from: date | None = None
    ready_to: date | None = None
    capex_usd_per_gpu: NotNegative | None = None
    hosts: tuple[str, ...] = ()  # names of the nodes, rack by rack, where they are known


class Hall(Part):
    """A room of racks with one fabric."""

    id: Id
    fabric: Fabric | None = None
    rack_groups: tuple[RackGroup, ...]


class Site(Part):
    """One place with its grid connection. Owner and landlord matter to sovereignty: whose law reaches in."""

    id: Id
    title: str | None = None
    country: Country
    operator: str
    owner: str | None = None
    landlord: str | None = None
    growth_zone: str | None = None
    status: Status = "active"
    claims: tuple[Claim, ...] = ()
    pue: Pue = Figure(value=1.2)
    weather: Weather | None = None
    grid: Grid
    power: Power = Power()
    cooling: Cooling | None = None
    halls: tuple[Hall, ...]


class Fleet(Part):
    """A whole fleet file."""

    schema_id: Literal["fleet/v1"] = Field(validation_alias="schema", serialization_alias="schema")
    title: str = ""
    notes: tuple[str, ...] = ()
    sources: dict[str, str] = Field(default_factory=dict)
    hardware: dict[Id, Hardware] = Field(default_factory=dict)
    sites: tuple[Site, ...] = Field(min_length=1)

    def hardware_type(self, name: str) -> Hardware | None:
        """The file's own type of that name, else the shipped one, else None."""
        return self.hardware.get(name) or shipped_hardware().get(name)
