"""A log as a server would write it: segments, decisions, audits, with a checkpoint after every batch."""

import asyncio
from collections.abc import Sequence

from gridhall.ledger.entries import Audit, Close, Decision, Entry, Report, Segment, body
from gridhall.ledger.log import Log
from gridhall.ledger.note import SigningKey, verify_key, vkey
from gridhall.ledger.tree import EMPTY
from tests.ledger.slow import MemoryStore

KEY = SigningKey("example.com/log", bytes(range(32)))
THIEF = SigningKey("example.com/log", bytes(32))
STATES = ["01" * 32, "02" * 32]


def segment(first: int, state: str, epoch: int = 1, key: SigningKey = KEY) -> Segment:
    return Segment(first, epoch, "ab" * 12, "cd" * 32, "ef" * 32, state, {"slots": 64}, vkey(verify_key(key)))


def decision(seq: int, epoch: int = 1, effects: Sequence[Sequence[int]] = ()) -> Decision:
    return Decision(seq, epoch, (1, 1_000 * seq, seq), effects, (seq // 10, 7))


def story(decisions: int, key: SigningKey = KEY) -> list[Entry]:
    """Two segments, the first one closed halfway; every fifth decision is followed by an audit."""
    half = decisions // 2
    entries: list[Entry] = [segment(1, STATES[0], 1, key)]
    for seq in range(1, decisions + 1):
        entries.append(decision(seq, 1 if seq <= half else 2, [(3, seq)] if seq % 10 == 0 else ()))
        if seq % 5 == 0:
            entries.append(Audit(1_000 * seq, "user/7", "create", "job", f"job/{seq}", "ok"))
        if seq % 7 == 0:
            entries.append(Report(1_000 * seq, "local", f"attempt/{seq}.1", "started"))
        if seq == half:
            entries += [Close(seq + 1, 1, STATES[1]), segment(seq + 1, STATES[1], 2, key)]
    return entries


def write(entries: Sequence[Entry], batch: int = 50, key: SigningKey = KEY) -> tuple[Log, MemoryStore]:
    """A log of these entries in memory."""
    return write_bodies([body(entry) for entry in entries], batch, key)


def write_bodies(bodies: Sequence[bytes], batch: int = 50, key: SigningKey = KEY) -> tuple[Log, MemoryStore]:
    log, store = Log(EMPTY), MemoryStore()
    for first in range(0, len(bodies), batch):
        append_bodies(log, store, bodies[first : first + batch], key)
    return log, store


def append_bodies(log: Log, store: MemoryStore, bodies: Sequence[bytes], key: SigningKey | None = KEY) -> None:
    append = log.prepare(bodies)
    asyncio.run(store.write(append, None if key is None else log.checkpoint(key)))
    log.commit(append)
