"""`gridhall compare RUN RUN`: two summaries side by side."""

from pathlib import Path
from typing import Annotated, Any

import typer


def compare(
    first: Annotated[Path, typer.Argument(help="Folder of a run.")],
    second: Annotated[Path, typer.Argument(help="Folder of another run.")],
    every: Annotated[bool, typer.Option("--all", help="Every figure, not only the headline.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Put the figures of two runs side by side, and the change from the first to the second."""
    from gridhall.cli.say import as_json, as_table
    from gridhall.cli.summaries import differences, provenance_changes, read_summary

    summaries = [read_summary(first), read_summary(second)]
    rows = differences(summaries[0], summaries[1], every)
    changes = provenance_changes(summaries[0], summaries[1])
    if json:
        as_json({"runs": [str(first), str(second)], "settings": changes, "figures": rows})
        return
    as_table(["set differently", first.name, second.name], [[r["setting"], *map(str, r["values"])] for r in changes])
    print()
    as_table(["figure", first.name, second.name, "change"], [_row(row) for row in rows], "lrrr")


def _row(row: dict[str, Any]) -> list[str]:
    from gridhall.cli.report.words import figure_words

    words = [figure_words({"value": value, "unit": row["unit"]}) for value in row["values"]]
    change = row["change"]
    return [row["figure"].replace("_", " "), *words, "" if change is None else f"{change:+.1%}"]
