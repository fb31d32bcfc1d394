"""`gridhall backup` and `gridhall restore`: a server's store in one file, and back."""

from pathlib import Path
from typing import Annotated

import typer

from gridhall.cli import say

Folder = Annotated[Path | None, typer.Option(help="The server's folder (default ~/.gridhall).")]


def backup(
    file: Annotated[Path, typer.Argument(help="File to make.")],
    folder: Folder = None,
    store: Annotated[str | None, typer.Option(help="The database's URL, where it is not in the folder.")] = None,
    with_key: Annotated[bool, typer.Option("--with-key", help="Put the key that signs the log into it, too.")] = False,
) -> None:
    """Copy a server's store into one file, while it runs."""
    from gridhall.client import home_folder
    from gridhall.errors import fault
    from gridhall.server.backup import back_up
    from gridhall.server.store.reading import url_of

    home = folder or home_folder()
    url = url_of(store or str(home))
    if not url.startswith("sqlite:///"):
        mend = f"run: pg_dump --format=custom --file={file} '{url}'"
        raise fault("gridhall backup", "--store", "PostgreSQL has its own tool, which copies while it runs", mend)
    made = back_up(Path(url.removeprefix("sqlite:///")), file, home / "log.key" if with_key else None)
    say.status(f"{made.entries:,} entries of the log and all tables in {file} ({made.size_bytes / 1e6:,.1f} MB)")
    if made.with_key:
        say.status("it holds the key that signs the log: keep it as you keep keys")
    else:
        say.status(f"the key that signs the log is not in it: keep {home / 'log.key'} elsewhere, once")
    say.status("output and checkpoints of jobs are not in it: they are in the engines' folders")


def restore(
    source: Annotated[str, typer.Argument(help="A backup's file, or the URL of a database that pg_restore filled.")],
    folder: Folder = None,
    key: Annotated[Path | None, typer.Option(help="The key that signs the log, where the backup has none.")] = None,
    new_key: Annotated[bool, typer.Option("--new-key", help="The key is lost: make another.")] = False,
) -> None:
    """Check a backup's log, and make a server's folder of it."""
    import asyncio

    from gridhall.client import home_folder
    from gridhall.server.restore import restore_database, restore_file

    home = folder or home_folder()
    if "://" in source:
        restored = asyncio.run(restore_database(source))
    else:
        restored = asyncio.run(restore_file(Path(source), home, key, new_key))
    say.status(f"the log {restored.origin} of {restored.entries:,} entries is whole; epoch {restored.epoch:,}")
    say.status("every token has ended; what ran after the backup will be reported as orphans, what is gone as lost")
    if "://" not in source:
        say.status(f"start the server: gridhall up --folder {home}")
