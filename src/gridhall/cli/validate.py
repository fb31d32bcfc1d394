"""`gridhall validate`: every published figure that the twin can be held to, ours beside it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gridhall.engines.twin.validation import Row


def validate(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Compute published figures anew and show the error of each; exit code 1 if one is out of bounds."""
    from gridhall.cli.say import as_json, status

    status("computing every published figure anew")
    from dataclasses import asdict

    from gridhall.engines.twin.validation import rows

    found = rows()
    if json:
        as_json([{**asdict(row), "error": row.error, "passed": row.passed} for row in found])
    else:
        for section in dict.fromkeys(row.section for row in found):
            _print(section, [row for row in found if row.section == section])
        print(f"{sum(row.passed for row in found)} of {len(found)} within bounds")
    if not all(row.passed for row in found):
        raise typer.Exit(1)


def _print(section: str, found: "Sequence[Row]") -> None:
    from gridhall.cli.say import as_table

    print(section)
    cells = [
        [
            row.name,
            f"{row.published:,.7g}",
            f"{row.ours:,.7g}",
            row.unit,
            f"{row.error:+.3%}",
            "yes" if row.passed else "NO",
        ]
        for row in found
    ]
    as_table(["figure", "published", "ours", "unit", "error", "within"], cells, "lrrlrl")
    for title, said in (("source", [r.source for r in found]), ("ours by", [r.computed_by for r in found])):
        for words in dict.fromkeys(said):
            print(f"  {title}: {words}")
    print()
