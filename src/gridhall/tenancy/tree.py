"""The quota tree while it is in use: a node's numbers change, and everything that follows from them is made again.

`Tenancy.quota_tree` says the same of a tree that stands still, and is what this is tested against.
"""

from gridhall.kernel import kernel
from gridhall.tenancy.quota import UNLIMITED, QuotaColumns


@kernel
def rebuild_tree(w: QuotaColumns) -> None:
    """Make totals, guarantees and the most that each node can have from what is set; use is not touched."""
    first = w.quota_project0[0]
    last = first + w.n_projects[0]
    organisations = w.n_organisations[0]
    for node in range(organisations + 1):
        w.quota_total[node] = w.quota_nominal[node]
    for node in range(first, last):
        w.quota_total[node] = w.quota_nominal[node]
        lend_up(w, node)
    promised = 0
    for node in range(1, organisations + 1):
        promised += lend_up(w, node)
    w.quota_total[0] = max(w.quota_total[0], w.fleet_gpus[0] - promised) if promised > 0 else UNLIMITED
    w.quota_most[0] = w.quota_total[0]
    for node in range(1, organisations + 1):
        most_of(w, node)
    for node in range(first, last):
        most_of(w, node)


@kernel
def lend_up(w: QuotaColumns, node: int) -> int:
    """Count what a node lends in its parent's total; returns what it keeps."""
    w.quota_guarantee[node] = max(0, w.quota_total[node] - w.quota_lend[node])
    w.quota_total[w.quota_parent[node]] += w.quota_total[node] - w.quota_guarantee[node]
    return w.quota_guarantee[node]


@kernel
def most_of(w: QuotaColumns, node: int) -> None:
    """The most of a node follows from its parent's."""
    above = w.quota_guarantee[node] + w.quota_most[w.quota_parent[node]]
    w.quota_most[node] = min(w.quota_total[node] + w.quota_borrow[node], above)


@kernel
def over_quota(w: QuotaColumns) -> int:
    """GPUs in use beyond what the tree allows, summed over its nodes; 0 when everybody is within their quota."""
    over = max(0, w.quota_used[0] - w.quota_total[0])
    for node in range(1, w.n_organisations[0] + 1):
        over += max(0, w.quota_used[node] - w.quota_total[node] - w.quota_borrow[node])
    for node in range(w.quota_project0[0], w.quota_project0[0] + w.n_projects[0]):
        over += max(0, w.quota_used[node] - w.quota_total[node] - w.quota_borrow[node])
    return over
