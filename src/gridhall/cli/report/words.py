"""Numbers and names as people read them."""

from collections.abc import Mapping
from html import escape
from typing import Any

LADDERS = {
    "MWh": ((1e6, "TWh"), (1e3, "GWh"), (1, "MWh")),
    "t CO2e": ((1e6, "Mt CO₂e"), (1e3, "kt CO₂e"), (1, "t CO₂e")),
    "GPU h": ((1e6, "M GPU h"), (1, "GPU h")),
    "h": ((1, "h"), (1 / 60, "min")),
}
MONEY = ((1e9, "bn"), (1e6, "m"), (1, ""))


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
    ladder = LADDERS.get(unit) or (MONEY if len(unit) == 3 and unit.isupper() and unit != "GPU" else ())
    if not ladder:
        return f"{number(value)} {unit}" if unit not in ("jobs", "GPU", "ratio") else number(value)
    scale, name = next((step for step in ladder if abs(value) >= step[0]), ladder[-1])
    words = f"{number(value / scale)} {name}".strip()
    return f"{unit} {words}" if ladder is MONEY else words


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
