"""The log as static files (C2SP tlog-tiles): what they are called and what is in them.

`checkpoint` is the last signed checkpoint, `tile/L/N` holds 256 hashes of level L, `tile/entries/N` 256 entries; at the
right edge `.p/W` holds the first W. `N` is written in groups of three digits: 1,234,067 is `x001/x234/067`.
"""

from collections.abc import Sequence

from gridhall.ledger.malformed import Malformed
from gridhall.ledger.tree import TILE_WIDTH

CHECKPOINT = "checkpoint"
HISTORY = "checkpoints.jsonl"
"""Not of C2SP: every checkpoint, one JSON string a line, so that the log's growth can be checked."""
LENGTH_BYTES = 2


def tile_name(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """The file of a hash tile."""
    return f"tile/{level}/{_number(index)}{_part(width)}"


def bundle_name(index: int, width: int = TILE_WIDTH) -> str:
    """The file of an entry bundle."""
    return f"tile/entries/{_number(index)}{_part(width)}"


def pack(bodies: Sequence[bytes]) -> bytes:
    """The bytes of an entry bundle."""
    return b"".join(len(body).to_bytes(LENGTH_BYTES, "big") + body for body in bodies)


def unpack(bundle: bytes) -> list[bytes]:
    """The entries of a bundle. Raises Malformed for bytes that are not a whole number of entries, or too many."""
    bodies: list[bytes] = []
    at = 0
    while at < len(bundle):
        start = at + LENGTH_BYTES
        at = start + int.from_bytes(bundle[at:start], "big")
        if at > len(bundle) or len(bodies) == TILE_WIDTH:
            raise Malformed("is no bundle of entries")
        bodies.append(bundle[start:at])
    return bodies


def _number(index: int) -> str:
    digits = f"{index:03d}"
    digits = digits.zfill(-len(digits) // 3 * -3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


def _part(width: int) -> str:
    return "" if width == TILE_WIDTH else f".p/{width}"
