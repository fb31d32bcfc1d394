"""Backing up an SQLite store into one file while the server runs.

The file is a database of its own: the store at one moment, with a table that says what it is. The key that signs the
log stays out of it unless asked for: whoever has both can write another log that verifies.
"""

import os
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gridhall import __version__
from gridhall.errors import fault

FORMAT = "gridhall-backup/1"
OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What is in a backup: entries of the log, bytes of the file, and whether it holds the log's key."""

    entries: int
    size_bytes: int
    with_key: bool


def back_up(store: Path, file: Path, key: Path | None = None) -> BackedUp:
    """Copy a store into a file that is not there yet. Raises InputError where that cannot be done."""
    draft = file.with_name(f".{file.name}.partial")
    try:
        if file.exists():
            raise fault(str(file), "", "is there already", "name another file")
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
        entries = _copy(store, draft)
        _mark(draft, {"key": key.read_text(encoding="ascii")} if key else {})
        _make_durable(draft)
        draft.rename(file)
        sync_folder(file.parent)
    except (OSError, sqlite3.Error) as problem:
        draft.unlink(missing_ok=True)
        raise fault(
            str(file), "", f"no backup was made: {problem}", "is there room, and may you write there?"
        ) from problem
    return BackedUp(entries, file.stat().st_size, key is not None)


def marks_of(file: Path) -> Mapping[str, str]:
    """What a backup says of itself. Raises InputError for a file that is none, or is damaged."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            marks: dict[str, str] = dict(database.execute("SELECT name, value FROM backup"))
            if database.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise fault(str(file), "", "is damaged", "use another backup")
    except sqlite3.Error as problem:
        raise fault(str(file), "", f"is no backup: {problem}", "name a file that `gridhall backup` made") from problem
    if marks.get("format") != FORMAT:
        raise fault(str(file), "", f"has the format {marks.get('format')}", "use the version that made it")
    return marks


def unmark(file: Path) -> None:
    """Take out what made a database a backup."""
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("DROP TABLE backup")


def _copy(store: Path, draft: Path) -> int:
    """All at once: the server's writes go on meanwhile, in the write-ahead log."""
    with closing(sqlite3.connect(store)) as source, closing(sqlite3.connect(draft)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        return int(copy.execute("SELECT count(*) FROM entry").fetchone()[0])


def _mark(draft: Path, more: Mapping[str, str]) -> None:
    marks = {"format": FORMAT, "version": __version__, "made_ms": str(time.time_ns() // 1_000_000), **more}
    with closing(sqlite3.connect(draft)) as copy, copy:
        copy.execute("CREATE TABLE backup (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        copy.executemany("INSERT INTO backup VALUES (?, ?)", marks.items())


def _make_durable(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
