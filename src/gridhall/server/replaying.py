"""Replaying a server's log: every decision that the running kernels made, effect by effect.

A log can have parts that other versions decided. Each part begins with a snapshot; those of other kernels are counted
and skipped: they are not comparable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from gridhall.controller.feed import feed_and_compare
from gridhall.controller.record import kernels_hash
from gridhall.errors import fault
from gridhall.ledger.malformed import Malformed
from gridhall.server.live import snapshots
from gridhall.server.live.recorded import Tape
from gridhall.server.live.snapshots import Mark
from gridhall.server.store import Database
from gridhall.server.store.log_rows import LogRows

BATCH = 16_384

OnProgress = Callable[[int, int], None]
"""Told the number of entries read so far, and of all."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it: decisions fed, entries of other kernels, the first decision that differs (-1 = none), hashes.

    `state_hash` is the replay's at the last snapshot of these kernels, `expected_state_hash` the snapshot's own.
    """

    decisions: int
    not_comparable: int
    differs: int
    state_hash: str
    expected_state_hash: str

    @property
    def verdict(self) -> Literal["same", "different", "not comparable"]:
        """Whether all effects and the last snapshot's state came out as recorded."""
        if not self.expected_state_hash:
            return "not comparable"
        same = self.differs < 0 and self.state_hash == self.expected_state_hash
        return "same" if same else "different"


@dataclass(frozen=True, slots=True)
class Part:
    """Entries from the first snapshot of some kernels up to (not including) `end`; `last` is their last snapshot."""

    first: Mark
    last: Mark
    end: int

    @property
    def comparable(self) -> bool:
        """Whether the running kernels decided it."""
        return self.first.kernels == kernels_hash()


async def replay_store(database: Database, on_progress: OnProgress | None = None) -> Replayed:
    """Replay a store's log. Raises InputError where it cannot be read."""
    try:
        parts = parts_of(await snapshots.marks(database), await LogRows(database).size())
        return await _replay(database, parts, on_progress)
    except Malformed as problem:
        raise fault(database.name, "log", f"the log {problem}", "run `gridhall ledger verify`") from problem


def parts_of(marks: Sequence[Mark], size: int) -> list[Part]:
    """The parts of a log by who decided, from its snapshots in order."""
    groups = [list(group) for _, group in groupby(marks, key=lambda mark: mark.kernels)]
    ends = [*(group[0].entries for group in groups[1:]), size]
    return [Part(group[0], group[-1], end) for group, end in zip(groups, ends, strict=True)]


async def _replay(database: Database, parts: Sequence[Part], on_progress: OnProgress | None) -> Replayed:
    other = sum(part.end - part.first.entries for part in parts if not part.comparable)
    total = Replayed(0, other, -1, "", "")
    for part in parts:
        if part.comparable and total.verdict != "different":
            decisions, differs, state_hash = await _replay_part(database, part, on_progress)
            total = Replayed(total.decisions + decisions, other, differs, state_hash, part.last.state_hash)
    return total


async def _replay_part(database: Database, part: Part, on_progress: OnProgress | None) -> tuple[int, int, str]:
    """Decisions fed, the first that differs (-1 = none), and the state's hash at the part's last snapshot."""
    rows, tape, state = LogRows(database), Tape(), (await snapshots.at(database, part.first.entries)).state()
    at, decisions, met = part.first.entries, 0, ""
    while True:
        if at == part.last.entries:
            met = state.digest()
        if at >= part.end:
            return decisions, -1, met
        end = min(at + BATCH, part.end if at >= part.last.entries else part.last.entries)
        batch = tape.read(await rows.entries(at, end))
        if batch is not None:
            state, differs = feed_and_compare(state, batch.events, batch.effects, batch.counts)
            decisions += len(batch.seqs)
            if differs >= 0:
                return decisions, batch.seqs[differs], state.digest()
        at = end
        if on_progress is not None:
            on_progress(at, part.end)
