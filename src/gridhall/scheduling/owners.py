"""What does a job take, and may its owners have it? Whole nodes, shares and watts; quota, ceilings and standing."""

from gridhall.kernel import column, kernel, trailing_zeros
from gridhall.scheduling.holds import HoldColumns
from gridhall.scheduling.jobs import R_BUDGET, R_CLOSED, R_UNCONSIDERED
from gridhall.scheduling.pauses import PauseColumns
from gridhall.scheduling.predictor import PredictorColumns
from gridhall.scheduling.sharing import SharingColumns
from gridhall.tenancy.ceilings import CeilingColumns, ceilings_bear, count_under_ceilings
from gridhall.tenancy.quota import UNLIMITED, quota_left


class StartColumns(HoldColumns, PauseColumns, PredictorColumns, SharingColumns, CeilingColumns):
    """Everything that scheduling knows; sizes as in the classes above."""

    cell_shared_nodes = column("cells")  # nodes of the shared pool, whenever they come
    cell_shared_milli = column("cells")  # allocated in the pool, 1/1000 GPU
    shared_refused_milli = column(1)  # the smallest request that found no room since the pool last changed

    all_cells = column(1)  # mask of all cells


@kernel
def charged_gpus(w: StartColumns, slot: int, cell: int) -> int:
    """GPUs that a job takes in a cell: whole nodes for a gang, its own GPUs on part of a node."""
    per_node = w.cell_gpus_per_node[cell]
    gpus = w.job_gpus[slot]
    if gpus < per_node and w.job_gpus_per_node[slot] <= gpus:
        return gpus
    return (gpus + per_node - 1) // per_node * per_node


@kernel
def least_gpus_in(w: StartColumns, slot: int, cell: int) -> int:
    """The fewest GPUs that a job is charged in a cell: a share, where the cell has shared nodes for it."""
    if w.cell_shared_nodes[cell] > 0 and w.job_gpus[slot] <= w.cell_gpus_per_node[cell]:
        return shared_gpus(w, slot)
    return charged_gpus(w, slot, cell)


@kernel
def least_gpus(w: StartColumns, slot: int) -> int:
    """GPUs that a job is charged in that of its cells in which it takes the fewest."""
    least = UNLIMITED
    rest = w.job_cells[slot]
    while rest != 0:
        least = min(least, least_gpus_in(w, slot, trailing_zeros(rest)))
        rest &= rest - 1
    return least


@kernel
def watts_per_node(w: StartColumns, slot: int, cell: int) -> int:
    """Watts above idle that a job is charged for each of its nodes: its power cap."""
    gpus = min(w.job_gpus[slot], w.cell_gpus_per_node[cell])
    return gpus * w.cell_gpu_span_w[cell] * w.job_power_milli[slot] // 1000


@kernel
def quota_allows(w: StartColumns, slot: int, gpus: int) -> bool:
    """Whether the job's project may take so many GPUs more."""
    return quota_left(w, w.quota_project0[0] + w.job_project[slot]) >= gpus


@kernel
def shut_reason(w: StartColumns, project: int) -> int:
    """Why nothing of a project may start: it is closed or blocked; 0 when it may."""
    if w.project_weight[project] == 0 or w.org_weight[w.project_org[project]] == 0:
        return R_CLOSED
    return R_BUDGET if w.project_standing[project] != 0 else 0


@kernel
def reason_to_wait(w: StartColumns, slot: int) -> int:
    """What a job says that has just joined the queue again."""
    reason = shut_reason(w, w.job_project[slot])
    return reason if reason != 0 else R_UNCONSIDERED


@kernel
def cell_bears(w: StartColumns, slot: int, cell: int) -> bool:
    """Whether the job's owners' ceilings allow it on nodes of a cell, whole or in part."""
    gpus = charged_gpus(w, slot, cell)
    nodes = max(1, gpus // w.cell_gpus_per_node[cell])
    node = w.quota_project0[0] + w.job_project[slot]
    return ceilings_bear(w, node, w.cell_hw[cell], gpus, nodes * watts_per_node(w, slot, cell))


@kernel
def shares_borne(w: StartColumns, slot: int, cells: int) -> int:
    """Those of some cells in which the job's owners' ceilings allow it a share of a node."""
    if w.ceilings_set[0] == 0:
        return cells
    borne = 0
    rest = cells
    while rest != 0:
        cell = trailing_zeros(rest)
        rest &= rest - 1
        node = w.quota_project0[0] + w.job_project[slot]
        if ceilings_bear(w, node, w.cell_hw[cell], shared_gpus(w, slot), shared_watts(w, slot, cell)):
            borne |= 1 << cell
    return borne


@kernel
def shared_gpus(w: StartColumns, slot: int) -> int:
    """GPUs that a job's share of a node counts as."""
    return (w.job_gpus[slot] * w.job_gpu_milli[slot] + 999) // 1000


@kernel
def shared_watts(w: StartColumns, slot: int, cell: int) -> int:
    """Watts above idle that a job's share of a node is charged."""
    span_w = w.cell_gpu_span_w[cell]
    return w.job_gpus[slot] * w.job_gpu_milli[slot] * span_w * w.job_power_milli[slot] // 1000000


@kernel
def count_use(w: StartColumns, slot: int, sign: int) -> None:
    """Count a job's GPUs and watts under its owners' ceilings, or give them back."""
    node = w.quota_project0[0] + w.job_project[slot]
    hardware = w.cell_hw[w.job_cell[slot]]
    watts = w.job_nodes[slot] * w.job_node_w[slot]
    count_under_ceilings(w, node, hardware, sign * w.job_charged_gpus[slot], sign * watts)
