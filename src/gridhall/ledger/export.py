"""Exports a log as static files, up to its last checkpoint: a copy to mirror, to serve with any web server, to verify.

Files of full tiles and bundles never change, so that a second export writes only what is new. Whoever has exported
before is a witness too: the export refuses a log that does not contain the one that the folder holds.
"""

import json
import secrets
from pathlib import Path

from gridhall.errors import fault
from gridhall.ledger.checkpoint import Checkpoint, read_unchecked
from gridhall.ledger.folder import FolderReader
from gridhall.ledger.log import load_tree
from gridhall.ledger.malformed import Malformed
from gridhall.ledger.store import LogReader
from gridhall.ledger.tiles import CHECKPOINT, HISTORY, bundle_name, pack, tile_name
from gridhall.ledger.tree import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, root
from gridhall.ledger.whole import whole_entries, whole_tile

PAGE = 256
OTHER_LOG = "export to another folder, and ask the log's operator why its past has changed"


async def export(reader: LogReader, folder: Path) -> Checkpoint:
    """Write the log into a folder, which may hold an earlier export of it. Returns the checkpoint that covers it.

    Raises InputError where there is nothing to export or the folder holds another log, and Malformed where the log
    does not agree with its own checkpoint (`verify` says more).
    """
    note = await reader.last_checkpoint()
    if note is None:
        raise fault(str(folder), "", "cannot be written: the log has no checkpoint yet", "export when it has entries")
    checkpoint = read_unchecked(note)
    await _check_past(reader, folder, checkpoint)
    await _write_tiles(reader, folder, checkpoint)
    await _write_bundles(reader, folder, checkpoint.size)
    await _write_history(reader, folder, checkpoint.size)
    _write(folder / CHECKPOINT, note.encode())
    return checkpoint


async def _check_past(reader: LogReader, folder: Path, now: Checkpoint) -> None:
    if not (folder / CHECKPOINT).exists():
        return
    before = read_unchecked(await FolderReader(folder).last_checkpoint() or "")
    same = before.origin == now.origin and before.size <= now.size
    if not same or root(await load_tree(reader, before.size)) != before.root:
        raise fault(str(folder), "", "holds a log of which this one is no continuation", OTHER_LOG)


async def _write_tiles(reader: LogReader, folder: Path, checkpoint: Checkpoint) -> None:
    tree = await load_tree(reader, checkpoint.size)
    if root(tree) != checkpoint.root:
        raise Malformed(f"has another root at size {checkpoint.size:,} than its checkpoint says")
    for level, edge in enumerate(tree.edges):
        full = checkpoint.size >> TILE_HEIGHT * (level + 1)
        for index in range(full):
            path = folder / tile_name(level, index)
            if not path.exists():
                _write(path, await whole_tile(reader, level, index))
        if edge:
            _write(folder / tile_name(level, full, len(edge) // HASH_BYTES), edge)


async def _write_bundles(reader: LogReader, folder: Path, size: int) -> None:
    for first in range(0, size, TILE_WIDTH):
        width = min(TILE_WIDTH, size - first)
        path = folder / bundle_name(first // TILE_WIDTH, width)
        if not path.exists():
            _write(path, pack(await whole_entries(reader, first, first + width)))


async def _write_history(reader: LogReader, folder: Path, size: int) -> None:
    lines: list[str] = []
    above = 0
    while page := [note for note in await reader.checkpoints(above, PAGE) if read_unchecked(note).size <= size]:
        lines += [json.dumps(note, ensure_ascii=False) for note in page]
        above = read_unchecked(page[-1]).size
    _write(folder / HISTORY, "".join(f"{line}\n" for line in lines).encode())


def _write(path: Path, data: bytes) -> None:
    """The file takes its name only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.write_bytes(data)
    draft.replace(path)
