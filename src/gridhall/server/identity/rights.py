"""Rights and grants: the whole decision who may do what, as a pure function.

A **right** is a verb on a kind of object at a scope. Bound to an organisation or to a project it becomes a **grant**,
which says where it holds. An object belongs to a project of an organisation, to an organisation, or to the system.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Scope = Literal["global", "organisation", "project"]
Verb = Literal["create", "read", "update", "delete", "cancel", "drain"]
VERBS: tuple[Verb, ...] = ("create", "read", "update", "delete", "cancel", "drain")

TENANT_KINDS = (
    "organisation",
    "project",
    "user",
    "service-account",
    "role-binding",
    "token",
    "quota",
    "budget",
    "audit",
    "job",
    "reservation",
    "usage",
    "charge",
    "event",
)
"""Kinds whose objects belong to an organisation or to one of its projects."""
SYSTEM_KINDS = (
    "role",
    "queue",
    "site",
    "hall",
    "rack",
    "node",
    "topology",
    "rate",
    "ledger",
    "metric",
    "feed",
    "load-target",
)
"""Kinds whose objects belong to the whole system."""
KINDS = (*TENANT_KINDS, *SYSTEM_KINDS)

ANY = "*"
"""Any verb, any kind, any organisation or any project."""


@dataclass(frozen=True, slots=True)
class Right:
    """A verb on a kind, each of which can be ANY, at a scope."""

    scope: Scope
    kind: str
    verb: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A verb on a kind, held in an organisation and a project, each of which can be ANY."""

    verb: str
    kind: str
    organisation: str = ANY
    project: str = ANY


def allows(grants: Iterable[Grant], verb: str, kind: str, organisation: str, project: str) -> bool:
    """Whether one of the grants allows a verb on an object of a kind.

    `organisation` "" means that the object belongs to the system, `project` "" that it belongs to no single project: a
    grant that holds in one project only does not reach it.
    """
    asked = Grant(verb, kind, organisation, project)
    return any(_reaches(grant, asked) for grant in grants)


def covers(grants: Iterable[Grant], asked: Iterable[Grant]) -> bool:
    """Whether whoever holds the grants may do everything that those asked for allow: nobody gives more than they have.

    What `asked` allows only through several of `grants` together counts as not covered.
    """
    held = tuple(grants)
    return all(any(_reaches(grant, one) for grant in held) for one in asked)


def bind(rights: Iterable[Right], organisation: str, project: str) -> tuple[Grant, ...]:
    """The grants of a role bound to an organisation ("" = the system) and a project ("" = all of them).

    A right of scope `organisation` bound to one project holds for the whole organisation.
    """
    return tuple(_grant(right, organisation or ANY, project or ANY) for right in rights)


def _grant(right: Right, organisation: str, project: str) -> Grant:
    match right.scope:
        case "global":
            return Grant(right.verb, right.kind)
        case "organisation":
            return Grant(right.verb, right.kind, organisation)
        case "project":
            return Grant(right.verb, right.kind, organisation, project)


def _reaches(grant: Grant, asked: Grant) -> bool:
    return (
        grant.kind in (ANY, asked.kind)
        and grant.verb in (ANY, asked.verb)
        and grant.organisation in (ANY, asked.organisation)
        and grant.project in (ANY, asked.project)
    )
