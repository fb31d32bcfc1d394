"""`gridhall sweep SCENARIO`: the same scenario over seeds and settings, on all cores."""

from pathlib import Path
from typing import Annotated

import typer

NO_SETTINGS: list[str] = []


def sweep(
    scenario: Annotated[Path, typer.Argument(help="Scenario file (YAML).")],
    seeds: Annotated[str, typer.Option(help="Seeds, such as 1..8 or 1,5,9.")] = "1..3",
    settings: Annotated[
        list[str], typer.Option("--set", metavar="KEY=A,B", help="Values to try; several --set give every combination.")
    ] = NO_SETTINGS,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; it must not exist.", show_default="runs/...")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes.", show_default="one a core")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a scenario over seeds and settings, one process a core, and show mean and spread over the seeds."""
    from gridhall.cli.say import as_json, as_table, status

    status(f"sweeping {scenario}: checking every case before the first one runs")
    from gridhall.cli.cases import LocalProcesses, Outcome, cases, check, run_all, spread
    from gridhall.cli.report.words import figure_words

    folder = out or Path("runs") / f"sweep-{scenario.stem}"
    wanted = cases(scenario, seeds, settings, folder)
    check(wanted)

    def done(outcome: Outcome) -> None:
        status(f"done: {outcome.case.name}")

    status(f"{len(wanted)} runs; compiling the core if this is the first one (up to a minute)")
    outcomes = run_all(wanted, folder, LocalProcesses(workers), done)
    groups = spread(outcomes)
    if json:
        as_json({"folder": str(folder), "cases": [outcome.document() for outcome in outcomes], "spread": groups})
        return
    for group in groups:
        print(f"\n{group['settings'] or 'as the scenario says'}, {group['runs']} seeds")
        rows = [
            [name.replace("_", " "), *(figure_words(figures[key]) for key in ("mean", "low", "high"))]
            for name, figures in group["figures"].items()
        ]
        as_table(["figure", "mean", "lowest", "highest"], rows, "lrrr")
    print(f"\nruns: {folder}")
