"""Accepting a target, or refusing it with the reason and the nearest thing that can be promised."""

from dataclasses import dataclass
from typing import Literal

from gridhall.energy.targets.models import FeedMetadata, LoadTarget
from gridhall.energy.targets.schedule import FOREVER, Schedule, Stretch, overlaid
from gridhall.units import MINUTE_MS, iso_utc

Reason = Literal["in_the_past", "above_maximum", "below_floor", "firm_overlap", "impossible_ramp", "firm_without_id"]


@dataclass(frozen=True)
class Refused:
    """Why a target cannot be accepted. `nearest_w` and `nearest_start_ms`: the nearest that can, where there is one."""

    reason: Reason
    detail: str
    nearest_w: int | None = None
    nearest_start_ms: int | None = None


def accept(feed: FeedMetadata, schedule: Schedule, target: LoadTarget, now_ms: int, draw_w: int) -> Schedule | Refused:
    """The feed's schedule with the target in it, or a refusal.

    `draw_w` is what the feed draws now: a firm target must be reachable from it by the feed's ramp. A best-effort
    target is followed as fast as the ramp allows. A start that has passed means now.
    """
    start_ms = max(target.interval.start_ms, now_ms)
    end_ms = FOREVER if target.interval.end_ms is None else target.interval.end_ms
    if end_ms <= now_ms:
        return Refused("in_the_past", f"it ended at {iso_utc(end_ms)}", nearest_start_ms=now_ms)
    refused = _promised(schedule, target, start_ms, end_ms)
    if refused or target.load_constraint is None:
        return refused or overlaid(schedule, start_ms, end_ms, None)
    limit_w, firm = target.load_constraint.watts, target.strategy == "firm"
    refused = _range(feed, limit_w) or (_firm(feed, target, limit_w, start_ms, now_ms, draw_w) if firm else None)
    new = Stretch(start_ms, end_ms, limit_w, firm, target.correlation_id)
    return refused or overlaid(schedule, start_ms, end_ms, new)


def _promised(schedule: Schedule, target: LoadTarget, start_ms: int, end_ms: int) -> Refused | None:
    """A promise in the way that this target may not change."""
    for each in schedule:
        if each.firm and each.overlaps(start_ms, end_ms) and each.correlation_id != target.correlation_id:
            until = "further notice" if each.end_ms == FOREVER else iso_utc(each.end_ms)
            detail = f"{each.limit_w} W is promised from {iso_utc(each.start_ms)} until {until} ({each.correlation_id})"
            return Refused("firm_overlap", detail, each.limit_w, None if each.end_ms == FOREVER else each.end_ms)
    return None


def _range(feed: FeedMetadata, limit_w: int) -> Refused | None:
    if limit_w > feed.maximum_w:
        detail = f"{limit_w} W is more than the feed's maximum of {feed.maximum_w} W"
        return Refused("above_maximum", detail, nearest_w=feed.maximum_w)
    if limit_w < feed.minimum_w:
        detail = f"{limit_w} W is less than the {feed.minimum_w} W that the site cannot shed"
        return Refused("below_floor", detail, nearest_w=feed.minimum_w)
    return None


def _firm(
    feed: FeedMetadata, target: LoadTarget, limit_w: int, start_ms: int, now_ms: int, draw_w: int
) -> Refused | None:
    """A promise needs a name by which it can be changed, and a ramp that reaches it in time."""
    if not target.correlation_id:
        return Refused("firm_without_id", "a firm target is changed by its correlation id: give it one")
    fall_w = draw_w - limit_w
    if not feed.ramp_down_w_min or fall_w * MINUTE_MS <= feed.ramp_down_w_min * (start_ms - now_ms):
        return None
    reached_w = draw_w - feed.ramp_down_w_min * (start_ms - now_ms) // MINUTE_MS
    needed_ms = -(-fall_w * MINUTE_MS // feed.ramp_down_w_min)
    detail = f"from {draw_w} W now the feed reaches {reached_w} W by {iso_utc(start_ms)}, not {limit_w} W"
    return Refused("impossible_ramp", detail, max(reached_w, feed.minimum_w), now_ms + needed_ms)
