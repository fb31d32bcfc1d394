"""An exported log, read from its folder: the protocol of a store over static files.

Nothing is believed: what is missing or cut short is missing to the verifier.
"""

import json
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from gridhall.errors import fault
from gridhall.ledger.canonical import LARGEST_BYTES
from gridhall.ledger.checkpoint import read_unchecked
from gridhall.ledger.malformed import Malformed
from gridhall.ledger.note import LARGEST_CHARACTERS
from gridhall.ledger.tiles import CHECKPOINT, HISTORY, LENGTH_BYTES, bundle_name, tile_name, unpack
from gridhall.ledger.tree import TILE_BYTES, TILE_WIDTH

LARGEST_BUNDLE = TILE_WIDTH * (LARGEST_BYTES + LENGTH_BYTES)
LARGEST_NOTE = 4 * LARGEST_CHARACTERS


class FolderReader:
    """A log in a folder; its size is that of its checkpoint. Raises InputError where there is no checkpoint."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._history: tuple[list[str], list[int]] | None = None
        try:
            self._note = _bounded(folder / CHECKPOINT, LARGEST_NOTE).decode("utf-8")
            self._size = read_unchecked(self._note).size
        except (OSError, UnicodeDecodeError, Malformed) as error:
            mend = "name a folder that `gridhall ledger export` has written"
            raise fault(str(folder / CHECKPOINT), "", f"is no checkpoint of a log: {error}", mend) from error

    async def size(self) -> int:
        """Number of entries that the checkpoint covers."""
        return self._size

    async def entries(self, first: int, last: int) -> Sequence[bytes]:
        """The entries `first` up to `last`, fewer from the first bundle on that is missing or broken."""
        found: list[bytes] = []
        for index in range(first // TILE_WIDTH, -(-last // TILE_WIDTH)):
            bodies = self._bundle(index)
            start = index * TILE_WIDTH
            found += bodies[max(0, first - start) : last - start]
            if len(found) < min(last, start + TILE_WIDTH) - first:
                break
        return found

    async def tile(self, level: int, index: int) -> bytes:
        """The hashes of a full tile, or none."""
        try:
            return _bounded(self._folder / tile_name(level, index), TILE_BYTES)
        except OSError:
            return b""

    async def checkpoints(self, above: int, most: int) -> Sequence[str]:
        """Exported checkpoints larger than a size. Raises Malformed for a history that cannot be, or not in order."""
        if self._history is None:
            self._history = _history(self._folder / HISTORY)
        notes, sizes = self._history
        first = bisect_right(sizes, above)
        return notes[first : first + most]

    async def last_checkpoint(self) -> str | None:
        """The checkpoint that the export ends with."""
        return self._note

    def _bundle(self, index: int) -> list[bytes]:
        for width in (TILE_WIDTH, self._size % TILE_WIDTH):
            try:
                return unpack(_bounded(self._folder / bundle_name(index, width), LARGEST_BUNDLE))
            except (OSError, Malformed):
                continue
        return []


def _bounded(path: Path, most: int) -> bytes:
    """A file's bytes, cut off past what a good file can have."""
    with path.open("rb") as file:
        return file.read(most + 1)


def _history(path: Path) -> tuple[list[str], list[int]]:
    """Every exported checkpoint, and its size."""
    notes: list[str] = []
    try:
        with path.open("rb") as file:
            while line := file.readline(LARGEST_NOTE):
                notes.append(_note(line))
    except FileNotFoundError:
        return [], []
    sizes = [read_unchecked(note).size for note in notes]
    if any(later <= earlier for earlier, later in pairwise(sizes)):
        raise Malformed(f"has a {HISTORY} whose checkpoints do not grow")
    return notes, sizes


def _note(line: bytes) -> str:
    try:
        note: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"has a {HISTORY} with a line that is no JSON") from error
    if not isinstance(note, str) or not line.endswith(b"\n"):
        raise Malformed(f"has a {HISTORY} with a line that is no whole text")
    return note
