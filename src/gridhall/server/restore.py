"""Restoring: a store from a backup, checked before it is used, and marked so that nothing is taken for what it is not.

What was decided after the backup is gone, and engines may still hold it. So the epoch jumps beyond any that they can
have seen, jobs get numbers that were never given out (`World.next_job`), and every token ends: one that was revoked
after the backup must not come back.
"""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select, update

from gridhall.errors import fault
from gridhall.ledger.checkpoint import open_checkpoint, read_unchecked
from gridhall.ledger.keys import load_key, make_key
from gridhall.ledger.malformed import Malformed
from gridhall.ledger.note import SigningKey, read_skey, verify_key
from gridhall.ledger.verify import verify
from gridhall.server.backup import marks_of, sync_folder, unmark
from gridhall.server.live.world import EPOCHS_A_RESTORE
from gridhall.server.store import Database, open_database
from gridhall.server.store.database import connect
from gridhall.server.store.leadership import take_lead
from gridhall.server.store.log_rows import LogRows
from gridhall.server.store.tables import leader, token

STORE, KEY = "gridhall.db", "log.key"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a store was restored to: entries of its log, the epoch that its server begins after, the log's name."""

    entries: int
    epoch: int
    origin: str


async def restore_file(file: Path, folder: Path, key: Path | None = None, new_key: bool = False) -> Restored:
    """A server's folder from a backup. Raises InputError where the backup or the folder will not do."""
    marks = marks_of(file)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if any(folder.glob(f"{STORE}*")):
        raise fault(str(folder), "", f"holds a {STORE}", "name another folder, or move everything of that name away")
    draft = folder / ".restoring.db"
    try:
        _copy(file, draft)
        restored = await _check_and_mark(f"sqlite:///{draft}", str(file))
        await _give_key(draft, folder, marks.get("key", ""), key, new_key)
        draft.rename(folder / STORE)
        sync_folder(folder)
    finally:
        for left in folder.glob(f"{draft.name}*"):
            left.unlink()
    return restored


def _copy(file: Path, draft: Path) -> None:
    draft.unlink(missing_ok=True)
    shutil.copyfile(file, draft)
    draft.chmod(0o600)
    unmark(draft)


async def restore_database(url: str) -> Restored:
    """Check and mark a database that pg_restore has filled. Raises InputError, also while a server leads it."""
    return await _check_and_mark(url, url)


async def _check_and_mark(url: str, name: str) -> Restored:
    database = await open_database(url)
    try:
        verdict = await verify(LogRows(database))
        if verdict.word != "PASS":
            place = "" if verdict.entry is None else f" at entry {verdict.entry:,}"
            raise fault(name, "log", f"the log{place} {verdict.why}", "use another backup")
        lead = await take_lead(database, _now_ms())
        try:
            epoch = await database.write(_mark_restored)
        finally:
            await lead.give_up()
        return Restored(verdict.entries, epoch, read_unchecked(await _last_note(database)).origin)
    finally:
        await database.close()


def _mark_restored(connection: Connection) -> int:
    before = connection.execute(select(leader.c.epoch)).scalar_one()
    epoch = (before // EPOCHS_A_RESTORE + 1) * EPOCHS_A_RESTORE
    connection.execute(update(leader).values(epoch=epoch))
    connection.execute(update(token).where(token.c.revoked_ms == 0).values(revoked_ms=_now_ms()))
    return epoch


async def _give_key(draft: Path, folder: Path, kept: str, given: Path | None, new_key: bool) -> None:
    """The key that signs from here on: the one that did, or another under the same name."""
    database, path = connect(f"sqlite:///{draft}"), folder / KEY
    note = await _last_note(database)
    await database.close()
    if new_key:
        make_key(path, read_unchecked(note).origin)
        return
    key = load_key(given or path) if given or path.exists() else _kept_key(kept, folder)
    try:
        open_checkpoint(note, [verify_key(key)])
    except Malformed as problem:
        raise fault(
            str(given or path), "", f"is not the key of this log, which {problem}", "find the right one"
        ) from problem
    if not path.exists():
        make_key(path, key.name, key.seed)


def _kept_key(kept: str, folder: Path) -> SigningKey:
    if not kept:
        mend = f"put the log.key of the old server into {folder}, give --key FILE, or --new-key if it is lost"
        raise fault("gridhall restore", "--key", "is needed: the backup does not hold the key that signs the log", mend)
    return read_skey(kept.strip())


async def _last_note(database: Database) -> str:
    note = await LogRows(database).last_checkpoint()
    if note is None:
        raise fault(database.name, "log", "the log is empty", "use another backup")
    return note


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
