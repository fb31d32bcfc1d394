from hypothesis import given, settings
from hypothesis import strategies as st

from gridhall.kernel import kernel, state_cast
from gridhall.tenancy import Organisation, Project, Tenancy, even_tenancy
from gridhall.tenancy.quota import QuotaColumns, quota_give, quota_left, quota_take
from tests.oracle.reference_tenancy import Owner, owners_of

as_quota = state_cast(QuotaColumns)

PLENTY = 1 << 40
"""More than any fleet has; beyond it, without limit is as good as any number."""
GPUS = st.one_of(st.none(), st.integers(0, 60))
LIMITS = st.tuples(st.sampled_from([1, 100]), GPUS, GPUS, GPUS)


@kernel
def left(address: int, node: int) -> int:
    return quota_left(as_quota(address), node)


@kernel
def take(address: int, node: int, gpus: int) -> None:
    quota_take(as_quota(address), node, gpus)


@kernel
def give(address: int, node: int, gpus: int) -> None:
    quota_give(as_quota(address), node, gpus)


def compiled_tree(tenancy: Tenancy, fleet_gpus: int) -> tuple[QuotaColumns, int]:
    """The quota columns of a tenancy, and the place of its first project."""
    tree = tenancy.quota_tree(fleet_gpus)
    w = QuotaColumns({"quotas": len(tree.parent)})
    w.view("quota_parent")[:], w.view("quota_total")[:] = tree.parent, tree.total
    w.view("quota_guarantee")[:], w.view("quota_borrow")[:] = tree.guarantee, tree.borrow
    return w, 1 + len(tenancy.organisations)


@st.composite
def tenancies(draw: st.DrawFn) -> Tenancy:
    organisations = [Organisation(f"o{place}", *draw(LIMITS)) for place in range(draw(st.integers(1, 3)))]
    owners = draw(st.lists(st.sampled_from(organisations), min_size=1, max_size=5))
    projects = [Project(f"p{place}", owner.name, *draw(LIMITS)) for place, owner in enumerate(owners)]
    return Tenancy(tuple(organisations), tuple(projects))


@settings(deadline=None)  # the first example compiles
@given(tenancies(), st.integers(0, 200), st.lists(st.tuples(st.integers(0, 4), st.integers(-50, 50)), max_size=30))
def test_what_is_left_is_what_recursion_over_the_tree_gives(
    tenancy: Tenancy, fleet_gpus: int, moves: list[tuple[int, int]]
) -> None:
    w, first = compiled_tree(tenancy, fleet_gpus)
    owners = owners_of(tenancy, fleet_gpus)
    charged: dict[Owner, int] = dict.fromkeys(owners, 0)
    for number, gpus in moves:
        place = number % len(owners)
        owner = owners[place]
        if gpus >= 0:
            taken = max(0, min(gpus, owner.left(charged)))
            take(w.handle, first + place, taken)
            charged[owner] += taken
        else:
            given_back = min(-gpus, charged[owner])
            give(w.handle, first + place, given_back)
            charged[owner] -= given_back
        for other, each in enumerate(owners):
            found, expected = left(w.handle, first + other), each.left(charged)
            assert 0 <= min(found, PLENTY) == min(expected, PLENTY)
            assert w.quota_used[first + other] == charged[each]
    for place, owner in enumerate(owners):
        give(w.handle, first + place, charged[owner])
    assert not w.view("quota_used").any()


@given(tenancies(), st.integers(0, 200))
def test_the_most_that_a_project_can_have_is_what_is_left_when_nobody_uses_any(
    tenancy: Tenancy, fleet_gpus: int
) -> None:
    tree = tenancy.quota_tree(fleet_gpus)
    first = 1 + len(tenancy.organisations)
    expected = [min(owner.most(), PLENTY) for owner in owners_of(tenancy, fleet_gpus)]
    assert [min(most, PLENTY) for most in tree.most[first:].tolist()] == expected


def test_what_is_lent_is_got_back_as_soon_as_the_borrower_ends() -> None:
    tenancy = Tenancy(
        (Organisation("o"),),
        (Project("lender", "o", quota_gpus=40, borrow_gpus=0), Project("borrower", "o", quota_gpus=10)),
    )
    w, first = compiled_tree(tenancy, 0)
    w.quota_total[0] = 50
    assert left(w.handle, first + 1) == 50
    take(w.handle, first + 1, 50)
    assert left(w.handle, first) == 0
    give(w.handle, first + 1, 30)
    assert left(w.handle, first) == 30


def test_what_is_never_lent_stays_free_for_its_owner() -> None:
    tenancy = Tenancy(
        (Organisation("a", quota_gpus=30, lend_gpus=10), Organisation("b")), (Project("p", "a"), Project("q", "b"))
    )
    w, first = compiled_tree(tenancy, 64)
    take(w.handle, first + 1, left(w.handle, first + 1))
    assert left(w.handle, first) == 20


def test_without_quotas_the_fleet_alone_decides() -> None:
    tree = even_tenancy(["o"], ["p", "q"], [0, 0]).quota_tree(64)
    assert min(tree.most.tolist()) >= 1 << 50
