"""Principals: users and service accounts, of an organisation or of the system, and what role bindings give them.

Both are resources of the directory. A principal that signs on elsewhere will end up here just the same: what a request
has is a Principal, however it was recognised.
"""

from dataclasses import dataclass
from typing import cast

from gridhall.server.identity.rights import Grant, bind
from gridhall.server.identity.roles import ROLES
from gridhall.server.live.world import Directory, Resource
from gridhall.server.objects.access import RoleName

PRINCIPAL_KINDS = ("user", "service-account")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `organisation` "" = of the system itself."""

    id: str
    kind: str
    name: str
    organisation: str


def find_principal(directory: Directory, id: str) -> Principal | None:
    """The principal of that id, unless it was deleted or disabled, or its organisation is gone."""
    found = next((each for kind in PRINCIPAL_KINDS if (each := directory.get(kind, id)) is not None), None)
    if found is None or found.spec.get("disabled"):
        return None
    if found.organisation and directory.get("organisation", found.organisation) is None:
        return None
    return Principal(found.id, found.kind, found.name, found.organisation)


def grants_of(directory: Directory, principal: str) -> tuple[Grant, ...]:
    """Everything that role bindings give to a principal."""
    grants: list[Grant] = []
    for binding in directory.all("role-binding"):
        if binding.spec["principal"] == principal:
            grants.extend(grants_of_binding(binding))
    return tuple(dict.fromkeys(grants))


def grants_of_binding(binding: Resource) -> tuple[Grant, ...]:
    """What one binding gives."""
    return bind(ROLES[cast(RoleName, binding.spec["role"])], binding.organisation, binding.project)
