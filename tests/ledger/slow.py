"""The Merkle tree as RFC 6962 defines it, recursively and slowly, and a log kept in memory."""

import hashlib
from collections.abc import Sequence

from gridhall.ledger.checkpoint import read_unchecked
from gridhall.ledger.store import Append


def largest_power_below(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def mth(bodies: Sequence[bytes]) -> bytes:
    """Merkle Tree Hash, RFC 6962 section 2.1."""
    if not bodies:
        return hashlib.sha256().digest()
    if len(bodies) == 1:
        return hashlib.sha256(b"\0" + bodies[0]).digest()
    k = largest_power_below(len(bodies))
    return hashlib.sha256(b"\1" + mth(bodies[:k]) + mth(bodies[k:])).digest()


def path(m: int, bodies: Sequence[bytes]) -> list[bytes]:
    """Audit path of leaf m, section 2.1.1."""
    if len(bodies) == 1:
        return []
    k = largest_power_below(len(bodies))
    if m < k:
        return [*path(m, bodies[:k]), mth(bodies[k:])]
    return [*path(m - k, bodies[k:]), mth(bodies[:k])]


def proof(m: int, bodies: Sequence[bytes]) -> list[bytes]:
    """Consistency proof of the first m leaves, section 2.1.2."""
    return subproof(m, bodies, True)


def subproof(m: int, bodies: Sequence[bytes], whole: bool) -> list[bytes]:
    if m == len(bodies):
        return [] if whole else [mth(bodies)]
    k = largest_power_below(len(bodies))
    if m <= k:
        return [*subproof(m, bodies[:k], whole), mth(bodies[k:])]
    return [*subproof(m - k, bodies[k:], False), mth(bodies[:k])]


class MemoryStore:
    """A store whose lists the tests may damage."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.notes: list[str] = []

    async def size(self) -> int:
        return len(self.bodies)

    async def entries(self, first: int, last: int) -> Sequence[bytes]:
        return self.bodies[first:last]

    async def tile(self, level: int, index: int) -> bytes:
        return self.tiles.get((level, index), b"")

    async def checkpoints(self, above: int, most: int) -> Sequence[str]:
        return [note for note in self.notes if read_unchecked(note).size > above][:most]

    async def last_checkpoint(self) -> str | None:
        return self.notes[-1] if self.notes else None

    async def write(self, append: Append, checkpoint: str | None) -> None:
        assert append.first == len(self.bodies)
        self.bodies += append.bodies
        self.tiles |= {(tile.level, tile.index): tile.hashes for tile in append.tiles}
        if checkpoint is not None:
            self.notes.append(checkpoint)
