"""The tree that kernels make anew while work goes on is the one that a tenancy at rest gives."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gridhall.kernel import kernel, state_cast
from gridhall.tenancy import Organisation, Project, Tenancy
from gridhall.tenancy.quota import UNLIMITED, QuotaColumns
from gridhall.tenancy.tree import over_quota, rebuild_tree
from tests.tenancy.test_quota import LIMITS, take, tenancies

as_quota = state_cast(QuotaColumns)
SPARE = 3
"""Organisations and projects for which there is room but which do not exist."""


@kernel
def rebuild(address: int) -> None:
    rebuild_tree(as_quota(address))


@kernel
def over(address: int) -> int:
    return over_quota(as_quota(address))


def set_tree(tenancy: Tenancy, fleet_gpus: int) -> QuotaColumns:
    """Columns in which only what is set was written, with room for more owners than there are."""
    organisations, projects = len(tenancy.organisations), len(tenancy.projects)
    first = 1 + organisations + SPARE
    w = QuotaColumns({"quotas": first + projects + SPARE})
    w.quota_project0[0], w.n_organisations[0], w.n_projects[0] = first, organisations, projects
    w.fleet_gpus[0], w.quota_parent[0] = fleet_gpus, -1
    w.quota_borrow[0] = w.quota_lend[0] = UNLIMITED
    for place, each in enumerate(tenancy.organisations, 1):
        write(w, place, 0, each)
    for place, (each, owner) in enumerate(zip(tenancy.projects, tenancy.project_organisation(), strict=True), first):
        write(w, place, 1 + int(owner), each)
    return w


def write(w: QuotaColumns, place: int, parent: int, each: Organisation | Project) -> None:
    limits = [UNLIMITED if limit is None else limit for limit in (each.borrow_gpus, each.lend_gpus)]
    w.quota_parent[place], w.quota_nominal[place] = parent, each.quota_gpus or 0
    w.quota_borrow[place], w.quota_lend[place] = limits


def assert_same(w: QuotaColumns, tenancy: Tenancy, fleet_gpus: int) -> None:
    tree = tenancy.quota_tree(fleet_gpus)
    first = int(w.quota_project0[0])
    made = [*range(1 + len(tenancy.organisations)), *range(first, first + len(tenancy.projects))]
    for name in ("total", "guarantee", "most"):
        assert w.view(f"quota_{name}")[made].tolist() == getattr(tree, name).tolist(), name


@settings(deadline=None)  # the first example compiles
@given(tenancies(), st.integers(0, 200), st.lists(st.tuples(st.integers(0, 7), LIMITS), max_size=6))
def test_the_tree_follows_every_change(
    tenancy: Tenancy, fleet_gpus: int, changes: list[tuple[int, tuple[int, int | None, int | None, int | None]]]
) -> None:
    w = set_tree(tenancy, fleet_gpus)
    rebuild(w.handle)
    assert_same(w, tenancy, fleet_gpus)
    for number, (_, nominal, borrow, lend) in changes:
        place = number % len(tenancy.projects)
        changed = replace(tenancy.projects[place], quota_gpus=nominal, borrow_gpus=borrow, lend_gpus=lend)
        projects = (*tenancy.projects[:place], changed, *tenancy.projects[place + 1 :])
        tenancy = replace(tenancy, projects=projects)
        first = int(w.quota_project0[0])
        write(w, first + place, int(w.quota_parent[first + place]), changed)
        rebuild(w.handle)
        assert_same(w, tenancy, fleet_gpus)


def test_use_beyond_a_quota_that_shrank_is_seen_at_every_node_above() -> None:
    tenancy = Tenancy(
        (Organisation("o", quota_gpus=0, borrow_gpus=0),), (Project("p", "o", quota_gpus=8, borrow_gpus=0),)
    )
    w = set_tree(tenancy, 64)
    rebuild(w.handle)
    first = int(w.quota_project0[0])
    take(w.handle, first, 8)
    assert over(w.handle) == 0
    w.quota_nominal[first] = 5
    rebuild(w.handle)
    assert over(w.handle) == 3 + 3
