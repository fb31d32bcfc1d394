"""Resources made, changed and removed: what becomes of one is planned on the world first, and written after.

A plan reads and decides; it changes nothing, so that a rehearsal (`dryRun`) is the same plan without the writing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from gridhall.server.live.draft import Draft, Refusal
from gridhall.server.live.world import Resource, World

Plan = Callable[[World, int], Resource]
"""What a resource will be, from the world and the time. Raises Refusal."""

MOST_OF_A_KIND = 10_000
"""Most resources of a kind in one organisation."""


@dataclass(frozen=True, slots=True)
class Put:
    """A resource becomes what its plan says."""

    becomes: Plan

    def plan(self, world: World, now_ms: int) -> Resource:
        """What the resource will be. Raises Refusal."""
        return self.becomes(world, now_ms)

    def decide(self, draft: Draft) -> Resource:
        """The resource as it is afterwards."""
        planned = self.plan(draft.world, draft.now_ms)
        draft.put(planned)
        return planned


def made(world: World, new: Resource) -> Resource:
    """A new resource, if its name is free among those of its kind in its organisation."""
    count = 0
    for each in world.directory.all(new.kind):
        if each.organisation == new.organisation or new.kind == "organisation":
            _free(each, new)
            count += 1
    if count >= MOST_OF_A_KIND:
        raise Refusal(409, "too-many", f"there are {count:,} {new.kind}s already, which is the most")
    return new


def changed(
    world: World, kind: str, id: str, expected: int | None, now_ms: int, name: str, spec: Mapping[str, object]
) -> Resource:
    """A resource with another name and spec. `expected` is the version that was seen, None = any."""
    found = at_version(world, kind, id, expected)
    after = replace(found, name=name, spec=dict(spec), modified_ms=now_ms, version=found.version + 1)
    if name != found.name:
        for each in world.directory.all(kind):
            if each.id != id and (each.organisation == found.organisation or kind == "organisation"):
                _free(each, after)
    return after


def removed(world: World, kind: str, id: str, expected: int | None, now_ms: int) -> Resource:
    """A resource's tombstone."""
    found = at_version(world, kind, id, expected)
    return replace(found, modified_ms=now_ms, deleted_ms=now_ms, version=found.version + 1)


def at_version(world: World, kind: str, id: str, expected: int | None) -> Resource:
    """A resource, if it is there and at the version that was seen."""
    found = world.directory.get(kind, id)
    if found is None:
        raise Refusal(404, "not-found", f"there is no {kind} {id}")
    if expected is not None and expected != found.version:
        raise Refusal(412, "changed", f"{id} is at version {found.version} by now; you saw {expected}: read it again")
    return found


def _free(other: Resource, new: Resource) -> None:
    if other.name == new.name and other.kind != "role-binding":
        raise Refusal(409, "name-taken", f"{other.id} is called so already")
