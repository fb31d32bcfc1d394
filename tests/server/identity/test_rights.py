"""The decision who may do what: compared with what the grants say when they are written out, place by place."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from gridhall.server.identity.rights import ANY, Grant, Right, allows, bind, covers

VERB = ("read", "create", "cancel")
KIND = ("job", "quota", "node")
ORGANISATION = ("", "a", "b")
PROJECT = ("", "p", "q")
ASKED = tuple(product(VERB, KIND, ORGANISATION, PROJECT))
Asked = tuple[str, str, str, str]

grant = st.builds(
    Grant,
    st.sampled_from((*VERB, ANY)),
    st.sampled_from((*KIND, ANY)),
    st.sampled_from(("a", "b", ANY)),
    st.sampled_from(("p", "q", ANY)),
)
grants = st.lists(grant, max_size=4)
right = st.builds(
    Right,
    st.sampled_from(("global", "organisation", "project")),
    st.sampled_from((*KIND, ANY)),
    st.sampled_from((*VERB, ANY)),
)


def written_out(held: list[Grant]) -> set[Asked]:
    """Everything that some grants allow, one by one."""
    found: set[Asked] = set()
    for one in held:
        parts = zip(
            (one.verb, one.kind, one.organisation, one.project), (VERB, KIND, ORGANISATION, PROJECT), strict=True
        )
        found |= set(product(*(everything if part == ANY else (part,) for part, everything in parts)))
    return found


@given(grants)
def test_grants_allow_exactly_what_they_say(held: list[Grant]) -> None:
    assert {asked for asked in ASKED if allows(held, *asked)} == written_out(held)


@given(grants, grants)
def test_a_grant_more_never_takes_anything_away(held: list[Grant], more: list[Grant]) -> None:
    assert written_out(held) | written_out(more) == {asked for asked in ASKED if allows(held + more, *asked)}


@given(grants, grants)
def test_what_is_covered_allows_nothing_more(held: list[Grant], asked: list[Grant]) -> None:
    if covers(held, asked):
        assert written_out(asked) <= written_out(held)
    assert covers(held, held)


@given(st.lists(right, max_size=4), st.sampled_from(("p", "")))
def test_a_role_bound_in_one_organisation_reaches_no_other(rights: list[Right], project: str) -> None:
    local = [each for each in rights if each.scope != "global"]
    assert all(organisation == "a" for _, _, organisation, _ in written_out(list(bind(local, "a", project))))


@given(st.lists(right, max_size=4))
def test_project_rights_bound_to_a_project_reach_no_other(rights: list[Right]) -> None:
    local = [each for each in rights if each.scope == "project"]
    reached = written_out(list(bind(local, "a", "p")))
    assert all((organisation, project) == ("a", "p") for _, _, organisation, project in reached)


def test_what_belongs_to_the_organisation_is_out_of_a_projects_reach() -> None:
    held = bind([Right("project", "job", "read")], "a", "p")
    assert allows(held, "read", "job", "a", "p")
    assert not allows(held, "read", "job", "a", "")
    assert not allows(held, "read", "job", "", "")
