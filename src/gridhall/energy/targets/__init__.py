"""Load targets: what a feed may draw, from when until when, and whether that is a promise.

- `models` are the bodies, in the shape of NVIDIA DPS NvGrid: an interval, a load constraint with its unit, a strategy,
  feed tags, a correlation id; and each feed's metadata (least, most and default load, its ramp).
- `schedule` is a feed's accepted targets as stretches of time that never overlap. The latest target wins for its
  interval; a null constraint returns its interval to the default. A firm target is a promise: only a target with its
  own correlation id changes or withdraws it.
- `accept` decides: it gives the schedule with the target in it, or a refusal with the reason and the nearest thing
  that can be promised. Nothing changes on a refusal.

All of it is pure; the clock and the draw of the moment are handed in. Targets limit the draw of the whole feed, at the
meter.
"""

from gridhall.energy.targets.accept import Refused, accept
from gridhall.energy.targets.models import FeedMetadata, Interval, LoadConstraint, LoadTarget, Strategy
from gridhall.energy.targets.schedule import Schedule, Stretch, limit_w_at, listed, safe_limit_w

__all__ = [
    "FeedMetadata",
    "Interval",
    "LoadConstraint",
    "LoadTarget",
    "Refused",
    "Schedule",
    "Strategy",
    "Stretch",
    "accept",
    "limit_w_at",
    "listed",
    "safe_limit_w",
]
