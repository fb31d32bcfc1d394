"""Reading from a store what must be there whole: anything less is said, not worked with."""

from collections.abc import Sequence

from gridhall.ledger.malformed import Malformed
from gridhall.ledger.store import LogReader
from gridhall.ledger.tree import TILE_BYTES


async def whole_entries(reader: LogReader, first: int, last: int) -> Sequence[bytes]:
    """The entries `first` up to (not including) `last`. Raises Malformed when some are missing."""
    bodies = await reader.entries(first, last)
    if len(bodies) != last - first:
        raise Malformed(f"lacks entries between {first:,} and {last - 1:,}")
    return bodies


async def whole_tile(reader: LogReader, level: int, index: int) -> bytes:
    """The hashes of a full tile. Raises Malformed when it is missing."""
    hashes = await reader.tile(level, index)
    if len(hashes) != TILE_BYTES:
        raise Malformed(f"lacks tile {index:,} of level {level}")
    return hashes
