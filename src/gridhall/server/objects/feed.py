"""Feeds as they are read: what each can be asked for, what it draws, and the load target in force.

All watts are at the feed's meter. The target itself is `gridhall.energy.targets.LoadTarget`, in NvGrid's shape.
"""

from typing import Literal

from gridhall.energy.targets import LoadTarget
from gridhall.server.objects.part import Metadata, Part


class FeedSpec(Part):
    """What the operator wrote down. `default_w` holds without a target.

    The draw can fall by `ramp_down_w_min` in a minute, 0 = at once. `least_w` is what the fleet file declares as the
    least that may be asked, 0 = it declares nothing.
    """

    site: str
    tag: str
    maximum_w: int
    default_w: int
    least_w: int
    ramp_down_w_min: int
    pue_milli: int


class FeedStatus(Part):
    """How a feed stands at `time_ms`, on committed watts: nothing reads its meter yet.

    `minimum_w` is the least that a target may ask: what nodes that are up draw without work (`idle_w`) and what work of
    the tier rigid adds (`rigid_w`), or `least_w`. `paused_w` is not drawn: what work that stands still would add.
    `limit_w` is in force, by `target`, or by default where that is null; `until_ms` is when that changes by the
    schedule, null = not.
    """

    time_ms: int
    minimum_w: int
    idle_w: int
    rigid_w: int
    flexible_w: int
    paused_w: int
    draw_w: int
    draw_rests_on: Literal["committed"] = "committed"
    limit_w: int
    target: LoadTarget | None
    until_ms: int | None


class Feed(Part):
    """A metered grid connection. Its version is that of its schedule."""

    metadata: Metadata
    spec: FeedSpec
    status: FeedStatus
