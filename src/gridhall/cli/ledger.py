"""`gridhall ledger`: check a log, lay it out for others."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridhall.cli import say

if TYPE_CHECKING:
    from gridhall.ledger.store import LogReader
    from gridhall.ledger.verify import Verdict

app = typer.Typer(help="The tamper-evident log: verify, export.", no_args_is_help=True)
Where = Annotated[
    str | None,
    typer.Argument(help="A server's folder, a database URL or an exported log (default: the folder of `up`)."),
]


@app.command()
def verify(
    where: Where = None,
    key: Annotated[list[str] | None, typer.Option(help="Public key that signed it; may be given again.")] = None,
    checkpoint: Annotated[list[Path] | None, typer.Option(help="A checkpoint kept; may be given again.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compute every hash again and check every signature; exit code 0 only if the log is whole."""
    import asyncio
    from dataclasses import asdict

    from gridhall.cli.progress import Bar
    from gridhall.ledger.note import read_vkey
    from gridhall.ledger.verify import verify as check

    async def checked() -> "Verdict":
        keys = [read_vkey(text) for text in key or []]
        kept = [path.read_text(encoding="utf-8") for path in checkpoint or []]
        async with _reader(where) as reader:
            with Bar() as bar:
                return await check(reader, keys, kept, bar.count)

    verdict = asyncio.run(checked())
    if as_json:
        say.as_json(asdict(verdict))
    else:
        _print(verdict)
    if verdict.word != "PASS":
        raise typer.Exit(1)


def _print(verdict: "Verdict") -> None:
    place = "" if verdict.entry is None else f" at entry {verdict.entry:,}"
    print(f"{verdict.word}{place}: {verdict.entries:,} entries, {verdict.checkpoints:,} checkpoints")
    if verdict.why:
        print(f"the log {verdict.why}")
    print(f"checked with the keys {verdict.keys}; not proven:")
    for each in verdict.not_proven:
        print(f"  - {each}")


@app.command()
def export(folder: Annotated[Path, typer.Argument(help="Folder to lay the log out in.")], where: Where = None) -> None:
    """Lay a log out as static files (C2SP tlog-tiles) that a stranger can mirror and verify."""
    import asyncio

    from gridhall.ledger.export import export as lay_out

    async def laid_out() -> int:
        async with _reader(where) as reader:
            return (await lay_out(reader, folder)).size

    say.status(f"{asyncio.run(laid_out()):,} entries in {folder}")


@asynccontextmanager
async def _reader(where: str | None) -> "AsyncGenerator[LogReader]":
    """The log at a place: an exported folder is read as files, anything else is a server's store."""
    from gridhall.ledger.folder import FolderReader

    if where is not None and (Path(where) / "checkpoint").is_file():
        yield FolderReader(Path(where))
        return
    from gridhall.client import home_folder
    from gridhall.server.store.log_rows import LogRows
    from gridhall.server.store.reading import open_to_read

    async with open_to_read(where or str(home_folder())) as database:
        yield LogRows(database)
