"""Figures: a number with what it rests on.

In a fleet file a figure is a bare number (then it is `assumed`) or a mapping:

    limit_mw: {value: 50, kind: committed, as_of: 2025-09-17, source: gnw}

`source` names an entry of the file's `sources`.
"""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Kind = Literal["measured", "committed", "target", "up-to", "paused", "published", "assumed"]
"""What a figure rests on. `published` is a maker's or author's figure, `up-to` an announced ceiling."""

MAX_FIGURE = 10_000_000
"""No MW, kW, W or USD of a fleet file is larger: a slip of the pen, and sums of them must fit 64 bits."""
MAX_COUNT = 100_000
"""Most racks of one group."""


class Part(BaseModel):
    """One mapping of a fleet file: unknown fields are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)


class Figure(Part):
    """A number, what kind of number it is, when it was said and by whom."""

    value: float = Field(strict=True)
    kind: Kind = "assumed"
    as_of: date | None = None
    source: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_number(cls, raw: Any) -> Any:
        if isinstance(raw, dict | Figure):
            return cast(Any, raw)
        return {"value": raw}

    @property
    def whole(self) -> int:
        """The value as the nearest integer."""
        return round(self.value)


def out_of_range(value: float, wanted: str) -> PydanticCustomError:
    """The refusal of a number that is well written but cannot be."""
    return PydanticCustomError("out_of_range", "{value} is not {wanted}", {"value": f"{value:g}", "wanted": wanted})


def _between(low: float, high: float, what: str) -> Callable[[Figure], Figure]:
    def check(figure: Figure) -> Figure:
        if not low <= figure.value <= high:
            raise out_of_range(figure.value, what)
        return figure

    return check


def _whole(figure: Figure) -> Figure:
    if figure.value != round(figure.value) or not 1 <= figure.value <= MAX_COUNT:
        raise out_of_range(figure.value, f"a whole number from 1 to {MAX_COUNT:,}")
    return figure


NotNegative = Annotated[Figure, AfterValidator(_between(0, MAX_FIGURE, f"a number from 0 to {MAX_FIGURE:,}"))]
Share = Annotated[Figure, AfterValidator(_between(0, 1, "a share between 0 and 1"))]
Pue = Annotated[Figure, AfterValidator(_between(1, 10, "a PUE of at least 1"))]
Count = Annotated[Figure, AfterValidator(_whole)]
Temperature = Annotated[Figure, AfterValidator(_between(-90, 150, "a temperature between -90 and 150 degrees Celsius"))]
