"""A feed's schedule: stretches of time in order, none overlapping, each under one target."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gridhall.energy.targets.models import FeedMetadata, Interval, LoadConstraint, LoadTarget, moment

FOREVER = 1 << 62
"""End of a stretch that holds until another target comes."""


@dataclass(frozen=True)
class Stretch:
    """From `start_ms` to `end_ms` the feed draws at most `limit_w`; `firm` is a promise."""

    start_ms: int
    end_ms: int
    limit_w: int
    firm: bool
    correlation_id: str

    def overlaps(self, start_ms: int, end_ms: int) -> bool:
        """Whether it shares a moment with a time."""
        return self.start_ms < end_ms and start_ms < self.end_ms


Schedule = tuple[Stretch, ...]


def overlaid(schedule: Schedule, start_ms: int, end_ms: int, new: Stretch | None) -> Schedule:
    """The schedule with a time cut out and, unless it returns to the default, the new stretch put there."""
    kept = [part for old in schedule for part in _around(old, start_ms, end_ms)]
    return tuple(sorted([*kept, *([new] if new else [])], key=lambda stretch: stretch.start_ms))


def _around(old: Stretch, start_ms: int, end_ms: int) -> Iterator[Stretch]:
    if not old.overlaps(start_ms, end_ms):
        yield old
        return
    if old.start_ms < start_ms:
        yield replace(old, end_ms=start_ms)
    if old.end_ms > end_ms:
        yield replace(old, start_ms=end_ms)


def limit_w_at(feed: FeedMetadata, schedule: Schedule, at_ms: int) -> int:
    """What the feed may draw at a moment: its target, or the default."""
    return next((each.limit_w for each in schedule if each.start_ms <= at_ms < each.end_ms), feed.default_w)


def safe_limit_w(feed: FeedMetadata, schedule: Schedule, heard_ms: int) -> int:
    """The limit when nothing has been heard since `heard_ms`: the lower of the last target and the default."""
    return min(limit_w_at(feed, schedule, heard_ms), feed.default_w)


def listed(feed: FeedMetadata, schedule: Schedule, start_ms: int, end_ms: int) -> list[LoadTarget]:
    """The targets that touch a time, in order, as the API gives them; between them the default holds."""
    return [_target(feed, each) for each in schedule if each.overlaps(start_ms, end_ms)]


def _target(feed: FeedMetadata, stretch: Stretch) -> LoadTarget:
    end = None if stretch.end_ms == FOREVER else moment(stretch.end_ms)
    return LoadTarget(
        interval=Interval(start_time=moment(stretch.start_ms), end_time=end),
        load_constraint=LoadConstraint(value=stretch.limit_w, unit="W"),
        strategy="firm" if stretch.firm else "best_effort",
        feed_tags=(feed.feed_tag,),
        correlation_id=stretch.correlation_id,
    )
