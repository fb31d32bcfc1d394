"""How much may they? Quotas on a tree: projects under organisations under the whole fleet.

A node's **nominal** GPUs are its own. It may **borrow** what others leave unused, up to its limit, and **lends** what
it leaves
unused itself, up to its limit; what it does not lend is guaranteed and never counted for others. The arithmetic is that
of hierarchical cohorts (Kueue's KEP-79 describes the same rules): use beyond the guarantee is charged to the parent.
"""

from gridhall.kernel import Columns, column, kernel

UNLIMITED = 1 << 50


class QuotaColumns(Columns):
    """Sizes: quotas (the root, organisations, projects, in this order, each with the room that it was given).

    What is set stands first; `tree` makes the rest of it.
    """

    quota_parent = column("quotas")  # -1 for the root
    quota_nominal = column("quotas")  # GPUs of its own
    quota_borrow = column("quotas")  # most GPUs beyond its total; UNLIMITED
    quota_lend = column("quotas")  # most GPUs that it lends; UNLIMITED
    quota_version = column("quotas")  # how often its quota was set
    fleet_gpus = column(1)
    quota_project0 = column(1)  # quota node of project 0
    n_organisations = column(1)
    n_projects = column(1)
    quota_total = column("quotas")  # nominal GPUs of the node and what its children may lend
    quota_guarantee = column("quotas")  # what it never lends
    quota_most = column("quotas")  # GPUs that it could have if nobody used any
    quota_used = column("quotas")


@kernel
def quota_left(w: QuotaColumns, node: int) -> int:
    """GPUs that a node of the quota tree may still take, borrowing included."""
    spare = 0
    ceiling = UNLIMITED
    at = node
    while w.quota_parent[at] >= 0:
        guarantee = w.quota_guarantee[at]
        used = w.quota_used[at]
        spare += max(0, guarantee - used)
        beyond = w.quota_total[at] - guarantee - max(0, used - guarantee) + w.quota_borrow[at]
        ceiling = min(ceiling, beyond + spare)
        at = w.quota_parent[at]
    return min(ceiling, w.quota_total[at] - w.quota_used[at] + spare)


@kernel
def quota_take(w: QuotaColumns, node: int, gpus: int) -> None:
    """Count GPUs against a node; what its guarantee does not cover goes on to its parent."""
    at = node
    rest = gpus
    while at >= 0 and rest > 0:
        covered = max(0, w.quota_guarantee[at] - w.quota_used[at])
        w.quota_used[at] += rest
        rest -= min(rest, covered)
        at = w.quota_parent[at]


@kernel
def quota_give(w: QuotaColumns, node: int, gpus: int) -> None:
    """The exact reverse of `quota_take`."""
    at = node
    rest = gpus
    while at >= 0 and rest > 0:
        above = max(0, w.quota_used[at] - w.quota_guarantee[at])
        w.quota_used[at] -= rest
        rest = min(rest, above)
        at = w.quota_parent[at]
