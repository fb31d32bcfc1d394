"""Replaying a server's log: every decision since the first snapshot of the running kernels, effect by effect."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gridhall.controller.feed import feed_and_compare
from gridhall.errors import fault
from gridhall.ledger.malformed import Malformed
from gridhall.server.live import snapshots
from gridhall.server.live.recorded import read_decisions
from gridhall.server.store import Database
from gridhall.server.store.log_rows import LogRows

BATCH = 16_384

OnProgress = Callable[[int, int], None]
"""Told the number of entries read so far, and of all."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it: decisions fed, the first that differs (-1 = none), the state's hash and the snapshot's."""

    decisions: int
    differs: int
    state_hash: str
    expected_state_hash: str
    expected_at: int
    """Entries at the last snapshot, whose hash the replay must meet on its way."""

    @property
    def verdict(self) -> Literal["same", "different"]:
        """Whether all effects and the last snapshot's state came out as recorded."""
        same = self.differs < 0 and self.state_hash == self.expected_state_hash
        return "same" if same else "different"


async def replay_store(database: Database, on_progress: OnProgress | None = None) -> Replayed:
    """Replay a store's log. Raises InputError where these kernels never decided in it, or it cannot be read."""
    try:
        first = await snapshots.first_of_these_kernels(database)
        last = await snapshots.last(database)
        if first is None or last is None:
            problem = "was decided by other kernels: not comparable"
            raise fault(database.name, "log", problem, "replay it with the version that decided")
        return await _replay(database, first, last, on_progress)
    except Malformed as problem:
        raise fault(database.name, "log", f"the log {problem}", "run `gridhall ledger verify`") from problem


async def _replay(
    database: Database, first: snapshots.Snapshot, last: snapshots.Snapshot, on_progress: OnProgress | None
) -> Replayed:
    rows = LogRows(database)
    state, decisions, met, size = first.state(), 0, "", await rows.size()
    at = first.entries
    while True:
        if at == last.entries:
            met = state.digest()
        if at >= size:
            break
        end = min(at + BATCH, size if at >= last.entries else last.entries)
        batch = read_decisions(await rows.entries(at, end))
        if batch is not None:
            state, differs = feed_and_compare(state, batch.events, batch.effects, batch.counts)
            decisions += len(batch.seqs)
            if differs >= 0:
                return Replayed(decisions, batch.seqs[differs], state.digest(), last.state_hash, last.entries)
        at = end
        if on_progress is not None:
            on_progress(at, size)
    return Replayed(decisions, -1, met, last.state_hash, last.entries)
