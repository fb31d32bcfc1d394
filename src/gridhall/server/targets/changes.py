"""Two changes: somebody sets a load target, and a stretch of a schedule has begun or ended.

Both leave the core with the value that is in force: it is told wherever it knows another one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gridhall.controller.events import TARGET
from gridhall.controller.live import row
from gridhall.energy.targets import LoadTarget, Refused, Schedule, accept, limit_w_at
from gridhall.server.live.draft import Draft, Refusal
from gridhall.server.live.fleet_map import FeedPart
from gridhall.server.live.projection import project
from gridhall.server.live.world import Resource, World
from gridhall.server.targets.feeds import FeedDraw, draws_of, it_w, metadata_of
from gridhall.server.targets.kept import kept_of, schedule_of, version_of, with_schedule
from gridhall.units import iso_utc

MOST_STRETCHES = 1000
"""Most stretches of a feed that have not ended."""
NO_TARGET = -1
"""In the core: the feed may draw what its limit allows."""
IN_CONFLICT = "firm_overlap"


@dataclass(frozen=True, slots=True)
class SetTarget:
    """A user sets a target for some feeds; all of them accept it, or nothing changes.

    `expected` is the version of the one feed's schedule that they saw, None = any.
    """

    feeds: tuple[FeedPart, ...]
    target: LoadTarget
    user: str
    expected: int | None = None

    def plan(self, world: World, now_ms: int) -> list[Resource]:
        """What is kept of the feeds afterwards. Raises Refusal."""
        draws = draws_of(world)
        return [self._planned(world, feed, draws[feed.id], now_ms) for feed in self.feeds]

    def decide(self, draft: Draft) -> list[Resource]:
        """What is kept of the feeds; the core knows of it where the target is in force at once."""
        for planned in self.plan(draft.world, draft.now_ms):
            draft.put(planned)
        tell_core(draft, self.feeds)
        return [found for feed in self.feeds if (found := kept_of(draft.world, feed)) is not None]

    def _planned(self, world: World, feed: FeedPart, draw: FeedDraw, now_ms: int) -> Resource:
        kept = kept_of(world, feed)
        if self.expected not in (None, version_of(kept)):
            raise Refusal(412, "changed", f"{feed.id} is at version {version_of(kept)} by now; read it again")
        metadata = metadata_of(world, feed, draw.floor_w)
        answer = accept(metadata, schedule_of(kept), self.target, now_ms, draw.total_w)
        if isinstance(answer, Refused):
            raise _refusal(feed, answer)
        _check_room(feed, answer, now_ms)
        return with_schedule(feed, kept, answer, self.user, now_ms)


@dataclass(frozen=True, slots=True)
class PutInForce:
    """What is in force by the schedules may have changed, with time or at a restart."""

    def decide(self, draft: Draft) -> int:
        """Tell the core what it does not know; the time for which that holds."""
        tell_core(draft, draft.world.fleet.feeds.values())
        return draft.now_ms


def tell_core(draft: Draft, feeds: Iterable[FeedPart]) -> None:
    """Tell the core the value in force of each feed where it knows another one."""
    for feed in feeds:
        now_w = in_force_it_w(draft.world, feed, schedule_of(kept_of(draft.world, feed)), draft.now_ms)
        if now_w != known_it_w(draft.world, feed):
            project(draft, draft.step(row(TARGET, draft.now_ms, feed.place, now_w)))


def known_it_w(world: World, feed: FeedPart) -> int:
    """The target that the core holds a feed to; what it keeps to for a time after a target is none."""
    state, place = world.state, feed.place
    stands = state.power_bound_w[place] > 0 and state.power_until_ms[place] == 0
    return int(state.power_bound_w[place]) - 1 if stands else NO_TARGET


def in_force_it_w(world: World, feed: FeedPart, schedule: Schedule, at_ms: int) -> int:
    """The IT watts that a feed may draw at a moment, NO_TARGET where that is all that its limit allows."""
    metadata = metadata_of(world, feed, 0)
    limit_w = limit_w_at(metadata, schedule, at_ms)
    return NO_TARGET if limit_w >= metadata.maximum_w else it_w(world, feed, limit_w)


def next_change_ms(world: World, after_ms: int) -> int | None:
    """When the next stretch of any feed begins or ends; None = there is none."""
    schedules = (schedule_of(kept_of(world, feed)) for feed in world.fleet.feeds.values())
    ends = (time_ms for schedule in schedules for each in schedule for time_ms in (each.start_ms, each.end_ms))
    return min((time_ms for time_ms in ends if time_ms > after_ms), default=None)


def _refusal(feed: FeedPart, refused: Refused) -> Refusal:
    """A refusal in the API's words, with the nearest that can be promised."""
    nearest = {"nearest_w": refused.nearest_w, "nearest_start_ms": refused.nearest_start_ms}
    given = {name: value for name, value in nearest.items() if value is not None}
    words = [f"{feed.id}: {refused.detail}"]
    if refused.nearest_w is not None:
        words.append(f"the nearest is {refused.nearest_w} W")
    if refused.nearest_start_ms is not None:
        words.append(f"the nearest start is {iso_utc(refused.nearest_start_ms)}")
    status = 409 if refused.reason == IN_CONFLICT else 422
    return Refusal(status, refused.reason.replace("_", "-"), "; ".join(words), given)


def _check_room(feed: FeedPart, schedule: Schedule, now_ms: int) -> None:
    if sum(each.end_ms > now_ms for each in schedule) > MOST_STRETCHES:
        raise Refusal(409, "too-many", f"{feed.id} has {MOST_STRETCHES:,} stretches to come already, which is the most")
