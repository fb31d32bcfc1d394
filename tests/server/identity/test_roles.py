"""The shipped roles are those of the page about them."""

import re
from pathlib import Path

from gridhall.server.identity.rights import ANY, KINDS, VERBS, Right
from gridhall.server.identity.roles import ROLES

PAGE = Path(__file__).parents[3] / "docs" / "roles.md"


def documented() -> dict[str, set[Right]]:
    """The rights of the page's table: | role | scope | kinds | verbs |."""
    rights: dict[str, set[Right]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [re.findall(r"[a-z-]+|\*", cell) for cell in line.strip("| ").split("|")]
        if len(cells) == 4 and cells[0] and cells[0][0] in ROLES:
            (role,), (scope,), kinds, verbs = cells
            rights.setdefault(role, set()).update(Right(scope, kind, verb) for kind in kinds for verb in verbs)
    return rights


def test_the_page_has_every_right_of_every_role() -> None:
    assert documented() == {role: set(rights) for role, rights in ROLES.items()}


def test_rights_are_about_known_kinds_and_verbs() -> None:
    for rights in ROLES.values():
        assert {each.kind for each in rights} <= {*KINDS, ANY}
        assert {each.verb for each in rights} <= {*VERBS, ANY}
