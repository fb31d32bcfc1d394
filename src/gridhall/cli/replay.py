"""`gridhall replay RUN`: recorded events through the core again, or a fork of the run with other settings."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gridhall.server.replaying import Replayed

STORE = "gridhall.db"
"""In a server's folder; elsewhere a run's recording is meant."""
SMALL_STORE_BYTES = 32 << 20
"""Up to here the uncompiled kernels are quicker than a compiler."""
NO_SETTINGS: list[str] = []


def replay(
    run: Annotated[Path, typer.Argument(help="A run made with `gridhall simulate --record`, or a server's folder.")],
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
    elif (run / STORE).is_file() or run.is_file():
        _store(run, json)
    else:
        _again(run, json)


def _store(run: Path, json: bool) -> None:
    """The log of a server, read from its database."""
    import asyncio

    _choose_kernels(run if run.is_file() else run / STORE)
    from gridhall.cli.progress import Bar
    from gridhall.cli.say import as_json, status
    from gridhall.server.replaying import replay_store
    from gridhall.server.store.reading import open_to_read

    async def replayed() -> "Replayed":
        async with open_to_read(str(run)) as database:
            with Bar() as bar:
                return await replay_store(database, bar.count)

    status(f"replaying the log in {run}")
    result = asyncio.run(replayed())
    if json:
        as_json({**asdict(result), "verdict": result.verdict})
    else:
        _print_store(result)
    if result.verdict != "same":
        raise typer.Exit(1)


def _choose_kernels(store: Path) -> None:
    """Whether to compile is settled before anything with a kernel is imported."""
    from gridhall.cli.say import status

    if "GRIDHALL_COMPILE" not in os.environ and store.stat().st_size <= SMALL_STORE_BYTES:
        os.environ["GRIDHALL_COMPILE"] = "0"
    elif os.environ.get("GRIDHALL_COMPILE") != "0":
        status("a large log: its kernels are compiled, which takes up to a few minutes the first time")


def _print_store(result: "Replayed") -> None:
    if result.not_comparable:
        print(f"{result.not_comparable:,} entries were decided by other versions: not comparable")
    if result.differs >= 0:
        print(f"decision {result.differs:,} came out otherwise than recorded: {result.verdict}")
    elif result.expected_state_hash:
        print(f"{result.decisions:,} decisions, state {result.state_hash[:16]} at the last snapshot: {result.verdict}")


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
