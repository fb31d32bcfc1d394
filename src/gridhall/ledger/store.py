"""What keeps the log: a server's database, or a folder of files.

The log itself (`log.Log`) decides what is to be written and touches nothing; a store writes it inside its own
transaction, beside whatever else must become durable at the same moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gridhall.ledger.tree import Tile, Tree


@dataclass(frozen=True, slots=True)
class Append:
    """What an append writes.

    Entries `first` up to (not including) `size`, their leaf hashes, the tiles that they have filled, and the root of
    the log after them. `tree` is the log's next state in memory and is not written.
    """

    first: int
    bodies: tuple[bytes, ...]
    leaves: tuple[bytes, ...]
    tiles: tuple[Tile, ...]
    size: int
    root: bytes
    tree: Tree


class LogReader(Protocol):
    """A log that can be read, also while it grows. Entries are numbered from 0."""

    async def size(self) -> int:
        """Number of entries."""
        ...

    async def entries(self, first: int, last: int) -> Sequence[bytes]:
        """The bytes of entries `first` up to (not including) `last`, in order; fewer where some are missing."""
        ...

    async def tile(self, level: int, index: int) -> bytes:
        """The 8,192 bytes of a full tile; fewer, or none, where it is missing."""
        ...

    async def checkpoints(self, above: int, most: int) -> Sequence[str]:
        """At most `most` signed checkpoints of sizes larger than `above`, in the order of their sizes."""
        ...

    async def last_checkpoint(self) -> str | None:
        """The signed checkpoint of the largest size."""
        ...
