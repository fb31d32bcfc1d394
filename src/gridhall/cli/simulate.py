"""`gridhall simulate SCENARIO`: run the twin and write tables, summary and report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gridhall.engines.twin.assemble import Prepared

NO_SETTINGS: list[str] = []


def simulate(
    scenario: Annotated[Path, typer.Argument(help="Scenario file (YAML), such as examples/scenarios/laptop.yaml.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; it must not exist.", show_default="runs/...")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of all chance.")] = None,
    until: Annotated[str | None, typer.Option(help="End the run at this date.")] = None,
    settings: Annotated[
        list[str], typer.Option("--set", metavar="KEY=VALUE", help="Lay a value over the scenario.")
    ] = NO_SETTINGS,
    record: Annotated[bool, typer.Option("--record", help="Keep the events, for `gridhall replay`.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Run a scenario and write tables, a summary and a report into one folder."""
    from gridhall.cli.say import as_json, status

    status(f"simulating {scenario}: reading it, its fleet and its work")
    from gridhall.cli.progress import Bar
    from gridhall.cli.running import Request, carry_out, free_folder, ready
    from gridhall.engines.twin.scenario_file import parse_overrides

    overrides = parse_overrides(settings)
    overrides |= {key: str(value) for key, value in (("seed", seed), ("end", until)) if value is not None}
    prepared = ready(Request(scenario, Path(), overrides))
    folder = out or free_folder(scenario, prepared.scenario.seed)
    status(_introduction(prepared))
    status("compiling the core if this is the first run (up to a minute), then simulating")
    with Bar() as bar:
        summary = carry_out(Request(scenario, folder, overrides, record), bar.show, prepared)
    if json:
        as_json(summary)
    else:
        print_run(summary, folder)


def _introduction(prepared: "Prepared") -> str:
    from gridhall.units import iso_utc

    index = prepared.index
    span = f"{iso_utc(index.start_ms)[:10]} to {iso_utc(index.end_ms)[:10]}"
    places = f"{index.gpus:,} GPUs at {len(index.sites)} site{'s' if len(index.sites) != 1 else ''}"
    return f"{prepared.scenario.title}: {places}, {span}; work: {prepared.workload.origin}"


def print_run(summary: dict[str, Any], folder: Path) -> None:
    """The headline of a finished run and where its report is."""
    from gridhall.cli.report.words import figure_words, target_words
    from gridhall.cli.say import as_table

    print(f"{summary['title']}, {summary['period']['start'][:10]} to {summary['period']['end'][:10]}")
    rows = [
        [name.replace("_", " "), figure_words(entry), entry["basis"]] for name, entry in summary["headline"].items()
    ]
    as_table(["figure", "value", "rests on"], rows, "lrl")
    for kept in summary["targets"]:
        print(f"\n{kept['feed']} from {kept['start']} to {kept['end']} (simulated)\n  {target_words(kept)}")
    print(f"\ndecision digest {summary['provenance']['decision_digest']}")
    print(f"report: {folder / 'report.html'}")
