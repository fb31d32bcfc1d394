"""Users, service accounts, roles and role bindings."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gridhall.server.objects.part import Id, Metadata, Name, Part

MaybeId = Id | Literal[""]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]


RoleName = Literal[
    "platform-admin", "platform-reader", "energy-desk", "organisation-admin", "organisation-auditor", "member", "reader"
]


class PrincipalSpec(Part):
    """`disabled` principals are there, but their tokens are not accepted."""

    description: Line = ""
    disabled: bool = False


class PrincipalStatus(Part):
    """`tokens` is how many of its tokens can be used now."""

    tokens: int


class PrincipalRequest(Part):
    """A user or service account as it is wanted, of an organisation (empty = the caller's own)."""

    name: Name
    organisation: MaybeId = ""
    spec: PrincipalSpec = PrincipalSpec()


class PrincipalChange(Part):
    """A user or service account as it is wanted from now on."""

    name: Name
    spec: PrincipalSpec = PrincipalSpec()


class Principal(Part):
    """A user or service account as it is read."""

    metadata: Metadata
    spec: PrincipalSpec
    status: PrincipalStatus


class RightView(Part):
    """A verb on a kind of object, each of which can be `*`, at a scope."""

    scope: Literal["global", "organisation", "project"]
    kind: str
    verb: str


class Role(Part):
    """A shipped role."""

    name: RoleName
    rights: tuple[RightView, ...]


class RoleBindingSpec(Part):
    """A principal has a role."""

    principal: Id
    role: RoleName


class RoleBindingRequest(Part):
    """Gives a role in an organisation (empty = the whole system), and there in one project (empty = all)."""

    organisation: MaybeId = ""
    project: MaybeId = ""
    spec: RoleBindingSpec


class RoleBinding(Part):
    """A role binding as it is read; `metadata` says where it holds."""

    metadata: Metadata
    spec: RoleBindingSpec


class Me(Part):
    """Whose token this is, and everything that it allows; `*` = any."""

    id: str
    kind: str
    name: str
    organisation: str
    grants: tuple["GrantView", ...] = Field(max_length=10_000)


class GrantView(Part):
    """A verb on a kind of object, in an organisation and a project."""

    verb: str
    kind: str
    organisation: str
    project: str
