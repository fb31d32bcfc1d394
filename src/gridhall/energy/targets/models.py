"""The bodies of load targets and feed metadata."""

from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, Field, model_validator

from gridhall.fleet.figures import Part
from gridhall.units import utc_ms

Unit = Literal["W", "kW", "MW"]
Strategy = Literal["best_effort", "firm"]

WATTS = {"W": 1, "kW": 1_000, "MW": 1_000_000}
MOST = 1e12
"""No grid has so many watts: a slip of the pen, and sums must fit 64 bits."""
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class LoadConstraint(Part):
    """The most that a feed may draw."""

    value: float = Field(ge=0, le=MOST)
    unit: Unit

    @property
    def watts(self) -> int:
        """The value in whole watts."""
        return round(self.value * WATTS[self.unit])


class Interval(Part):
    """From `start_time`, to `end_time` or, without one, until another target comes."""

    start_time: AwareDatetime
    end_time: AwareDatetime | None = None

    @model_validator(mode="after")
    def _forward(self) -> "Interval":
        if self.end_time is not None and self.end_time <= self.start_time:
            raise ValueError("end_time must lie after start_time")
        if not FIRST <= self.start_time <= (self.end_time or LAST) <= LAST:
            raise ValueError("times lie between 1970 and 2200")
        return self

    @property
    def start_ms(self) -> int:
        """Start as milliseconds UTC."""
        return utc_ms(self.start_time)

    @property
    def end_ms(self) -> int | None:
        """End as milliseconds UTC; None = open."""
        return None if self.end_time is None else utc_ms(self.end_time)


class LoadTarget(Part):
    """One target for the feeds it names (all feeds, when it names none); a null constraint returns to the default."""

    interval: Interval
    load_constraint: LoadConstraint | None
    strategy: Strategy = "best_effort"
    feed_tags: tuple[str, ...] = ()
    correlation_id: str = Field(default="", max_length=200)


class FeedMetadata(Part):
    """What a feed can be asked for, in watts at the meter.

    `minimum_w` is the least that a target may ask; it covers what the site cannot shed (its floor). `default_w` holds
    without a target. The draw can fall by `ramp_down_w_min` in a minute (0 = at once).
    """

    feed_tag: str
    minimum_w: int = Field(ge=0)
    maximum_w: int = Field(gt=0)
    default_w: int = Field(gt=0)
    ramp_down_w_min: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> "FeedMetadata":
        if not self.minimum_w <= self.default_w <= self.maximum_w:
            raise ValueError("minimum_w, default_w and maximum_w must not fall")
        return self


def moment(time_ms: int) -> datetime:
    """A time of the API from milliseconds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
