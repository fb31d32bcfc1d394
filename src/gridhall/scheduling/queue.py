"""In which order? One list of waiting jobs, sorted by a key that is a time: the lower, the earlier its turn.

    key = submitted + stretch x predicted run time - head start of its priority + fair-share delay

Short work moves up, old work moves up, and nobody waits for ever, because a key never moves back while later work keeps
coming. `stretch` 0 is first come, first served; a large one is shortest job first. The fair-share delay follows the
decayed use of the project and of its organisation against their weights, and is refreshed on a fixed time grid.
"""

from gridhall.kernel import column, kernel
from gridhall.scheduling.jobs import JobColumns
from gridhall.tenancy.quota import QuotaColumns

P_STRETCH_MILLI = 0
P_FAIR_MS = 1
P_DEPTH = 2
P_HOLD_DEPTH = 3
P_CELL_HOLDS = 4
P_HOLD_SHARE_MILLI = 5
P_SPREAD_MILLI = 6
P_SPREAD_WAIT_MS = 7
P_HIGH_MILLI = 8
P_HALL_PENALTY_MS = 9
P_CELL_PENALTY_MS = 10
P_OVERRUN_MS = 11
P_REPLAN_MS = 12
P_PREEMPT_WAIT_MS = 13
P_MAX_STUCK = 14
P_BACKOFF_MS = 15
P_FAIR_GRID_MS = 16
P_FAIR_KEEP_MILLI = 17
P_MEDIAN_MILLI = 18
P_HEAD_START_MS = 19  # four entries, one a priority
P_PATIENCE_MS = 23
P_TICK_MS = 24
P_HOLD_AFTER_MS = 25
P_HOLD_WINDOW_MS = 26
P_HOLD_WINDOW_NODE_MS = 27
P_LARGE_NODES = 28
P_PREEMPT_WITHIN_MS = 29
P_LARGE_AFTER_MS = 30
P_IDLE_SHARE_MILLI = 31
POLICY_ENTRIES = 32


class QueueColumns(JobColumns, QuotaColumns):
    """Sizes: slots, projects, organisations; `policy` holds the policy file's numbers, indexed by P_*."""

    policy = column(POLICY_ENTRIES)
    queue_slot = column("slots")
    queue_key = column("slots")
    queue_cells = column("slots")
    queue_gpus = column("slots")
    queue_length = column(1)
    sort_slot = column("slots", derived=True)
    project_org = column("projects")
    project_weight = column("projects")
    org_weight = column("organisations")
    project_running = column("projects")  # GPUs allocated now
    project_since_ms = column("projects")
    project_use = column("projects")  # decayed GPU-seconds
    project_total = column("projects")  # GPU-seconds in all, no decay
    project_delay_ms = column("projects")
    project_standing = column("projects")  # 0 open, 1 blocked, 2 blocked and stopped
    project_hold = column("projects")  # hold + 1 of an advance reservation that is open to the project
    fair_next_ms = column(1)


@kernel
def job_key(w: QueueColumns, slot: int) -> int:
    """The job's place in the order, as a time in ms."""
    head_start = w.policy[P_HEAD_START_MS + w.job_priority[slot]]
    stretched = w.job_median_ms[slot] * w.policy[P_STRETCH_MILLI] // 1000
    return w.job_submit_ms[slot] + stretched - head_start + w.project_delay_ms[w.job_project[slot]]


@kernel
def goes_before(w: QueueColumns, slot: int, key: int, place: int) -> bool:
    """Whether a job with this key stands before the one at `place`; the older number wins a tie."""
    if key != w.queue_key[place]:
        return key < w.queue_key[place]
    return w.job_id[slot] < w.job_id[w.queue_slot[place]]


@kernel
def queue_find(w: QueueColumns, slot: int, key: int) -> int:
    """The place where a job with this key stands, or would stand."""
    low = 0
    high = w.queue_length[0]
    while low < high:
        middle = (low + high) >> 1
        if w.queue_slot[middle] != slot and not goes_before(w, slot, key, middle):
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def queue_put(w: QueueColumns, slot: int) -> int:
    """Insert a job by its key; returns its place."""
    key = job_key(w, slot)
    w.job_key[slot] = key
    place = queue_find(w, slot, key)
    at = w.queue_length[0]
    w.queue_length[0] = at + 1
    while at > place:
        w.queue_slot[at] = w.queue_slot[at - 1]
        w.queue_key[at] = w.queue_key[at - 1]
        w.queue_cells[at] = w.queue_cells[at - 1]
        w.queue_gpus[at] = w.queue_gpus[at - 1]
        at -= 1
    queue_set(w, place, slot)
    w.job_state[slot] = 1
    return place


@kernel
def queue_set(w: QueueColumns, place: int, slot: int) -> None:
    """Write one place of the queue from the job's columns."""
    w.queue_slot[place] = slot
    w.queue_key[place] = w.job_key[slot]
    w.queue_cells[place] = w.job_cells[slot]
    w.queue_gpus[place] = w.job_gpus[slot]


@kernel
def queue_drop(w: QueueColumns, place: int) -> None:
    """Take out the job at `place`."""
    last = w.queue_length[0] - 1
    w.queue_length[0] = last
    for at in range(place, last):
        w.queue_slot[at] = w.queue_slot[at + 1]
        w.queue_key[at] = w.queue_key[at + 1]
        w.queue_cells[at] = w.queue_cells[at + 1]
        w.queue_gpus[at] = w.queue_gpus[at + 1]


@kernel
def queue_sort(w: QueueColumns) -> None:
    """Give every waiting job a fresh key and restore the order: a bottom-up merge sort."""
    total = w.queue_length[0]
    for place in range(total):
        w.job_key[w.queue_slot[place]] = job_key(w, w.queue_slot[place])
    width = 1
    while width < total:
        for low in range(0, total, 2 * width):
            merge_runs(w, low, min(low + width, total), min(low + 2 * width, total))
        for place in range(total):
            w.queue_slot[place] = w.sort_slot[place]
        width *= 2
    for place in range(total):
        queue_set(w, place, w.queue_slot[place])


@kernel
def merge_runs(w: QueueColumns, low: int, middle: int, high: int) -> None:
    """Merge two sorted runs of `queue_slot` into `sort_slot`."""
    left = low
    right = middle
    for place in range(low, high):
        take_left = right >= high
        if left < middle and right < high:
            a = w.queue_slot[left]
            b = w.queue_slot[right]
            take_left = w.job_key[a] < w.job_key[b] or (w.job_key[a] == w.job_key[b] and w.job_id[a] < w.job_id[b])
        if take_left:
            w.sort_slot[place] = w.queue_slot[left]
            left += 1
        else:
            w.sort_slot[place] = w.queue_slot[right]
            right += 1


# --- fair share -----------------------------------------------------------------------------------------------------


@kernel
def accrue(w: QueueColumns, project: int, now_ms: int) -> None:
    """Add the GPU-seconds since the last change to a project's use."""
    seconds = w.project_running[project] * (now_ms - w.project_since_ms[project]) // 1000
    w.project_use[project] += seconds
    w.project_total[project] += seconds
    w.project_since_ms[project] = now_ms


@kernel
def fair_refresh(w: QueueColumns, projects: int, organisations: int, now_ms: int) -> None:
    """Decay every project's use and set its delay: the share it has had against the share it is due, at both levels."""
    total_weight = 0
    for org in range(organisations):
        total_weight += w.org_weight[org]
    total_use = 0
    for project in range(projects):
        accrue(w, project, now_ms)
        w.project_use[project] = w.project_use[project] * w.policy[P_FAIR_KEEP_MILLI] // 1000000
        total_use += w.project_use[project]
    for org in range(organisations):
        org_use = 0
        weights = 0
        for project in range(projects):
            if w.project_org[project] == org:
                org_use += w.project_use[project]
                weights += w.project_weight[project]
        outer = over_milli(org_use, total_use, w.org_weight[org], total_weight)
        for project in range(projects):
            if w.project_org[project] == org:
                inner = over_milli(w.project_use[project], org_use, w.project_weight[project], weights)
                w.project_delay_ms[project] = w.policy[P_FAIR_MS] * (2 * outer + inner) // 3000


@kernel
def over_milli(use: int, total_use: int, weight: int, total_weight: int) -> int:
    """How far a share of use is above (or below) the share due, per mille of the share due; -1000 to 3000."""
    if total_use <= 0 or weight <= 0:
        return 0
    share_ppm = use * 1000000 // total_use
    due_ppm = max(1, weight * 1000000 // total_weight)
    return min(3000, max(-1000, share_ppm * 1000 // due_ppm - 1000))
