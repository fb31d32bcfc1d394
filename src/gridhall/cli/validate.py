"""`gridhall validate`: every published figure that the twin can be held to, ours beside it."""

from typing import Annotated

import typer


def validate(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Compute published figures anew and show the error of each; exit code 1 if one is out of bounds."""
    from gridhall.cli.say import as_json, as_table, status

    status("computing every published figure anew")
    from dataclasses import asdict

    from gridhall.engines.twin.validation import rows

    found = rows()
    if json:
        as_json([{**asdict(row), "error": row.error, "passed": row.passed} for row in found])
    else:
        cells = [
            [
                row.section,
                row.name,
                f"{row.published:,.7g}",
                f"{row.ours:,.7g}",
                row.unit,
                f"{row.error:+.3%}",
                "yes" if row.passed else "NO",
                row.computed_by,
                row.source,
            ]
            for row in found
        ]
        heads = ["section", "figure", "published", "ours", "unit", "error", "within", "computed by", "source"]
        as_table(heads, cells, "llrrlr")
    if not all(row.passed for row in found):
        raise typer.Exit(1)
