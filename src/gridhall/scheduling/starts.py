"""Starting and ending work: the one place where nodes, watts and quota are taken for a job and given back.

Allowed places, watts and ceilings were checked when the nodes were picked, and are checked here again when they are
taken.
"""

from gridhall.fleet.arrays import MAX_GPUS_PER_NODE
from gridhall.fleet.capacity import (
    commit_watts,
    give_gpus,
    give_nodes,
    leave_if_idle,
    refresh_node,
    take_gpus,
    take_nodes,
    watts_left,
)
from gridhall.kernel import count_ones, kernel, trailing_zeros
from gridhall.scheduling.constraints import level_of_picks
from gridhall.scheduling.decisions import N_BREACH, N_POWER, N_STARTS, PLACE, RELEASE, START, emit
from gridhall.scheduling.holds import drop_hold
from gridhall.scheduling.jobs import (
    R_POWER,
    R_QUOTA,
    R_SHARED_FULL,
    RUNNING,
    drop_chunks,
    new_chunk,
)
from gridhall.scheduling.owners import (
    StartColumns,
    cell_bears,
    count_use,
    quota_allows,
    shared_gpus,
    shared_watts,
    shares_borne,
    watts_per_node,
)
from gridhall.scheduling.placement import LEVEL_RACK, RACK_TRIES, drop_picks
from gridhall.scheduling.queue import accrue
from gridhall.scheduling.sharing import pool_give, pool_next, pool_pick_gpu, pool_take
from gridhall.tenancy.ceilings import ceilings_bear
from gridhall.tenancy.quota import quota_give, quota_take

FRESH = 0
AGAIN = 1
SWAPPED = 2
NOTHING_REFUSED = 1 << 40
"""Value of `shared_refused_milli` while every request may be tried."""


@kernel
def book(w: StartColumns, slot: int, cell: int, gpus: int, level: int, now_ms: int) -> None:
    """Count a start: quota, use, times; and say START."""
    cause = AGAIN if w.job_attempt[slot] > 0 else FRESH
    w.job_attempt[slot] += 1
    w.job_state[slot] = RUNNING
    w.job_reason[slot] = 0
    w.job_cell[slot] = cell
    w.job_start_ms[slot] = now_ms
    w.job_charged_gpus[slot] = gpus
    project = w.job_project[slot]
    quota_take(w, w.quota_project0[0] + project, gpus)
    accrue(w, project, now_ms)
    w.project_running[project] += gpus
    count_use(w, slot, 1)
    if not ceilings_bear(w, w.quota_project0[0] + project, w.cell_hw[cell], 0, 0):
        w.decided[N_BREACH] += 1
    w.decided[N_STARTS] += 1
    say_start(w, slot, level, cause, now_ms)


@kernel
def say_start(w: StartColumns, slot: int, level: int, cause: int, now_ms: int) -> None:
    """The START effect and its PLACE rows."""
    cell = w.job_cell[slot]
    job = w.job_id[slot]
    attempt = w.job_attempt[slot]
    emit(w, START, now_ms, job, slot, attempt, cell, w.job_nodes[slot], level * 8 + cause)
    gpu_mask = w.job_gpu_mask[slot]
    if gpu_mask == 0:
        gpu_mask = (1 << w.cell_gpus_per_node[cell]) - 1
    at = w.job_chunk[slot]
    while at != 0:
        emit(w, PLACE, now_ms, job, slot, attempt, w.chunk_rack[at - 1], w.chunk_mask[at - 1], gpu_mask)
        at = w.chunk_next[at - 1]


@kernel
def predicted_end_ms(w: StartColumns, slot: int, now_ms: int) -> int:
    """When a job that starts now is expected to be done."""
    return now_ms + max(60000, w.job_high_ms[slot] - w.job_saved_ms[slot])


@kernel
def end_of_node_ms(w: StartColumns, node: int) -> int:
    """The latest predicted end of the work on a node, 0 when there is none."""
    if w.node_job[node] != 0:
        return predicted_end_ms(w, w.node_job[node] - 1, w.job_start_ms[w.node_job[node] - 1])
    latest = 0
    if w.node_used[node] > 0:
        for gpu in range(w.cell_gpus_per_node[w.rack_cell[w.node_rack[node]]]):
            holder = w.gpu_job[node * MAX_GPUS_PER_NODE + gpu]
            if holder != 0:
                latest = max(latest, predicted_end_ms(w, holder - 1, w.job_start_ms[holder - 1]))
    return latest


@kernel
def refresh_ends(w: StartColumns, chunks: int) -> None:
    """Bring the predicted ends of some chunks' nodes up to date after a job ended or its prediction changed."""
    at = chunks
    while at != 0:
        rest = w.chunk_mask[at - 1]
        while rest != 0:
            node = w.rack_node0[w.chunk_rack[at - 1]] + trailing_zeros(rest)
            rest &= rest - 1
            w.node_end_ms[node] = end_of_node_ms(w, node)
            refresh_node(w, node)
        at = w.chunk_next[at - 1]


@kernel
def start_picks(w: StartColumns, slot: int, cell: int, level: int, now_ms: int) -> None:
    """Start a gang on the picked nodes; their watts are committed already."""
    if (w.job_cells[slot] >> cell) & 1 == 0:
        w.decided[N_BREACH] += 1
    end_ms = predicted_end_ms(w, slot, now_ms)
    nodes = 0
    chunks = 0
    for place in range(w.picks[0] - 1, -1, -1):
        chunks = new_chunk(w, w.pick_rack[place], w.pick_mask[place], chunks)
        nodes += count_ones(w.pick_mask[place])
    for place in range(w.picks[0]):
        if watts_left(w, w.pick_rack[place]) < 0:
            w.decided[N_BREACH] += 1
        take_nodes(w, w.pick_rack[place], w.pick_mask[place], slot, end_ms)
    w.job_chunk[slot] = chunks
    w.job_nodes[slot] = nodes
    w.job_node_gpus[slot] = w.cell_gpus_per_node[cell]
    w.job_node_w[slot] = watts_per_node(w, slot, cell)
    w.job_gpu_mask[slot] = 0
    w.picks[0] = 0
    if w.job_hold[slot] != 0:
        drop_hold(w, w.job_hold[slot] - 1)
    book(w, slot, cell, nodes * w.cell_gpus_per_node[cell], level, now_ms)


@kernel
def start_part(w: StartColumns, slot: int, cell: int, node: int, now_ms: int) -> None:
    """Start a job on some GPUs of one node."""
    rack = w.node_rack[node]
    node_w = watts_per_node(w, slot, cell)
    commit_watts(w, rack, node_w)
    if (w.job_cells[slot] >> cell) & 1 == 0 or watts_left(w, rack) < 0:
        w.decided[N_BREACH] += 1
    gpus = w.job_gpus[slot]
    w.job_gpu_mask[slot] = take_gpus(w, node, gpus, slot, predicted_end_ms(w, slot, now_ms))
    w.job_chunk[slot] = new_chunk(w, rack, 1 << (node - w.rack_node0[rack]), 0)
    w.job_nodes[slot] = 1
    w.job_node_gpus[slot] = gpus
    w.job_node_w[slot] = node_w
    if w.job_hold[slot] != 0:
        drop_hold(w, w.job_hold[slot] - 1)
    book(w, slot, cell, gpus, LEVEL_RACK, now_ms)


@kernel
def needs_share(w: StartColumns, slot: int) -> bool:
    """Whether a job wants a part of a GPU, which only the shared pool has."""
    return w.job_gpu_milli[slot] < 1000


@kernel
def start_shared(w: StartColumns, slot: int, cells: int, now_ms: int) -> int:
    """Start a job of one node in the shared pool; 0, or the reason why not."""
    gpus = w.job_gpus[slot]
    milli = w.job_gpu_milli[slot]
    cpu = w.job_cpu_milli[slot]
    mem = w.job_mem_mib[slot]
    if gpus * milli >= w.shared_refused_milli[0]:
        return R_SHARED_FULL
    borne = shares_borne(w, slot, cells)
    if borne == 0 and cells != 0:
        return R_QUOTA
    node = pool_next(w, borne, cpu, mem, milli, gpus, -1)
    tries = 0
    while node >= 0 and tries < RACK_TRIES:
        cell = w.pool_cell[node]
        rack = w.node_rack[w.pool_node[node]]
        node_w = shared_watts(w, slot, cell)
        if watts_left(w, rack) >= node_w:
            take_share(w, slot, node, cell, rack, node_w, now_ms)
            return 0
        w.power_asked[0] += 1
        tries += 1
        node = pool_next(w, borne, cpu, mem, milli, gpus, node)
    if tries > 0:
        return R_POWER
    if borne == cells:
        w.shared_refused_milli[0] = gpus * milli
    return R_SHARED_FULL


@kernel
def take_share(w: StartColumns, slot: int, node: int, cell: int, rack: int, node_w: int, now_ms: int) -> None:
    """Take a job's share of a pool node and start it."""
    milli = w.job_gpu_milli[slot]
    gpus = w.job_gpus[slot]
    mask = pool_pick_gpu(w, node, w.job_cpu_milli[slot], milli, gpus)
    pool_take(w, node, mask, milli, w.job_cpu_milli[slot], w.job_mem_mib[slot])
    commit_watts(w, rack, node_w)
    if (w.job_cells[slot] >> cell) & 1 == 0 or watts_left(w, rack) < 0:
        w.decided[N_BREACH] += 1
    w.node_shares[w.pool_node[node]] += 1
    w.cell_shared_milli[cell] += gpus * milli
    w.job_gpu_mask[slot] = mask
    w.job_chunk[slot] = new_chunk(w, rack, 1 << (w.pool_node[node] - w.rack_node0[rack]), 0)
    w.job_nodes[slot] = 1
    w.job_node_gpus[slot] = gpus
    w.job_node_w[slot] = node_w
    book(w, slot, cell, shared_gpus(w, slot), LEVEL_RACK, now_ms)


@kernel
def give_share(w: StartColumns, slot: int, node: int) -> None:
    """Take a job's share of a pool node back."""
    milli = w.job_gpu_milli[slot]
    pool_give(w, w.pool_of_node[node], w.job_gpu_mask[slot], milli, w.job_cpu_milli[slot], w.job_mem_mib[slot])
    w.cell_shared_milli[w.job_cell[slot]] -= w.job_gpus[slot] * milli
    w.shared_refused_milli[0] = NOTHING_REFUSED
    w.node_shares[node] -= 1
    leave_if_idle(w, node)


@kernel
def pick_chunks(w: StartColumns, chunks: int, node_w: int) -> bool:
    """Pick exactly the nodes of a list of chunks; False, and no picks, when a power ancestor cannot bear them."""
    w.picks[0] = 0
    at = chunks
    while at != 0:
        rack = w.chunk_rack[at - 1]
        mask = w.chunk_mask[at - 1]
        watts = count_ones(mask) * node_w
        if watts_left(w, rack) < watts:
            w.power_asked[0] += 1
            drop_picks(w, node_w)
            return False
        commit_watts(w, rack, watts)
        w.pick_rack[w.picks[0]] = rack
        w.pick_mask[w.picks[0]] = mask
        w.picks[0] += 1
        at = w.chunk_next[at - 1]
    return True


@kernel
def start_hold(w: StartColumns, hold: int, now_ms: int) -> int:
    """Start the gang that a hold is for, all of whose nodes are free; 0, or the reason why not."""
    slot = w.hold_slot[hold] - 1
    cell = w.hold_cell[hold]
    if not quota_allows(w, slot, w.hold_nodes[hold] * w.cell_gpus_per_node[cell]) or not cell_bears(w, slot, cell):
        return R_QUOTA
    if not pick_chunks(w, w.hold_chunk[hold], watts_per_node(w, slot, cell)):
        w.decided[N_POWER] += 1
        return R_POWER
    start_picks(w, slot, cell, level_of_picks(w), now_ms)
    return 0


@kernel
def release(w: StartColumns, slot: int, now_ms: int) -> None:
    """Take a job's nodes, watts and quota back, and say RELEASE."""
    at = w.job_chunk[slot]
    while at != 0:
        rack = w.chunk_rack[at - 1]
        mask = w.chunk_mask[at - 1]
        commit_watts(w, rack, -count_ones(mask) * w.job_node_w[slot])
        node = w.rack_node0[rack] + trailing_zeros(mask)
        if w.node_shared[node] == 1:
            give_share(w, slot, node)
        elif w.job_gpu_mask[slot] == 0:
            give_nodes(w, rack, mask)
        else:
            give_gpus(w, node, w.job_gpu_mask[slot])
            w.node_end_ms[node] = end_of_node_ms(w, node)
            refresh_node(w, node)
        at = w.chunk_next[at - 1]
    drop_chunks(w, w.job_chunk[slot])
    w.job_chunk[slot] = 0
    w.job_gpu_mask[slot] = 0
    count_use(w, slot, -1)
    gpus = w.job_charged_gpus[slot]
    project = w.job_project[slot]
    quota_give(w, w.quota_project0[0] + project, gpus)
    accrue(w, project, now_ms)
    w.project_running[project] -= gpus
    w.job_charged_gpus[slot] = 0
    emit(w, RELEASE, now_ms, w.job_id[slot], slot, w.job_attempt[slot], w.job_cell[slot], gpus, 0)
