"""A feed's schedule as it is kept: a resource of the system, its stretches as rows of numbers and a correlation id."""

from dataclasses import astuple, replace
from typing import Any, cast

from gridhall.energy.targets import Schedule, Stretch
from gridhall.server.live.fleet_map import FeedPart
from gridhall.server.live.world import Resource, World
from gridhall.units import DAY_MS

KIND = "feed"
KEPT_MS = 30 * DAY_MS
"""How long a stretch is kept in the schedule after its end; the log keeps for ever what was in force."""
FIRST_VERSION = 1


def kept_of(world: World, feed: FeedPart) -> Resource | None:
    """What is kept of a feed; None where it never had a target."""
    return world.directory.get(KIND, _id(feed))


def version_of(kept: Resource | None) -> int:
    """The version of a feed's schedule."""
    return FIRST_VERSION if kept is None else kept.version


def schedule_of(kept: Resource | None) -> Schedule:
    """A feed's schedule."""
    rows = cast("list[Any]", kept.spec["stretches"]) if kept is not None else []
    return tuple(Stretch(*row) for row in rows)


def with_schedule(feed: FeedPart, kept: Resource | None, schedule: Schedule, user: str, now_ms: int) -> Resource:
    """A feed with another schedule, without what ended long ago."""
    rows = [list(astuple(each)) for each in schedule if each.end_ms > now_ms - KEPT_MS]
    before = kept or _fresh(feed, user, now_ms)
    return replace(before, spec={"stretches": rows}, modified_ms=now_ms, version=version_of(kept) + 1)


def _fresh(feed: FeedPart, user: str, now_ms: int) -> Resource:
    return Resource(_id(feed), KIND, feed.id, "", "", now_ms, user, now_ms, {"stretches": []}, number=feed.place)


def _id(feed: FeedPart) -> str:
    return f"feed.{feed.place}"
