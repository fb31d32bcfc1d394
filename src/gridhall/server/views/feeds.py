"""Feeds and their schedules as objects of the API."""

from collections.abc import Iterable

from gridhall.energy.targets import LoadTarget, limit_w_at, listed
from gridhall.energy.targets.schedule import FOREVER
from gridhall.server.live.fleet_map import FeedPart
from gridhall.server.live.world import Resource, World
from gridhall.server.objects.feed import Feed, FeedSpec, FeedStatus
from gridhall.server.objects.part import Metadata
from gridhall.server.targets.feeds import FeedDraw, draws_of, metadata_of
from gridhall.server.targets.kept import kept_of, schedule_of, version_of

OPERATOR = "operator"


def feed_objects(world: World, feeds: Iterable[FeedPart], now_ms: int) -> list[Feed]:
    """Some feeds as they are now."""
    draws = draws_of(world)
    return [_feed(world, feed, draws[feed.id], now_ms) for feed in feeds]


def _feed(world: World, feed: FeedPart, draw: FeedDraw, now_ms: int) -> Feed:
    kept, asked = kept_of(world, feed), metadata_of(world, feed, draw.floor_w)
    arrays = world.fleet.arrays
    return Feed(
        metadata=Metadata(
            id=feed.id,
            name=feed.tag,
            created_ms=0,
            created_by=OPERATOR,
            modified_ms=0 if kept is None else kept.modified_ms,
            version=version_of(kept),
        ),
        spec=FeedSpec(
            site=arrays.site_names[feed.site],
            tag=feed.tag,
            maximum_w=asked.maximum_w,
            default_w=asked.default_w,
            least_w=feed.least_w,
            ramp_down_w_min=asked.ramp_down_w_min,
            pue_milli=int(arrays.site_pue_milli[feed.site]),
        ),
        status=_status(world, feed, draw, now_ms),
    )


def _status(world: World, feed: FeedPart, draw: FeedDraw, now_ms: int) -> FeedStatus:
    schedule, asked = schedule_of(kept_of(world, feed)), metadata_of(world, feed, draw.floor_w)
    ends = [time_ms for each in schedule for time_ms in (each.start_ms, each.end_ms) if now_ms < time_ms < FOREVER]
    return FeedStatus(
        time_ms=now_ms,
        minimum_w=asked.minimum_w,
        idle_w=draw.idle_w,
        rigid_w=draw.rigid_w,
        flexible_w=draw.flexible_w,
        paused_w=draw.paused_w,
        draw_w=draw.total_w,
        limit_w=limit_w_at(asked, schedule, now_ms),
        target=next(iter(listed(asked, schedule, now_ms, now_ms + 1)), None),
        until_ms=min(ends, default=None),
    )


def targets_of(
    world: World, feed: FeedPart, kept: Resource | None, from_ms: int, until_ms: int
) -> list[tuple[int, LoadTarget]]:
    """The targets of a feed that touch a span, each with its start."""
    found = listed(metadata_of(world, feed, 0), schedule_of(kept), from_ms, until_ms)
    return [(each.interval.start_ms, each) for each in found]
