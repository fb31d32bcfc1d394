"""The shipped roles. docs/roles.md has the same table for people; a test compares the two."""

from gridhall.server.identity.rights import ANY, Right, Scope
from gridhall.server.objects.access import RoleName

_CHANGE = ("create", "update", "delete")
_SEEN_BY_ALL = ("role", "queue", "site", "hall", "rack", "node", "topology", "rate")
"""What every tenant may read of the system; `topology` and nodes are redacted to what is theirs."""
_SEEN_BY_MEMBERS = ("project", "quota", "budget", "job", "reservation", "usage", "charge", "event")


def _rights(scope: Scope, kinds: tuple[str, ...], verbs: tuple[str, ...]) -> frozenset[Right]:
    return frozenset(Right(scope, kind, verb) for kind in kinds for verb in verbs)


_READER = (
    _rights("global", _SEEN_BY_ALL, ("read",))
    | _rights("organisation", ("organisation",), ("read",))
    | _rights("project", _SEEN_BY_MEMBERS, ("read",))
)
_MEMBER = (
    _READER
    | _rights("project", ("job",), (*_CHANGE, "cancel"))
    | _rights("project", ("reservation",), ("create", "delete"))
)
_AUDITOR = _rights("global", _SEEN_BY_ALL, ("read",)) | _rights("organisation", (ANY,), ("read",))
_ADMIN = (
    _AUDITOR
    | _rights("organisation", ("project", "user", "service-account", "role-binding", "quota", "budget"), _CHANGE)
    | _rights("organisation", ("organisation",), ("update",))
    | _rights("organisation", ("token",), ("create", "delete"))
    | _rights("organisation", ("job",), (*_CHANGE, "cancel"))
    | _rights("organisation", ("reservation",), _CHANGE)
)
_ENERGY_DESK = (
    _rights("global", (*_SEEN_BY_ALL, "feed", "load-target", "event"), ("read",))
    | _rights("global", ("load-target",), ("create",))
)  # fmt: skip

ROLES: dict[RoleName, frozenset[Right]] = {
    "platform-admin": frozenset({Right("global", ANY, ANY)}),
    "platform-reader": frozenset({Right("global", ANY, "read")}),
    "energy-desk": _ENERGY_DESK,
    "organisation-admin": _ADMIN,
    "organisation-auditor": _AUDITOR,
    "member": _MEMBER,
    "reader": _READER,
}
"""Rights of each role by its name."""
