"""Numbers and names as people read them."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

Ladder = Sequence[tuple[float, str]]
LADDERS: dict[str, Ladder] = {
    "MW": ((1e3, "GW"), (1, "MW"), (1e-3, "kW"), (1e-6, "W")),
    "MWh": ((1e6, "TWh"), (1e3, "GWh"), (1, "MWh"), (1e-3, "kWh")),
    "t CO2e": ((1e6, "Mt CO₂e"), (1e3, "kt CO₂e"), (1, "t CO₂e"), (1e-3, "kg CO₂e")),
    "GPU h": ((1e6, "M GPU h"), (1, "GPU h")),
    "h": ((1, "h"), (1 / 60, "min")),
}
MONEY: Ladder = ((1e9, " bn"), (1e6, " m"), (1, ""))
COUNTS = ("jobs", "GPU", "ratio", "racks", "failures", "restarts", "pre-emptions", "decisions")
"""Units that the words around a figure say already."""

TARGET_FIGURES = (
    *("target", "drawn_before", "reached_within", "mean_held", "worst_minute", "minutes_over"),
    *("shed_energy", "peak_hour_after"),
)


def number(value: float) -> str:
    """`58,640`, `87.4`, `0.031`: three or more significant digits, thousands told apart."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"


def figure_words(figure: Mapping[str, Any]) -> str:
    """A figure of a summary with its unit, scaled to read well; a dash where there is none."""
    value, unit = figure["value"], figure["unit"]
    if value is None:
        return "–"
    if unit == "share":
        return f"{value:.1%}".replace("%", " %")
    if unit in COUNTS:
        return number(value)
    scale, name = scaled(value, unit)
    return f"{name[:3]} {number(value / scale)}{name[3:]}" if is_money(unit) else f"{number(value / scale)} {name}"


def target_words(kept: Mapping[str, Any]) -> str:
    """How a load target of a summary was kept, in one sentence."""
    words = {key: figure_words(kept[key]) for key in TARGET_FIGURES}
    never = kept["reached_within"]["value"] is None
    reached = "never reached" if never else f"reached within {words['reached_within']}"
    return (
        f"Target {words['target']}, {words['drawn_before']} drawn before: {reached}; then {words['mean_held']} on "
        f"average, {words['worst_minute']} in the worst minute, {words['minutes_over']} above target + 1 %; "
        f"{words['shed_energy']} shed; at most {words['peak_hour_after']} in the hour after."
    )


def is_money(unit: str) -> bool:
    """Whether a unit is a currency such as GBP."""
    return len(unit) == 3 and unit.isalpha() and unit.isupper() and unit != "GPU"


def scaled(largest: float, unit: str) -> tuple[float, str]:
    """By what to divide values up to `largest` so that they read well, and the unit that they then have."""
    ladder = [(scale, unit + name) for scale, name in MONEY] if is_money(unit) else LADDERS.get(unit, ((1, unit),))
    return next((step for step in ladder if abs(largest) >= step[0]), ladder[-1])


def badge(basis: str) -> str:
    """The small word that says what a figure rests on."""
    return f'<span class="basis {escape(basis)}">{escape(basis)}</span>'


def table(head: list[str], rows: list[list[str]], align: str = "") -> str:
    """An HTML table of ready-made cells; `align` has one letter a column, `r` for right."""
    kinds = [' class="r"' if letter == "r" else "" for letter in align.ljust(len(head), "l")]
    top = "".join(f"<th{kind}>{cell}</th>" for kind, cell in zip(kinds, head, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
