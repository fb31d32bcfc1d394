"""From a caller's grants to the scopes that queries look in."""

from gridhall.server.api.caller import Caller, missing
from gridhall.server.api.problem import Problem
from gridhall.server.identity.rights import ANY
from gridhall.server.queries.scopes import Scope


def scopes_of(caller: Caller, project: str = "", organisation: str = "") -> list[Scope]:
    """Where the caller may do what the route does, cut to a project or an organisation where one is asked for.

    What is within another scope is left out. Raises the problem (404) for a project that the caller may not see.
    """
    if project:
        return [_project(caller, project)]
    verbs, kinds = (ANY, caller.verb), (ANY, caller.kind)
    held = [grant for grant in caller.grants if grant.verb in verbs and grant.kind in kinds]
    found = dict.fromkeys(
        Scope(*("" if part == ANY else part for part in (grant.organisation, grant.project))) for grant in held
    )
    wide = [each for each in found if not any(other != each and _within(each, other) for other in found)]
    if not organisation:
        return wide
    if any(each.everything or each == Scope(organisation) for each in wide):
        return [Scope(organisation)]
    return [each for each in wide if each.organisation == organisation]


def project_named(caller: Caller, project: str) -> tuple[str, int]:
    """The organisation and the number of a project that the caller may deal with. Raises the problem."""
    kept = caller.world.directory.get("project", project)
    if kept is None or not caller.may(kept.organisation, project, "read", "project"):
        raise missing("project", project)
    caller.must(kept.organisation, project, what=project)
    return kept.organisation, kept.number


def only_project(caller: Caller) -> str:
    """The project of a caller who does not name one: the only one where they may do this. Raises the problem (422)."""
    directory = caller.world.directory
    found = [each.id for each in directory.all("project") if caller.may(each.organisation, each.id)]
    if len(found) == 1:
        return found[0]
    mend = f"one of {', '.join(found[:20])}" if found else "you may do this in no project"
    raise Problem(422, "invalid", "it is not clear which project this is for", "body.project", mend)


def _project(caller: Caller, project: str) -> Scope:
    organisation, _ = project_named(caller, project)
    return Scope(organisation, project)


def _within(scope: Scope, other: Scope) -> bool:
    return other.everything or (other.organisation == scope.organisation and not other.project)
