"""One HTML file that needs nothing else: styles, charts, their data and plotly's script are all inside."""

import json
from html import escape
from importlib.resources import files
from typing import Any

from gridhall.cli.report.charts import Chart
from gridhall.cli.report.theme import DARK, LIGHT


class Page:
    """Collects the report's parts in order; `html` puts them together."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._parts: list[str] = []
        self._charts: dict[str, Chart] = {}

    def add(self, html: str) -> None:
        """Append ready-made HTML."""
        self._parts.append(html)

    def section(self, title: str, lead: str) -> None:
        """A heading and the sentence that says what is to be seen; `lead` is ready-made HTML."""
        self._parts.append(f"<section><h2>{escape(title)}</h2><p>{lead}</p></section>")

    def chart(self, chart: Chart, title: str = "") -> str:
        """Register a chart and give the HTML of its place."""
        name = f"chart{len(self._charts) + 1}"
        self._charts[name] = chart
        heading = f"<h3>{escape(title)}</h3>" if title else ""
        height = chart["layout"]["height"]
        return f'<div>{heading}<div id="{name}" class="chart" style="height:{height}px"></div></div>'

    def html(self) -> str:
        """The whole file."""
        return "\n".join(
            [
                "<!doctype html>",
                f'<html lang="en"><head><meta charset="utf-8"><title>{escape(self._title)}</title>',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                f"<style>\n{_asset('page.css')}</style></head>",
                f"<body><main>{''.join(self._parts)}</main>",
                _data("themes", {"light": LIGHT, "dark": DARK}),
                _data("charts", self._charts),
                f"<script>{_plotly()}</script>",
                f"<script>\n{_asset('page.js')}</script></body></html>",
            ]
        )


def _data(name: str, value: Any) -> str:
    # `</script>` inside a name would end the element, so no `<` is left in the text.
    text = json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'


def _asset(name: str) -> str:
    return (files(__package__ or __name__) / name).read_text(encoding="utf-8")


def _plotly() -> str:
    return (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
