"""How much at most? Hard limits of an organisation or a project, beside its quota: nothing is lent or borrowed.

A ceiling is on the GPUs of one hardware type, or on watts: what running work is charged above idle. Use is counted for
everybody, so that a ceiling can be set at any time; one that is set below the use stops nothing, but nothing more
starts under it.
"""

from gridhall.kernel import column, kernel
from gridhall.tenancy.quota import QuotaColumns

WATTS = 0
"""The kind of a ceiling on watts; that of hardware type h is h + 1."""


class CeilingColumns(QuotaColumns):
    """Sizes: ceilings (kinds: watts, then the hardware types). Owners are nodes of the quota tree."""

    ceiling_kinds = column(1)
    ceiling_bound = column("quotas", "ceilings")  # the most + 1; 0 = no ceiling
    ceiling_used = column("quotas", "ceilings")
    ceiling_version = column("quotas", "ceilings")  # how often it was set
    ceilings_set = column(1)  # number of ceilings that there are


@kernel
def ceilings_bear(w: CeilingColumns, node: int, hardware: int, gpus: int, watts: int) -> bool:
    """Whether a node and its ancestors may have so many GPUs of a hardware type and watts more than now."""
    if w.ceilings_set[0] == 0:
        return True
    at = node
    while at > 0:
        base = at * w.ceiling_kinds[0]
        if above_ceiling(w, base + WATTS, w.ceiling_used[base + WATTS] + watts):
            return False
        if above_ceiling(w, base + 1 + hardware, w.ceiling_used[base + 1 + hardware] + gpus):
            return False
        at = w.quota_parent[at]
    return True


@kernel
def ceilings_ever_bear(w: CeilingColumns, node: int, hardware: int, gpus: int, watts: int) -> bool:
    """Whether they could if nothing else ran."""
    at = node
    while at > 0:
        base = at * w.ceiling_kinds[0]
        if above_ceiling(w, base + WATTS, watts) or above_ceiling(w, base + 1 + hardware, gpus):
            return False
        at = w.quota_parent[at]
    return True


@kernel
def above_ceiling(w: CeilingColumns, place: int, amount: int) -> bool:
    """Whether an amount is above one ceiling, if there is one."""
    return w.ceiling_bound[place] > 0 and amount >= w.ceiling_bound[place]


@kernel
def count_under_ceilings(w: CeilingColumns, node: int, hardware: int, gpus: int, watts: int) -> None:
    """Count GPUs and watts for a node and its ancestors (negative gives them back)."""
    at = node
    while at > 0:
        base = at * w.ceiling_kinds[0]
        w.ceiling_used[base + WATTS] += watts
        w.ceiling_used[base + 1 + hardware] += gpus
        at = w.quota_parent[at]
