"""A state from a snapshot that may be older than this version: what did not exist then gets its stated default.

A column that is not named here starts at 0, and is declared so that 0 means "as before it existed". The others are
worked out from columns that have always been there.
"""

from collections.abc import Mapping

import numpy as np

from gridhall.controller.state import ControllerState
from gridhall.fleet.capacity import refresh_rack
from gridhall.kernel import Ints, kernel, state_cast
from gridhall.scheduling.jobs import FREE, QUEUED
from gridhall.scheduling.owners import count_use, least_gpus
from gridhall.tenancy.quota import UNLIMITED


def restore(sizes: Mapping[str, int], columns: Mapping[str, Ints]) -> ControllerState:
    """The state of these sizes and columns; columns that this version does not know are passed over."""
    w = ControllerState(_sizes(sizes, columns))
    w.load(dict(columns))
    if "project_room" not in columns:
        w.project_room[0] = w.sizes["projects"]
    if "quota_nominal" not in columns:
        _quota_as_set(w)
    if "ceiling_used" not in columns:
        w.ceiling_kinds[0] = w.sizes["ceilings"]
        count_ceilings(w.handle)
    if "job_least_gpus" not in columns:
        count_least(w.handle)
    if "node_here" not in columns:
        w.node_here[:] = w.view("node_up")  # a node in repair had given its idle watts back
    if "power_nodes" not in columns:
        w.power_nodes[0] = w.sizes["power"]
    if "idle_held" not in columns:
        count_idle(w.handle, len(w.rack_cell))
    return w


def _sizes(sizes: Mapping[str, int], columns: Mapping[str, Ints]) -> dict[str, int]:
    """Sizes that did not exist: the kinds of ceilings are watts and the hardware types."""
    return {"ceilings": 2 + int(columns["cell_hw"].max()), **sizes}


def _quota_as_set(w: ControllerState) -> None:
    """What was set, read back from what followed from it."""
    nodes = int(w.quota_project0[0] + w.n_projects[0])
    total, kept, parent = (w.view(f"quota_{name}")[:nodes] for name in ("total", "guarantee", "parent"))
    nominal = total.copy()
    np.subtract.at(nominal, parent[1:], (total - kept)[1:])
    nominal[0] = 0
    w.quota_nominal[:nodes] = nominal
    w.quota_lend[:nodes] = np.where(kept > 0, total - kept, UNLIMITED)
    most = total.copy()
    for node in range(1, nodes):
        most[node] = min(total[node] + int(w.quota_borrow[node]), kept[node] + most[parent[node]])
    w.quota_most[:nodes] = most
    gpus = (w.cell_nodes_all[:] + w.cell_shared_nodes[:]) * w.cell_gpus_per_node[:]
    w.fleet_gpus[0] = int(gpus.sum())


as_controller = state_cast(ControllerState)


@kernel
def count_ceilings(address: int) -> None:
    """Entry for Python: count what running work has under its owners' ceilings."""
    w = as_controller(address)
    for slot in range(w.n_slots[0]):
        if w.job_state[slot] > QUEUED:
            count_use(w, slot, 1)


@kernel
def count_least(address: int) -> None:
    """Entry for Python: the fewest GPUs that each job is charged."""
    w = as_controller(address)
    for slot in range(w.n_slots[0]):
        if w.job_state[slot] != FREE:
            w.job_least_gpus[slot] = least_gpus(w, slot)


@kernel
def count_idle(address: int, racks: int) -> None:
    """Entry for Python: the free nodes among those held, rack by rack."""
    w = as_controller(address)
    for rack in range(racks):
        refresh_rack(w, rack)
