"""`gridhall data list|get`: public data sets on this machine, checked and with their attribution."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Public data sets: list them, or get a checked copy.", no_args_is_help=True)


@app.command("list")
def list_(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print the catalogue of public data sets."""
    from gridhall.cli.say import as_json, as_table
    from gridhall.work.catalogue import data_sets

    sets = data_sets()
    if json:
        as_json([entry.model_dump() for entry in sets])
        return
    rows = [
        [entry.name, entry.kind, "download" if entry.downloadable else "--from", entry.what, entry.licence]
        for entry in sets
    ]
    as_table(["name", "kind", "how", "what", "licence"], rows)


@app.command("get")
def get(
    name: Annotated[str, typer.Argument(help="Name of the data set.")],
    from_folder: Annotated[Path | None, typer.Option("--from", help="Copy from this folder.")] = None,
    into: Annotated[Path | None, typer.Option(help="Folder to write.", show_default="data/NAME")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Download a data set, or copy it from a folder; files are checked against the catalogue's checksums."""
    from gridhall.cli.say import as_json
    from gridhall.work.catalogue import data_set, fetch

    wanted = data_set(name)
    paths = fetch(wanted, into or Path("data") / name, from_folder=from_folder)
    if json:
        as_json({**wanted.model_dump(), "paths": [str(path) for path in paths]})
        return
    for path in paths:
        print(path)
    print(f"licence: {wanted.licence}\nattribution to print: {wanted.attribution}")
