"""The list of commands."""

import typer

from gridhall import __version__
from gridhall.cli import (
    ask,
    backup,
    compare,
    data,
    energy,
    fleet,
    jobs,
    ledger,
    replay,
    run,
    simulate,
    sweep,
    top,
    up,
    validate,
    work,
)

app = typer.Typer(
    help="Gridhall runs a sovereign AI cloud, from the grid connection to the GPU.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawing the help with rich would take a third of its time
)
app.command("up")(up.up)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("run")(run.run)
app.command("why")(ask.why)
app.command("where")(ask.where)
app.command("fit")(ask.fit)
app.command("top")(top.top)
app.add_typer(jobs.app, name="jobs")
app.add_typer(energy.app, name="energy")
app.add_typer(ledger.app, name="ledger")
app.command("simulate")(simulate.simulate)
app.command("compare")(compare.compare)
app.command("sweep")(sweep.sweep)
app.command("replay")(replay.replay)
app.command("validate")(validate.validate)
app.add_typer(fleet.app, name="fleet")
app.add_typer(work.app, name="work")
app.add_typer(data.app, name="data")


@app.callback(invoke_without_command=True)
def version(show: bool = typer.Option(False, "--version", help="Print the version and stop.")) -> None:
    """Gridhall runs a sovereign AI cloud, from the grid connection to the GPU."""
    if show:
        typer.echo(f"gridhall {__version__}")
        raise typer.Exit
