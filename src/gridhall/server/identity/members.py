"""Users, service accounts and role bindings: what may become of them."""

from collections.abc import Mapping

from gridhall.server.identity.principal import find_principal
from gridhall.server.live.draft import Refusal
from gridhall.server.live.resources import changed, made, removed
from gridhall.server.live.world import Resource, World

TOP_ROLE = "platform-admin"


def make_member(world: World, new: Resource) -> Resource:
    """A new user, service account or role binding, in an organisation and a project that are there."""
    directory = world.directory
    if new.organisation and directory.get("organisation", new.organisation) is None:
        raise Refusal(404, "not-found", f"there is no organisation {new.organisation}")
    project = directory.get("project", new.project) if new.project else None
    if new.project and (project is None or project.organisation != new.organisation):
        raise Refusal(404, "not-found", f"there is no project {new.project} in {new.organisation}")
    if new.kind == "role-binding" and _bound(world, new):
        raise Refusal(409, "bound", "the principal has this role there already")
    return made(world, new)


def change_member(
    world: World, kind: str, id: str, expected: int | None, now_ms: int, name: str, spec: Mapping[str, object]
) -> Resource:
    """A user or service account with another name and spec; the last administrator cannot be disabled."""
    after = changed(world, kind, id, expected, now_ms, name, spec)
    if after.spec.get("disabled"):
        _still_led(world, id)
    return after


def remove_member(world: World, kind: str, id: str, expected: int | None, now_ms: int) -> Resource:
    """The tombstone of a user, service account or role binding; the last administrator stays."""
    after = removed(world, kind, id, expected, now_ms)
    _still_led(world, id)
    return after


def _bound(world: World, new: Resource) -> bool:
    return any(
        (each.organisation, each.project, each.spec) == (new.organisation, new.project, new.spec)
        for each in world.directory.all("role-binding")
    )


def _still_led(world: World, without: str) -> None:
    """Raise Refusal where, without that principal or binding, nobody could administer the system any more."""
    leads, others = False, False
    for binding in world.directory.all("role-binding"):
        principal = str(binding.spec["principal"])
        if binding.spec["role"] == TOP_ROLE and find_principal(world.directory, principal) is not None:
            gone = without in (binding.id, principal)
            leads, others = leads or gone, others or not gone
    if leads and not others:
        raise Refusal(409, "last-admin", f"{without} is the last {TOP_ROLE}: make another one first")
