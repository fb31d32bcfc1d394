"""`gridhall replay RUN`: recorded events through the core again, or a fork of the run with other settings."""

from pathlib import Path
from typing import Annotated, Any

import typer

NO_SETTINGS: list[str] = []


def replay(
    run: Annotated[Path, typer.Argument(help="Folder of a run made with `gridhall simulate --record`.")],
    fork_at: Annotated[str | None, typer.Option(help="Go on from this date or time with other settings.")] = None,
    settings: Annotated[
        list[str], typer.Option("--set", metavar="KEY=VALUE", help="Setting of the fork, laid over the scenario.")
    ] = NO_SETTINGS,
    out: Annotated[Path | None, typer.Option(help="Folder for the fork.", show_default="RUN-fork...")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Feed a run's events to the core again; exit code 0 only if effects and state are the same."""
    from gridhall.errors import fault

    if fork_at is not None:
        _fork(run, fork_at, settings, out, json)
    elif settings or out:
        raise fault("replay", "--set, --out", "belong to a fork", "say from when on with --fork-at")
    else:
        _again(run, json)


def _again(run: Path, json: bool) -> None:
    from gridhall.cli.say import as_json, status

    status(f"replaying {run}; compiling the core if this is the first time (up to a few minutes)")
    from gridhall.cli.running import RECORDING
    from gridhall.controller.replay import replay as feed

    result = feed(run / RECORDING)
    if json:
        as_json({**vars(result), "verdict": result.verdict})
    else:
        _print_replay(result)
    if not result.matches:
        raise typer.Exit(1)


def _print_replay(result: Any) -> None:
    from gridhall.cli.say import as_table

    rows = [
        ["effects", result.expected_digest, result.digest],
        ["state", result.expected_state_hash[:16], result.state_hash[:16]],
    ]
    as_table(["digest of", "recorded", "replayed"], rows)
    print(f"\n{result.events:,} events: {result.verdict}")
    if result.verdict == "not comparable":
        print("The kernels have changed since the run was recorded, and decide otherwise.")


def _fork(run: Path, fork_at: str, settings: list[str], out: Path | None, json: bool) -> None:
    from gridhall.cli.say import as_json, status

    status(f"forking {run} at {fork_at}; compiling the core if this is the first time (up to a few minutes)")
    from gridhall.cli.forking import carry_out_fork, moment_ms
    from gridhall.cli.progress import Bar
    from gridhall.cli.simulate import print_run
    from gridhall.engines.twin.scenario_file import parse_overrides

    at_ms, overrides = moment_ms(fork_at), parse_overrides(settings)
    folder = out or _free(run)
    with Bar() as bar:
        summary = carry_out_fork(run, at_ms, overrides, folder, bar.show)
    if json:
        as_json(summary)
    else:
        print_run(summary, folder)


def _free(run: Path) -> Path:
    """RUN-fork, or that with a number behind where it is taken."""
    tries = (run.with_name(f"{run.name}-fork{number or ''}") for number in (0, *range(2, 1_000_000)))
    return next(folder for folder in tries if not folder.exists())
