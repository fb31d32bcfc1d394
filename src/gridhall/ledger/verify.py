"""The verifier: reads a whole log, believes nothing that it can compute, and says what it could not check.

Every entry is parsed strictly and must follow from those before it (`continuity`); every hash is computed again from
the entries; every stored tile and every checkpoint must agree. The result is PASS, or FAIL with the first entry that
shows it, and in both cases the list of what is not proven.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gridhall.ledger.checkpoint import Checkpoint, open_checkpoint, read_unchecked
from gridhall.ledger.continuity import Story, follow
from gridhall.ledger.entries import read
from gridhall.ledger.malformed import Malformed
from gridhall.ledger.note import VerifyKey, read_vkey
from gridhall.ledger.store import LogReader
from gridhall.ledger.tree import EMPTY, HASH_BYTES, TILE_WIDTH, Tile, Tree, grow, leaf_hash, root

PAGE = 256
NO_WITNESS = "that everybody is shown the same log: no outside witness has signed it yet"
NO_REPLAY = "that the decisions follow from their events: a replay shows it"
NO_TRUTH = "that what came from outside is true: an entry proves what was said and when in the order, not more"
OWN_KEY = "whose log it is: the key that it was checked with is the one that it names itself"
NOT_KEPT = "that nothing was cut off the end with its checkpoints: no checkpoint from an earlier time was given"

OnProgress = Callable[[int, int], None]
"""Told the number of entries read so far, and of all."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`entry` is the first entry that shows a failure (none where it shows elsewhere), `why` what is wrong.

    `entries` were read and `checkpoints` checked; `keys` says which keys these were checked with.
    """

    word: Literal["PASS", "FAIL"]
    entries: int
    checkpoints: int
    keys: Literal["given", "named by the log"]
    not_proven: tuple[str, ...]
    entry: int | None = None
    why: str = ""


@dataclass
class _Run:
    reader: LogReader
    keys: Sequence[VerifyKey]
    size: int
    on_progress: OnProgress | None
    kept: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    tree: Tree = EMPTY
    story: Story = field(default_factory=Story)
    ahead: Sequence[bytes] = ()
    ahead_first: int = 0
    checked: int = 0
    signed: int = 0
    origin: str = ""
    entry: int | None = None


async def verify(
    reader: LogReader,
    keys: Sequence[VerifyKey] = (),
    kept: Sequence[str] = (),
    on_progress: OnProgress | None = None,
) -> Verdict:
    """Check a log. Without `keys` it is checked with those that it names itself.

    `kept` are signed checkpoints that the caller has from an earlier time or from others: the log must contain them.
    """
    last = await reader.last_checkpoint()
    run = _Run(reader, keys, await reader.size(), on_progress)
    why = ""
    try:
        _keep(run, [*kept, *([] if last is None else [last])])
        await _walk(run)
        _check_end(run)
    except Malformed as error:
        why = str(error)
    return Verdict(
        word="FAIL" if why else "PASS",
        entries=run.tree.size,
        checkpoints=run.checked,
        keys="given" if keys else "named by the log",
        not_proven=_not_proven(run, bool(kept)),
        entry=run.entry,
        why=why,
    )


async def _walk(run: _Run) -> None:
    """Page by page of checkpoints; between two of them, tile by tile of entries. The log may grow meanwhile."""
    while page := await run.reader.checkpoints(run.tree.size, PAGE):
        for note in page:
            checkpoint = read_unchecked(note)
            if checkpoint.size <= run.tree.size:
                raise Malformed(f"has a checkpoint at size {checkpoint.size:,} after one at {run.tree.size:,}")
            if checkpoint.size > run.size:
                run.size = await run.reader.size()
            await _grow_to(run, checkpoint.size)
            _check(run, note)
    await _grow_to(run, run.size)


async def _grow_to(run: _Run, size: int) -> None:
    """Read entries up to a size, with stops where a kept checkpoint is to be compared."""
    for stop in [*sorted(kept for kept in run.kept if run.tree.size < kept < size), size]:
        if stop > run.size:
            raise Malformed(_cut_off(run, stop))
        while run.tree.size < stop:
            await _read_some(run, min(stop, (run.tree.size // TILE_WIDTH + 1) * TILE_WIDTH))
        for note in run.kept.pop(stop, []):
            _check(run, note)


async def _read_some(run: _Run, last: int) -> None:
    first = run.tree.size
    bodies = await _bodies(run, first, last)
    leaves: list[bytes] = []
    for index, body in enumerate(bodies, first):
        run.entry = index
        follow(run.story, index, read(body))
        leaves.append(leaf_hash(body))
    if len(bodies) != last - first:
        run.entry = first + len(leaves)
        raise Malformed("is missing")
    run.entry = None
    run.tree, tiles = grow(run.tree, leaves)
    for tile in tiles:
        await _compare(run, tile)
    if run.on_progress is not None:
        run.on_progress(run.tree.size, run.size)


async def _bodies(run: _Run, first: int, last: int) -> Sequence[bytes]:
    """Entries of one tile; the tile's rest is read with them, for a checkpoint may stand after every entry."""
    if last > run.ahead_first + len(run.ahead) or first < run.ahead_first:
        run.ahead_first = first
        run.ahead = await run.reader.entries(first, min(run.size, (first // TILE_WIDTH + 1) * TILE_WIDTH))
    return run.ahead[first - run.ahead_first : last - run.ahead_first]


async def _compare(run: _Run, tile: Tile) -> None:
    """A stored tile against the computed one; in a tile of leaves the difference is at one entry."""
    stored = await run.reader.tile(tile.level, tile.index)
    if stored == tile.hashes:
        return
    if tile.level == 0 and len(stored) == len(tile.hashes):
        pairs = (slice(at, at + HASH_BYTES) for at in range(0, len(stored), HASH_BYTES))
        different = [number for number, pair in enumerate(pairs) if stored[pair] != tile.hashes[pair]]
        run.entry = tile.index * TILE_WIDTH + different[0]
        raise Malformed("does not have the hash that was stored with it")
    raise Malformed(f"has a tile (level {tile.level}, number {tile.index:,}) that does not follow from its entries")


def _check(run: _Run, note: str) -> None:
    """A checkpoint of the size that was reached."""
    try:
        checkpoint = open_checkpoint(note, _keys(run))
    except Malformed as error:
        raise Malformed(f"has a checkpoint at size {run.tree.size:,} that {error}") from error
    if checkpoint.origin != (run.origin or checkpoint.origin):
        raise Malformed(f"has checkpoints of two logs, {run.origin} and {checkpoint.origin}")
    if checkpoint.root != root(run.tree):
        raise Malformed(_where(run, checkpoint))
    run.checked += checkpoint.size > run.signed
    run.origin, run.signed = checkpoint.origin, checkpoint.size


def _where(run: _Run, checkpoint: Checkpoint) -> str:
    among = f"entries {run.signed:,} to {checkpoint.size - 1:,}"
    return f"has another root at size {checkpoint.size:,} than was signed: {among} are not all those that were logged"


def _keys(run: _Run) -> Sequence[VerifyKey]:
    if run.keys:
        return run.keys
    if run.story.vkey is None:
        raise Malformed("no key checks: the log names none before it, and none was given")
    return [read_vkey(run.story.vkey)]


def _keep(run: _Run, notes: Sequence[str]) -> None:
    """Checkpoints that the log must contain, by size."""
    for note in notes:
        size = read_unchecked(note).size
        if size > run.size:
            raise Malformed(_cut_off(run, size))
        run.kept.setdefault(size, []).append(note)


def _cut_off(run: _Run, size: int) -> str:
    return f"holds {run.size:,} entries, but a signed checkpoint says {size:,}: its end is missing"


def _check_end(run: _Run) -> None:
    if run.size and not run.signed:
        raise Malformed("has no signed checkpoint: nothing shows that these are the entries that were logged")


def _not_proven(run: _Run, kept: bool) -> tuple[str, ...]:
    tail = f"that entries {run.signed:,} to {run.tree.size - 1:,} stay as they are: no checkpoint covers them yet"
    return (
        NO_WITNESS,
        *([] if kept else [NOT_KEPT]),
        *([] if run.keys else [OWN_KEY]),
        *([tail] if run.signed < run.tree.size else []),
        *run.story.gaps,
        NO_REPLAY,
        NO_TRUTH,
    )
