"""The one quota and the one budget that every organisation and project has, also before anybody set it."""

from gridhall.server.live.draft import Refusal
from gridhall.server.live.world import Directory, Resource, World

OWNER_KINDS = ("organisation", "project")


def owner_of(directory: Directory, id: str, kind: str) -> Resource | None:
    """The organisation or project whose quota (or budget: `kind`) has this id."""
    prefix, _, owner = id.partition(".")
    if prefix != kind:
        return None
    return directory.get("organisation", owner) or directory.get("project", owner)


def id_of(kind: str, owner: Resource) -> str:
    """The id of an owner's quota or budget."""
    return f"{kind}.{owner.id}"


def part_of(directory: Directory, kind: str, owner: Resource, status: dict[str, object]) -> Resource:
    """An owner's quota or budget: as it was set, or with everything by default at version 1."""
    found = directory.get(kind, id_of(kind, owner))
    if found is not None:
        return found
    project = owner.id if owner.kind == "project" else ""
    return Resource(
        id_of(kind, owner),
        kind,
        owner.name,
        owner.organisation,
        project,
        owner.created_ms,
        owner.created_by,
        owner.created_ms,
        {},
        status,
        owner.number,
    )


def seen_part(world: World, kind: str, id: str, expected: int | None, status: dict[str, object]) -> Resource:
    """An owner's quota or budget, at the version that was seen. Raises Refusal."""
    owner = owner_of(world.directory, id, kind)
    if owner is None:
        raise Refusal(404, "not-found", f"there is no {kind} {id}")
    part = part_of(world.directory, kind, owner, status)
    if expected is not None and part.version != expected:
        raise Refusal(412, "changed", f"{id} is at version {part.version} by now; you saw {expected}: read it again")
    return part
