"""What a caller may read of the rows that belong to organisations and projects, as SQL understands it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, and_, false, or_, true


@dataclass(frozen=True, slots=True)
class Scope:
    """A project, a whole organisation (`project` empty), or everything (both empty)."""

    organisation: str = ""
    project: str = ""

    @property
    def everything(self) -> bool:
        """Whether it has no limits."""
        return not self.organisation and not self.project

    def holds(self, organisation: str, project: str) -> bool:
        """Whether something that belongs there is within the scope."""
        return self.organisation in ("", organisation) and self.project in ("", project)


def within(table: Table, scopes: Iterable[Scope]) -> ColumnElement[bool]:
    """The condition that a row belongs to one of the scopes."""
    return or_(false(), *(_one(table, scope) for scope in scopes))


def _one(table: Table, scope: Scope) -> ColumnElement[bool]:
    if scope.everything:
        return true()
    if not scope.project:
        return table.c.organisation == scope.organisation
    return and_(table.c.project == scope.project, table.c.organisation == scope.organisation)
