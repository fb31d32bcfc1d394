"""A figure of a summary: a number, its unit and what it rests on."""

import math
from typing import Literal, TypedDict

Basis = Literal["measured", "published", "assumed", "synthetic", "simulated"]


class Figure(TypedDict):
    """`{"value": 0.87, "unit": "share", "basis": "simulated"}`; `value` is None where there is nothing to count."""

    value: float | int | None
    unit: str
    basis: Basis


def figure(value: float | int | None, unit: str, basis: Basis = "simulated") -> Figure:
    """A figure; values keep six significant digits, integers all of theirs."""
    if isinstance(value, float):
        value = float(f"{value:.6g}") if math.isfinite(value) else None
    return {"value": value, "unit": unit, "basis": basis}


def share(part: float, whole: float) -> float | None:
    """`part / whole`, or None where there is no whole."""
    return part / whole if whole else None
