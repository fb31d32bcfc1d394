"""The report of a run: one HTML file that an operator and an investor can both read, on any machine, offline.

`render` reads a run folder's tables, thinned to what a chart can show (`frames`), and its summary; `sections` says in
which order what is told, `charts` gives each chart as plain data, `page` puts everything into one file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gridhall.cli.report import sections
from gridhall.cli.report.page import Page
from gridhall.engines.twin.index import read_index

__all__ = ["render"]

ORDER = (
    sections.head,
    sections.tiles,
    sections.build_out,
    sections.use,
    sections.queue,
    sections.power,
    sections.load_targets,
    sections.energy,
    sections.goodput,
    sections.topology,
    sections.sovereignty,
    sections.money,
    sections.provenance,
)


def render(run: Path, summary: Mapping[str, Any]) -> str:
    """The report's HTML for the run folder `run`. Raises InputError where a table or the index is missing."""
    page = Page(str(summary["title"]))
    source = sections.Source(run, read_index(run), summary)
    for section in ORDER:
        section(page, source)
    return page.html()
