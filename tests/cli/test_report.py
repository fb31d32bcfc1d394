"""The report is one file that works offline, and it shows what the summary says."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gridhall.cli.report import render
from gridhall.cli.report.theme import DARK, LIGHT
from gridhall.cli.report.words import figure_words, table
from gridhall.engines.twin.index import read_index
from gridhall.engines.twin.summary import summarise
from tests.cli.fabricated import fabricate, facts


class Loads(HTMLParser):
    """Everything that a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {name}={value}" for name, value in attrs if name in ("src", "href", "srcset", "data")]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    fabricate(folder, days=365, jobs=5000)
    return folder


@pytest.fixture(scope="module")
def summary(run: Path) -> dict[str, Any]:
    return summarise(run, facts(read_index(run)))


@pytest.fixture(scope="module")
def html(run: Path, summary: dict[str, Any]) -> str:
    return render(run, summary)


def charts_of(html: str) -> dict[str, Any]:
    match = re.search(r'id="charts">(.*?)</script>', html, re.S)
    assert match is not None
    return json.loads(match[1])


def test_nothing_is_loaded_from_elsewhere(html: str) -> None:
    loads = Loads()
    loads.feed(html)
    assert loads.found == []
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_a_year_fits_into_eight_megabytes(html: str) -> None:
    assert len(html.encode()) < 8_000_000


def test_every_chart_has_its_place_and_its_data(html: str) -> None:
    charts = charts_of(html)
    assert len(charts) >= 12
    for name, chart in charts.items():
        assert f'<div id="{name}" class="chart"' in html
        assert chart["data"]


def test_every_colour_of_a_chart_is_known_by_day_and_by_night(html: str) -> None:
    used = set(re.findall(r'"@([a-z0-9]+)"', json.dumps(charts_of(html))))
    assert used
    assert used <= LIGHT.keys()
    assert LIGHT.keys() == DARK.keys()


def test_a_series_has_at_most_a_few_hundred_points(html: str) -> None:
    for chart in charts_of(html).values():
        assert all(len(trace["y"]) <= 400 for trace in chart["data"])


def test_the_headline_is_shown_in_words(html: str, summary: dict[str, Any]) -> None:
    for name in ("gpus_on_line_at_end", "utilisation", "goodput", "site_energy", "energy_cost", "carbon"):
        assert f'<div class="value">{figure_words(summary["headline"][name])}</div>' in html


def test_the_announced_sum_is_drawn_and_called_an_inference(run: Path, summary: dict[str, Any]) -> None:
    line = {"value_usd": 683e6, "label": "a guess", "source": "our inference"}
    html = render(run, {**summary, "provenance": {**summary["provenance"], "money_line": line}})
    assert "683 million USD: a guess" in html
    assert "our inference" in html


def test_no_revenue_is_drawn_without_a_fictional_operator(html: str) -> None:
    assert "Not drawn: prices and margins are shown for fictional operators only" in html


def test_names_cannot_break_out_of_the_page(run: Path, summary: dict[str, Any]) -> None:
    html = render(run, {**summary, "title": "</title><script>alert(1)</script>"})
    assert "<script>alert(1)" not in html


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (58640, "GPU", "58,640"),
        (0.8712, "share", "87.1 %"),
        (373_000, "MWh", "373 GWh"),
        (0.218, "MWh", "218 kWh"),
        (26_800_000, "GBP", "GBP 26.8 m"),
        (6_000, "USD", "USD 6,000"),
        (76.5, "GBP/MWh", "76.5 GBP/MWh"),
        (0.5, "h", "30 min"),
        (0, "min", "0 min"),
        (None, "h", "–"),
    ],
)
def test_figures_read_well(value: float | None, unit: str, words: str) -> None:
    assert figure_words({"value": value, "unit": unit}) == words


def test_a_table_aligns_numbers_to_the_right() -> None:
    assert '<th>a</th><th class="r">b</th>' in table(["a", "b"], [["x", "1"]], "lr")
