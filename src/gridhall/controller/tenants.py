"""Who may ask, and how much, while the work goes on: organisations, projects, quotas, ceilings and standing.

Whoever sets a quota or a ceiling says which version they saw. What is refused changes nothing.
"""

from gridhall.controller.events import (
    BLOCKED,
    CEILING,
    OPEN,
    ORGANISATION,
    PROJECT,
    QUOTA,
    STANDING,
    STOPPED_FOR_BUDGET,
    TENANT,
)
from gridhall.controller.state import ControllerState
from gridhall.kernel import kernel
from gridhall.scheduling.advance import ABOVE_ALL
from gridhall.scheduling.decisions import (
    SET,
    U_IN_USE,
    U_NO_ROOM,
    U_UNKNOWN,
    U_VALUE,
    U_VERSION,
    UNSET,
    WHY_BUDGET,
    emit,
)
from gridhall.scheduling.holds import drop_hold
from gridhall.scheduling.jobs import R_BUDGET, R_CLOSED, R_UNCONSIDERED, RUNNING
from gridhall.scheduling.owners import shut_reason
from gridhall.scheduling.stopping import stop_job
from gridhall.tenancy.quota import UNLIMITED, quota_take
from gridhall.tenancy.tree import over_quota, rebuild_tree

MOST = 1 << 40
"""The largest number that can be set."""


@kernel
def on_tenancy(w: ControllerState, kind: int, now_ms: int) -> int:
    """One of the four events about owners. Returns the cells in which somebody may start now."""
    level = PROJECT if kind == STANDING else w.event[2]
    owner = w.event[2] if kind == STANDING else w.event[3]
    refused = set_as_told(w, kind, level, owner, now_ms)
    version = version_of(w, kind, owner_node(w, level, owner))
    emit(w, UNSET if refused != 0 else SET, now_ms, -1, owner, level, kind, version, refused)
    if refused != 0:
        return 0
    review_waiting(w)
    return w.all_cells[0]


@kernel
def set_as_told(w: ControllerState, kind: int, level: int, owner: int, now_ms: int) -> int:
    """Change what the event says; 0, or why nothing was changed."""
    node = owner_node(w, level, owner)
    if kind == TENANT:
        return set_tenant(w, level, owner, w.event[4], w.event[5])
    if node < 0:
        return U_UNKNOWN
    if kind == QUOTA:
        return set_quota(w, node, w.event[4], w.event[5], w.event[6], w.event[7])
    if kind == CEILING:
        return set_ceiling(w, ceiling_place(w, node, w.event[4]), w.event[5], w.event[6])
    return set_standing(w, owner, w.event[3], now_ms)


@kernel
def version_of(w: ControllerState, kind: int, node: int) -> int:
    """The version of what the event is about; 0 where it has none."""
    if node >= 0 and kind == QUOTA:
        return w.quota_version[node]
    if node >= 0 and kind == CEILING and ceiling_place(w, node, w.event[4]) >= 0:
        return w.ceiling_version[ceiling_place(w, node, w.event[4])]
    return 0


@kernel
def owner_node(w: ControllerState, level: int, owner: int) -> int:
    """The node of the quota tree of an organisation or a project; -1 when there is none."""
    if level == ORGANISATION and 0 <= owner < w.n_organisations[0]:
        return 1 + owner
    if level == PROJECT and 0 <= owner < w.n_projects[0]:
        return w.quota_project0[0] + owner
    return -1


@kernel
def review_waiting(w: ControllerState) -> None:
    """Waiting work of who may start nothing says so, and gives up its hold; that of the others is looked at again."""
    for place in range(w.queue_length[0]):
        slot = w.queue_slot[place]
        reason = shut_reason(w, w.job_project[slot])
        if reason != 0:
            if w.job_hold[slot] != 0:
                drop_hold(w, w.job_hold[slot] - 1)
            w.job_reason[slot] = reason
        elif w.job_reason[slot] == R_CLOSED or w.job_reason[slot] == R_BUDGET:
            w.job_reason[slot] = R_UNCONSIDERED


# --- organisations and projects -------------------------------------------------------------------------------------


@kernel
def set_tenant(w: ControllerState, level: int, owner: int, parent: int, weight: int) -> int:
    """Make an organisation or a project, or set its weight; 0, or why not."""
    if weight < 0 or weight > MOST:
        return U_VALUE
    if level == ORGANISATION:
        if owner == w.n_organisations[0]:
            if owner + 1 >= w.quota_project0[0]:
                return U_NO_ROOM
            w.n_organisations[0] += 1
            join_tree(w, 1 + owner, 0)
        elif owner_node(w, level, owner) < 0:
            return U_UNKNOWN
        w.org_weight[owner] = weight
        return 0
    if level != PROJECT or owner_node(w, ORGANISATION, parent) < 0:
        return U_UNKNOWN
    if owner == w.n_projects[0]:
        if owner >= w.project_room[0]:
            return U_NO_ROOM
        w.n_projects[0] += 1
        w.project_org[owner] = parent
        join_tree(w, w.quota_project0[0] + owner, 1 + parent)
    elif owner_node(w, level, owner) < 0 or w.project_org[owner] != parent:
        return U_UNKNOWN
    w.project_weight[owner] = weight
    return 0


@kernel
def join_tree(w: ControllerState, node: int, parent: int) -> None:
    """A new owner has no GPUs of its own; it may borrow and lends without limit."""
    w.quota_parent[node] = parent
    w.quota_borrow[node] = UNLIMITED
    w.quota_lend[node] = UNLIMITED
    rebuild_tree(w)


# --- how much -------------------------------------------------------------------------------------------------------


@kernel
def set_quota(w: ControllerState, node: int, version: int, nominal: int, borrow: int, lend: int) -> int:
    """Set an owner's quota unless running work would be left without any; 0, or why not."""
    if version != w.quota_version[node]:
        return U_VERSION
    if nominal < 0 or nominal > MOST or min(borrow, lend) < -1 or max(borrow, lend) > MOST:
        return U_VALUE
    old_nominal = w.quota_nominal[node]
    old_borrow = w.quota_borrow[node]
    old_lend = w.quota_lend[node]
    before = over_quota(w)
    write_quota(w, node, nominal, borrow if borrow >= 0 else UNLIMITED, lend if lend >= 0 else UNLIMITED)
    if over_quota(w) > before:
        write_quota(w, node, old_nominal, old_borrow, old_lend)
        return U_IN_USE
    w.quota_version[node] += 1
    return 0


@kernel
def write_quota(w: ControllerState, node: int, nominal: int, borrow: int, lend: int) -> None:
    """Write an owner's quota and what follows from it."""
    w.quota_nominal[node] = nominal
    w.quota_borrow[node] = borrow
    w.quota_lend[node] = lend
    rebuild_tree(w)
    recharge(w)


@kernel
def recharge(w: ControllerState) -> None:
    """Count what every project has now against the new tree: how use splits over ancestors depends on guarantees."""
    for node in range(w.quota_project0[0] + w.n_projects[0]):
        w.quota_used[node] = 0
    for project in range(w.n_projects[0]):
        quota_take(w, w.quota_project0[0] + project, w.project_running[project])


@kernel
def ceiling_place(w: ControllerState, node: int, kind: int) -> int:
    """Where an owner's ceiling of a kind stands; -1 when there is no such kind."""
    known = kind >= -1 and kind + 1 < w.ceiling_kinds[0]
    return node * w.ceiling_kinds[0] + 1 + kind if known else -1


@kernel
def set_ceiling(w: ControllerState, place: int, version: int, most: int) -> int:
    """Set or lift one ceiling; 0, or why not."""
    if place < 0 or most < -1 or most > MOST:
        return U_VALUE
    if version != w.ceiling_version[place]:
        return U_VERSION
    w.ceilings_set[0] += (1 if most >= 0 else 0) - (1 if w.ceiling_bound[place] > 0 else 0)
    w.ceiling_bound[place] = most + 1
    w.ceiling_version[place] += 1
    return 0


@kernel
def set_standing(w: ControllerState, project: int, standing: int, now_ms: int) -> int:
    """Open or block a project; work of it that may be stopped is told to stop if asked. 0, or why not."""
    if standing != OPEN and standing != BLOCKED and standing != STOPPED_FOR_BUDGET:
        return U_VALUE
    w.project_standing[project] = standing
    if standing == STOPPED_FOR_BUDGET:
        for slot in range(w.n_slots[0]):
            if w.job_state[slot] == RUNNING and w.job_project[slot] == project:
                stop_job(w, slot, ABOVE_ALL, now_ms, WHY_BUDGET)
    return 0
