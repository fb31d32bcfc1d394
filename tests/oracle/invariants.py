"""What must hold after every event: DESIGN.md 6, and the compiled state against the objects of the reference."""

from collections import defaultdict

from gridhall.controller.state import ControllerState
from gridhall.fleet.capacity import PART_SETS, RACK_SETS
from gridhall.scheduling.decisions import N_BREACH
from gridhall.scheduling.jobs import FREE, QUEUED, R_HELD, RUNNING, STOPPING
from tests.oracle.reference_apart import meets
from tests.oracle.reference_state import NEVER_MS, Ceiling, Hold, Job, Node, Piece, State
from tests.oracle.reference_tenancy import Owner

STILL = {"going": 0, "told": 1, "standing": 2, "leaving": 3}
STATES = {"queued": QUEUED, "running": RUNNING, "stopping": STOPPING}
KINDS = {"gang": 1, "urgent": 2, "project": 3}


def check(w: ControllerState, s: State) -> None:
    """Raise AssertionError where the compiled state and the facts part, or where an invariant is broken."""
    check_jobs(w, s)
    check_queue(w, s)
    check_holds(w, s)
    check_nodes(w, s)
    check_counters(w, s)
    check_sets(w, s)
    check_power_and_quota(w, s)
    check_owners(w, s)
    check_desk(w, s)
    check_lists(w, s)


def same(w: ControllerState, name: str, expected: list[int]) -> None:
    found = w.view(name)[: len(expected)].tolist()
    assert found == expected, f"{name}: {found} where the facts say {expected}"


def masks_by_rack(nodes: list[Node]) -> dict[int, int]:
    masks: dict[int, int] = defaultdict(int)
    for node in nodes:
        masks[node.rack.number] |= 1 << node.place
    return masks


# --- jobs, queue, holds ---------------------------------------------------------------------------------------------


def check_jobs(w: ControllerState, s: State) -> None:
    """Every slot says what is known of its job; no job runs outside its allowed set."""
    states = [STATES[s.jobs[slot].state] if slot in s.jobs else FREE for slot in range(w.sizes["slots"])]
    same(w, "job_state", states)
    assert w.decided[N_BREACH] == 0
    for slot, job in s.jobs.items():
        for name in (
            "id",
            "reason",
            "attempt",
            "restarts",
            "stuck",
            "saved_ms",
            "high_ms",
            "median_ms",
            "not_before_ms",
        ):
            found = w.view(f"job_{name}")[slot]
            assert found == getattr(job, name), f"job {job.id}: {name} {found} where {getattr(job, name)} is right"
        assert w.job_hold[slot] == (job.hold.number + 1 if job.hold else 0), (
            f"job {job.id}: hold {w.job_hold[slot]}, {job.hold}"
        )
        assert w.job_charged_gpus[slot] == job.charged or not job.active
        if job.active:
            assert job.cell in job.cells, f"job {job.id} runs outside its allowed set"
            assert meets(job, job.pieces), f"job {job.id} does not lie as it must"
            assert w.job_cell[slot] == job.cell
            assert w.job_start_ms[slot] == job.start_ms
            assert chunks_of(w, int(w.job_chunk[slot])) == pieces_of(job.pieces)


def check_queue(w: ControllerState, s: State) -> None:
    """The queue is sorted and complete, and everyone in it has a stated reason."""
    queue = s.queue()
    assert w.queue_length[0] == len(queue)
    same(w, "queue_slot", [job.slot for job in queue])
    same(w, "queue_key", [s.key(job) for job in queue])
    same(w, "queue_gpus", [job.gpus for job in queue])
    same(w, "queue_cells", [sum(1 << cell for cell in job.cells) for job in queue])
    for job in queue:
        assert job.reason > 0, f"job {job.id} waits without a reason"
        assert (job.reason == R_HELD) == (job.hold is not None), f"job {job.id}: reason {job.reason}, hold {job.hold}"


def check_holds(w: ControllerState, s: State) -> None:
    """Every hold's nodes and times, and whose they are."""
    same(w, "hold_kind", [KINDS[s.holds[number].kind] if number in s.holds else 0 for number in range(96)])
    for number, hold in s.holds.items():
        assert w.hold_cell[number] == hold.cell
        assert w.hold_at_ms[number] == hold.at_ms
        assert w.hold_nodes[number] == len(hold.nodes())
        assert w.hold_lacks[number] == hold.lacks
        assert w.hold_slot[number] == (hold.job.slot + 1 if hold.job else 0)
        assert chunks_of(w, int(w.hold_chunk[number])) == pieces_of(hold.pieces)
    held: dict[int, list[Hold]] = defaultdict(list)
    for hold in s.holds.values():
        held[hold.cell].append(hold)
    same(w, "cell_holds", [len(held[cell.number]) for cell in s.cells])
    same(w, "cell_held_nodes", [sum(len(hold.nodes()) for hold in held[cell.number]) for cell in s.cells])
    same(w, "project_hold", [project.opened.number + 1 if project.opened else 0 for project in s.projects])


def pieces_of(pieces: list[Piece]) -> list[tuple[int, int]]:
    return [(piece.rack.number, piece.mask) for piece in pieces]


def chunks_of(w: ControllerState, at: int) -> list[tuple[int, int]]:
    """A list of chunks as (rack, mask of nodes)."""
    found: list[tuple[int, int]] = []
    while at != 0:
        found.append((int(w.chunk_rack[at - 1]), int(w.chunk_mask[at - 1])))
        at = int(w.chunk_next[at - 1])
    return found


# --- capacity: GPUs are conserved, and every index is what the facts make it ----------------------------------------


def check_nodes(w: ControllerState, s: State) -> None:
    """Each GPU of each node is idle or has exactly the job that the reference gave it to."""
    same(w, "node_up", [int(node.up) for node in s.nodes])
    same(w, "node_here", [int(node.here) for node in s.nodes])
    same(w, "node_cordoned", [int(node.cordoned) for node in s.nodes])
    same(w, "node_out", [int(node.out) for node in s.nodes])
    same(w, "node_used", [len(node.users) - node.users.count(None) for node in s.nodes])
    same(w, "node_gpu_mask", [sum(1 << gpu for gpu, job in enumerate(node.users) if job) for node in s.nodes])
    same(w, "node_job", [node.gang.slot + 1 if node.gang else 0 for node in s.nodes])
    same(w, "node_hold", [node.hold.number + 1 if node.hold else 0 for node in s.nodes])
    same(w, "node_end_ms", [node.end_ms() for node in s.nodes])
    same(w, "node_part", [node.part_free() for node in s.nodes])
    away = [not node.takes_work or node.hold is not None for node in s.nodes]
    same(w, "node_free_ms", [NEVER_MS if gone else node.end_ms() for node, gone in zip(s.nodes, away, strict=True)])
    for node in s.nodes:
        users = [0 if job is None or not job.part else job.slot + 1 for job in node.users]
        assert w.view("gpu_job")[node.number * 16 : node.number * 16 + len(users)].tolist() == users


def check_counters(w: ControllerState, s: State) -> None:
    """Counters of racks, pods, halls and cells."""
    free = masks_by_rack([node for node in s.nodes if node.free])
    opened = masks_by_rack([node for node in s.nodes if node.open])
    held = masks_by_rack([node for node in s.nodes if node.hold])
    same(w, "rack_free", [free[rack.number] for rack in s.racks])
    same(w, "rack_open", [opened[rack.number] for rack in s.racks])
    same(w, "rack_held", [held[rack.number] for rack in s.racks])
    same(w, "rack_open_count", [opened[rack.number].bit_count() for rack in s.racks])
    for what in ("pod", "hall", "cell"):
        numbers = range(w.sizes[f"{what}s"])
        inside = [[rack for rack in s.racks if getattr(rack, what) == number] for number in numbers]
        same(w, f"{what}_open", [sum(len(rack.open_nodes()) for rack in racks) for racks in inside])
    same(w, "cell_nodes_up", [cell.up_count() for cell in s.cells])
    same(w, "cell_part_gpus", [cell.part_gpus() for cell in s.cells])
    used = [sum(len(node.users) - node.users.count(None) for node in cell.nodes()) for cell in s.cells]
    same(w, "cell_used_gpus", used)
    charged = [sum(job.charged for job in s.running() if job.cell == cell.number) for cell in s.cells]
    assert used == charged, "GPUs in use are not the GPUs that running jobs were given"


def check_sets(w: ControllerState, s: State) -> None:
    """The sets of racks by open nodes and of partly used nodes by free GPUs, with their upper levels and summaries."""
    for cell in s.cells:
        first, node0 = cell.racks[0].number, cell.nodes()[0].number
        racks = {rack.number - first: len(rack.open_nodes()) for rack in cell.racks}
        parts = {node.number - node0: node.part_free() for node in cell.nodes()}
        at, words = int(w.cell_rack_bits0[cell.number]), int(w.cell_rack_words[cell.number])
        check_set(w, at, words, RACK_SETS, racks)
        assert w.cell_open_counts[cell.number] == sum(1 << count for count in set(racks.values()) if count)
        for count in range(1, RACK_SETS):
            assert w.cell_racks_with[cell.number * RACK_SETS + count] == list(racks.values()).count(count)
        at, words = int(w.cell_node_bits0[cell.number]), int(w.cell_node_words[cell.number])
        check_set(w, at, words, PART_SETS, parts)
        assert w.cell_part_counts[cell.number] == sum(1 << count for count in set(parts.values()) if count)


def check_set(w: ControllerState, at: int, words: int, sets: int, members: dict[int, int]) -> None:
    lower = (len(members) + 31) // 32
    expected = [0] * (words * sets)
    for member, count in members.items():
        if count > 0:
            expected[count * words + member // 32] |= 1 << member % 32
            expected[count * words + lower + member // 1024] |= 1 << member // 32 % 32
    assert w.view("bits")[at : at + words * sets].tolist() == expected


# --- limits ---------------------------------------------------------------------------------------------------------


def check_power_and_quota(w: ControllerState, s: State) -> None:
    """Committed watts, quotas and fair share are what walking over the jobs gives."""
    same(w, "power_limit_w", s.limit_w)
    same(w, "power_committed_w", [s.committed_w(power) for power in range(len(s.limit_w))])
    charges = s.charges()
    same(w, "project_running", [charges[project.owner] for project in s.projects])
    same(w, "project_use", [project.use_s for project in s.projects])
    same(w, "project_delay_ms", [project.delay_ms for project in s.projects])
    for project in s.projects:
        assert project.owner.left(charges) >= 0, "a project or its organisation is over its quota"


def check_desk(w: ControllerState, s: State) -> None:
    """Load targets, who stands still, and that nobody stands still who may not."""
    told = [job for job in s.running() if job.still in ("told", "standing")]
    powers = range(len(s.own_limit_w))
    watts = [sum(job.node_w for job in told for node in job.nodes() if power in node.rack.above) for power in powers]
    same(w, "power_told_w", watts)
    same(w, "power_cut_w", [own - limit for own, limit in zip(s.own_limit_w, s.limit_w, strict=True)])
    same(w, "power_bound_w", [s.bounds[power].target_w + 1 if power in s.bounds else 0 for power in powers])
    same(w, "power_until_ms", [s.bounds[power].until_ms if power in s.bounds else 0 for power in powers])
    assert (w.told_jobs[0], w.bounds[0], w.desk_wake_ms[0]) == (len(told), len(s.bounds), s.desk_wake_ms)
    for slot, job in s.jobs.items():
        found = (w.job_still[slot], w.job_still_ms[slot], w.job_lost_ms[slot])
        assert found == (STILL[job.still], job.still_ms, job.lost_ms), f"job {job.id}: {found}, {job}"
        assert job.still == "going" or (job.state == "running" and job.tier in (3, 4)), "rigid work was touched"


def check_owners(w: ControllerState, s: State) -> None:
    """Organisations, projects, the quota tree and ceilings."""
    charges = s.charges()
    assert (w.n_organisations[0], w.n_projects[0]) == (len(s.organisations), len(s.projects))
    same(w, "org_weight", s.organisation_weights)
    same(w, "project_weight", [project.weight for project in s.projects])
    same(w, "project_org", [project.organisation for project in s.projects])
    same(w, "project_standing", [project.standing for project in s.projects])
    first, kinds = int(w.quota_project0[0]), int(w.ceiling_kinds[0])
    places = [*range(1 + len(s.organisations)), *range(first, first + len(s.projects))]
    owners = [s.root, *s.organisations, *(project.owner for project in s.projects)]
    for place, owner in zip(places, owners, strict=True):
        kept = owner.kept if owner.parent else 0
        found = [int(w.view(f"quota_{name}")[place]) for name in ("total", "guarantee", "most", "used", "version")]
        assert found == [owner.total, kept, owner.most(), owner.used(charges), owner.version]
        for kind in range(-1, s.hardware) if place else ():
            at = place * kinds + 1 + kind
            ceiling = s.ceilings.get((owner, kind)) or Ceiling()
            assert w.ceiling_used[at] == s.under_ceiling(owner, kind)
            assert w.ceiling_bound[at] == (0 if ceiling.most is None else ceiling.most + 1)
            assert w.ceiling_version[at] == ceiling.version


def check_lists(w: ControllerState, s: State) -> None:
    """Slots and chunks: none lost, none used twice; nothing is left in the scratch list of picks."""
    taken = w.sizes["slots"]
    bits = [sum(1 << slot % 32 for slot in s.jobs if slot // 32 == word) for word in range((taken + 31) // 32)]
    same(w, "slot_bits", bits)
    assert w.slots_taken[0] == len(s.jobs)
    assert w.picks[0] == 0
    following = w.view("chunk_next").tolist()
    free: list[int] = []
    at = int(w.chunk_free[0])
    while at != 0 and at <= len(following):
        free.append(at)
        at = following[at - 1]
    owners: list[Job | Hold] = [*s.running(), *s.holds.values()]
    used = sum(len(owner.pieces) for owner in owners)
    assert len(set(free)) == len(free) == len(following) - used, "chunks are lost or used twice"


def ceiling_use(s: State) -> dict[tuple[Owner, int], int]:
    """What is used under every ceiling."""
    return {(owner, kind): s.under_ceiling(owner, kind) for owner, kind in s.ceilings}


def within_ceilings(s: State, before: dict[tuple[Owner, int], int]) -> None:
    """Starts never take an owner above a ceiling: only a lowered ceiling does."""
    for key, ceiling in s.ceilings.items():
        if ceiling.most is not None and key in before:
            assert s.under_ceiling(*key) <= max(ceiling.most, before[key]), "an owner was taken above a ceiling"


def within_limits(s: State, before_w: list[int], event_adds_w: int) -> None:
    """Starts never take a power node above its limit: only a lowered limit and nodes that join do."""
    for power, before in enumerate(before_w):
        committed = s.committed_w(power)
        assert committed <= max(s.limit_w[power], before + event_adds_w), (
            f"power node {power} was taken above its limit"
        )
