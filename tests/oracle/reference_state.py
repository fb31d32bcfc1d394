"""What the reference knows: nodes, jobs and holds as objects. Every sum is made by walking over the facts.

Words as in `gridhall.fleet.capacity`: a node is free when it is up, takes work and is unused, and open when
it is free and not held.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from gridhall.fleet.arrays import MAX_POWER_PATH, FleetArrays
from gridhall.scheduling import queue as q
from gridhall.scheduling.jobs import R_BUDGET, R_CLOSED
from gridhall.scheduling.policy import Policy
from gridhall.tenancy import Tenancy
from tests.oracle.reference_tenancy import Owner, tree_of

NEVER_MS = 1 << 60


@dataclass(eq=False)
class Job:
    """A job that waits or runs. `pieces` are its nodes rack by rack, in the order in which they are told."""

    slot: int
    id: int
    project: int
    user: int
    name: int
    priority: int
    preemptible: bool
    gpus: int
    gpus_per_node: int
    cells: set[int]
    limit_ms: int
    power_milli: int
    checkpoint_ms: int
    checkpoint_cost_ms: int
    submit_ms: int
    median_ms: int
    high_ms: int
    pack_level: int = 0
    min_domains: int = 0
    max_skew: int = 0
    best_effort: bool = False
    tier: int = 0
    deadline_ms: int = 0
    still: str = "going"
    still_ms: int = 0
    lost_ms: int = 0
    state: str = "queued"
    cancelled: bool = False
    reason: int = 0
    hold: "Hold | None" = None
    plan_ms: int = 0
    not_before_ms: int = 0
    attempt: int = 0
    restarts: int = 0
    stuck: int = 0
    saved_ms: int = 0
    start_ms: int = 0
    cell: int = 0
    pieces: list["Piece"] = field(default_factory=list)
    part: set[int] = field(default_factory=set)
    node_w: int = 0
    charged: int = 0

    @property
    def active(self) -> bool:
        return self.state in ("running", "stopping")

    def nodes(self) -> list["Node"]:
        return [node for piece in self.pieces for node in piece.nodes]

    def end_ms(self, start_ms: int) -> int:
        """When it is expected to be done if it starts (or started) then: at least a minute later."""
        return start_ms + max(60_000, self.high_ms - self.saved_ms)


@dataclass(eq=False, repr=False)
class Node:
    """One node. `users` has the job on each of its GPUs; `here` from the first day to the last, also in repair."""

    number: int
    place: int
    rack: "Rack"
    users: list[Job | None]
    up: bool = False
    out: bool = False
    here: bool = False
    cordoned: bool = False
    hold: "Hold | None" = None

    @property
    def takes_work(self) -> bool:
        return self.up and not self.out and not self.cordoned

    @property
    def idle(self) -> bool:
        return not any(self.users)

    @property
    def free(self) -> bool:
        return self.takes_work and self.idle

    @property
    def open(self) -> bool:
        return self.free and self.hold is None

    @property
    def gang(self) -> Job | None:
        """The job that has the whole node."""
        first = self.users[0]
        return first if first is not None and not first.part else None

    def jobs(self) -> list[Job]:
        """Each job on it once, in the order of its GPUs."""
        return list(dict.fromkeys(job for job in self.users if job is not None))

    def part_free(self) -> int:
        """Free GPUs if it is partly used and more work may come, else 0."""
        takes = self.takes_work and self.hold is None and not self.idle
        return self.users.count(None) if takes else 0

    def end_ms(self) -> int:
        """The latest predicted end of the work on it, 0 without work."""
        return max((job.end_ms(job.start_ms) for job in self.jobs()), default=0)


@dataclass(eq=False, repr=False)
class Rack:
    """A rack: its nodes, and the power nodes above it."""

    number: int
    cell: int
    pod: int
    hall: int
    above: list[int]
    nodes: list[Node] = field(default_factory=list)

    def open_nodes(self) -> list[Node]:
        return [node for node in self.nodes if node.open]


@dataclass
class Piece:
    """Nodes of one rack, the lowest first."""

    rack: Rack
    nodes: list[Node]

    @property
    def mask(self) -> int:
        return sum(1 << node.place for node in self.nodes)


@dataclass(eq=False, repr=False)
class Hold:
    """A time reservation: its nodes, and for whom. `kind` is gang, urgent or project."""

    number: int
    kind: str
    cell: int
    pieces: list[Piece]
    at_ms: int
    job: Job | None = None
    project: int = -1
    until_ms: int = 0
    lacks: int = 0

    def nodes(self) -> list[Node]:
        return [node for piece in self.pieces for node in piece.nodes]

    @property
    def ready(self) -> bool:
        return all(node.free for node in self.nodes())

    def gives_way(self, nodes: int) -> bool:
        """A gang's hold gives way to a gang of at least twice the size."""
        return self.kind == "gang" and 2 * len(self.nodes()) <= nodes


@dataclass(eq=False)
class Cell:
    """One hardware type at one site."""

    number: int
    hw: int
    gpus_per_node: int
    node_idle_w: int
    gpu_span_w: int
    racks: list[Rack]
    spares: int

    @property
    def rack_size(self) -> int:
        return max(len(rack.nodes) for rack in self.racks)

    def nodes(self) -> list[Node]:
        return [node for rack in self.racks for node in rack.nodes]

    def open_count(self) -> int:
        return sum(node.open for node in self.nodes())

    def up_count(self) -> int:
        return sum(node.up for node in self.nodes())

    def part_gpus(self) -> int:
        return sum(node.part_free() for node in self.nodes())

    def nodes_for(self, gpus: int) -> int:
        return -(-gpus // self.gpus_per_node)

    def domains(self, what: str) -> list[list[Rack]]:
        """Its pods or halls as lists of racks, in order."""
        numbers = sorted({getattr(rack, what) for rack in self.racks})
        return [[rack for rack in self.racks if getattr(rack, what) == number] for number in numbers]


@dataclass(eq=False)
class Project:
    """A project's use, for fair share. `opened` is the advance reservation that is open to it."""

    owner: Owner
    organisation: int
    weight: int
    use_s: int = 0
    since_ms: int = 0
    delay_ms: int = 0
    opened: Hold | None = None
    standing: int = 0


@dataclass(eq=False)
class Ceiling:
    """A hard limit of one owner; `most` None = there is none."""

    most: int | None = None
    version: int = 0


@dataclass(eq=False)
class Bound:
    """A load target of a power node, or (with `until_ms`) what it drew before one, for a time after it."""

    target_w: int
    before_w: int
    until_ms: int = 0


@dataclass(eq=False)
class State:
    """Everything, and the effects of the step at hand. `below` are the nodes below each power node."""

    policy: list[int]
    cells: list[Cell]
    racks: list[Rack]
    nodes: list[Node]
    own_limit_w: list[int]
    below: list[list[Node]]
    organisation_weights: list[int]
    organisations: list[Owner]
    projects: list[Project]
    root: Owner
    hardware: int
    room: tuple[int, int]
    ceilings: dict[tuple[Owner, int], Ceiling] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    learned: dict[int, tuple[int, list[int]]] = field(default_factory=dict)
    effects: list[tuple[int, ...]] = field(default_factory=list)
    bounds: dict[int, Bound] = field(default_factory=dict)
    able: set[int] = field(default_factory=set)
    now_ms: int = 0
    wake_ms: int = 0
    desk_wake_ms: int = 0
    fair_next_ms: int = 0

    @property
    def limit_w(self) -> list[int]:
        """The limits that hold: each power node's own, or its load target where that is lower."""
        bounds = self.bounds
        return [
            min(own, bounds[power].target_w) if power in bounds else own for power, own in enumerate(self.own_limit_w)
        ]

    def running(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.active]

    def queue(self) -> list[Job]:
        """Waiting jobs in their order."""
        waiting = [job for job in self.jobs.values() if job.state == "queued"]
        return sorted(waiting, key=lambda job: (self.key(job), job.id))

    def key(self, job: Job) -> int:
        """submitted + stretch x predicted run time - head start of its priority + fair-share delay, in ms."""
        stretched = job.median_ms * self.policy[q.P_STRETCH_MILLI] // 1000
        head_start = self.policy[q.P_HEAD_START_MS + job.priority]
        return job.submit_ms + stretched - head_start + self.projects[job.project].delay_ms

    def holds_in_order(self) -> Iterator[Hold]:
        """The holds by number, as they are when their turn comes."""
        for number in range(96):
            if number in self.holds:
                yield self.holds[number]

    def charges(self) -> dict[Owner, int]:
        """GPUs counted against each project now."""
        total = {project.owner: 0 for project in self.projects}
        for job in self.running():
            total[self.projects[job.project].owner] += job.charged
        return total

    def committed_w(self, power: int) -> int:
        """Watts committed on a power node: idle watts of nodes that are here, and what each running job is charged."""
        idle = sum(self.cells[node.rack.cell].node_idle_w for node in self.below[power] if node.here)
        busy = sum(job.node_w for job in self.running() for node in job.nodes() if power in node.rack.above)
        return idle + busy

    def watts_left(self, rack: Rack, picked: list[Piece] = [], node_w: int = 0) -> int:  # noqa: B006 (never changed)
        """Watts that may still be committed in a rack, after those of nodes that are picked already."""
        left = NEVER_MS
        for power in rack.above:
            pending = sum(len(piece.nodes) * node_w for piece in picked if power in piece.rack.above)
            left = min(left, self.limit_w[power] - self.committed_w(power) - pending)
        return left

    def shut(self, project: int) -> int:
        """Why nothing of a project may start; 0 when it may."""
        each = self.projects[project]
        if 0 in (each.weight, self.organisation_weights[each.organisation]):
            return R_CLOSED
        return R_BUDGET if each.standing else 0

    def under_ceiling(self, owner: Owner, kind: int) -> int:
        """GPUs of a hardware type, or watts (kind -1), that running work of an owner has."""
        jobs = [job for job in self.running() if owner in self.owners(job.project)]
        if kind < 0:
            return sum(len(job.nodes()) * job.node_w for job in jobs)
        return sum(job.charged for job in jobs if self.cells[job.cell].hw == kind)

    def owners(self, project: int) -> list[Owner]:
        """A project and its organisation."""
        each = self.projects[project]
        return [each.owner, self.organisations[each.organisation]]

    def let_go(self) -> None:
        """Retired nodes that nobody uses are gone."""
        for node in self.nodes:
            if node.out and node.idle:
                node.up = node.here = False

    def end_pause(self, job: Job) -> None:
        """A job does not stand still any more."""
        if job.still != "going":
            job.lost_ms += self.now_ms - job.still_ms
            job.still, job.still_ms = "going", self.now_ms

    def say(self, kind: int, job: int, slot: int, attempt: int, a: int = 0, b: int = 0, c: int = 0) -> None:
        self.effects.append((kind, self.now_ms, job, slot, attempt, a, b, c))


def new_reference(fleet: FleetArrays, tenancy: Tenancy, policy: Policy, room: tuple[int, int] = (0, 0)) -> State:
    """The reference for a fleet on which nothing is up yet; `room` is that for organisations and projects."""
    racks: list[Rack] = []
    nodes: list[Node] = []
    for number in range(len(fleet.rack_cell)):
        path = fleet.rack_path[number * MAX_POWER_PATH : (number + 1) * MAX_POWER_PATH]
        cell, pod, hall = (int(each[number]) for each in (fleet.rack_cell, fleet.rack_pod, fleet.rack_hall))
        rack = Rack(number, cell, pod, hall, [int(power) for power in path if power >= 0])
        gpus = int(fleet.hw_gpus_per_node[fleet.cell_hw[cell]])
        rack.nodes = [Node(len(nodes) + place, place, rack, [None] * gpus) for place in range(fleet.rack_nodes[number])]
        racks.append(rack)
        nodes += rack.nodes
    cells: list[Cell] = []
    for number, hw in enumerate(fleet.cell_hw.tolist()):
        gpus = int(fleet.hw_gpus_per_node[hw])
        idle_w = int(fleet.hw_node_fixed_w[hw]) + gpus * int(fleet.hw_gpu_idle_w[hw])
        span_w = int(fleet.hw_gpu_max_w[hw] - fleet.hw_gpu_idle_w[hw])
        inside = [rack for rack in racks if rack.cell == number]
        size = sum(len(rack.nodes) for rack in inside)
        cells.append(
            Cell(number, hw, gpus, idle_w, span_w, inside, int(np.float64(size) * policy.placement.spare_share))
        )
    root, organisations, owners = tree_of(tenancy, sum(len(node.users) for node in nodes))
    projects = [
        Project(owner, int(organisation), project.weight)
        for owner, organisation, project in zip(owners, tenancy.project_organisation(), tenancy.projects, strict=True)
    ]
    weights = [each.weight for each in tenancy.organisations]
    numbers = [int(number) for number in policy.numbers()]
    limits = [int(limit) for limit in fleet.power_limit_w]
    below = [[node for node in nodes if power in node.rack.above] for power in range(len(limits))]
    kinds = len(fleet.hw_names)
    return State(numbers, cells, racks, nodes, limits, below, weights, organisations, projects, root, kinds, room)
