"""Proofs of RFC 6962: that an entry is in a log, and that a log is the beginning of a later one.

A proof is a list of hashes, each of a range of leaves (`inclusion_ranges`, `consistency_ranges`). A range is hashed
from the roots of complete subtrees, which `read(level, index)` gives: the subtree of leaves `index << level` up to
`index + 1 << level`.
"""

from collections.abc import Callable, Sequence

from gridhall.ledger.tree import EMPTY_ROOT, fold, node_hash

Range = tuple[int, int]
"""Leaves from the first up to (not including) the second."""
ReadNode = Callable[[int, int], bytes]


def inclusion(index: int, size: int, read: ReadNode) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root at `size`, the leaf's sibling first."""
    return [_range_hash(leaves, read) for leaves in inclusion_ranges(index, size)]


def consistency(old: int, size: int, read: ReadNode) -> list[bytes]:
    """The hashes that show the log of `old` leaves as the beginning of that of `size` leaves."""
    return [_range_hash(leaves, read) for leaves in consistency_ranges(old, size)]


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The range behind each hash of an inclusion proof."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not among {size}")
    ranges: list[Range] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _power_below(high - low)
        if index < middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    return ranges[::-1]


def consistency_ranges(old: int, size: int) -> list[Range]:
    """The range behind each hash of a consistency proof."""
    if not 0 <= old <= size:
        raise ValueError(f"a log of {old} leaves is no beginning of one of {size}")
    if not old:
        return []
    ranges: list[Range] = []
    low, high = 0, size
    while old != high:
        middle = low + _power_below(high - low)
        if old <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    return ([(low, high)] if low else []) + ranges[::-1]


def subtrees(leaves: Range) -> list[tuple[int, int]]:
    """The complete subtrees (level, index) that make up a range of a proof, the smallest (rightmost) first."""
    low, high = leaves
    found: list[tuple[int, int]] = []
    while low < high:
        level = (high - low).bit_length() - 1
        found.append((level, low >> level))
        low += 1 << level
    return found[::-1]


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows that leaf hash `leaf` is number `index` in the log with this size and root."""
    if not 0 <= index < size:
        return False
    top, place, last = leaf, index, size - 1
    for other in path:
        if not last:
            return False
        if place & 1 or place == last:
            top = node_hash(other, top)
            place, last = _up_to_right(place, last)
        else:
            top = node_hash(top, other)
        place, last = place >> 1, last >> 1
    return not last and top == root


def extends(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether a proof shows that the log with `old` leaves is the beginning of that with `size` leaves."""
    if not 0 < old < size:
        trivial = old_root == root if old == size else old == 0 < size and old_root == EMPTY_ROOT
        return trivial and not path
    hashes = [old_root, *path] if not old & old - 1 else list(path)
    if not hashes:
        return False
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = now = hashes[0]
    for other in hashes[1:]:
        if not last:
            return False
        if place & 1 or place == last:
            before, now = node_hash(other, before), node_hash(other, now)
            place, last = _up_to_right(place, last)
        else:
            now = node_hash(now, other)
        place, last = place >> 1, last >> 1
    return not last and before == old_root and now == root


def _up_to_right(place: int, last: int) -> tuple[int, int]:
    """Past the levels at which the subtree has nothing beside it."""
    while place and not place & 1:
        place, last = place >> 1, last >> 1
    return place, last


def _range_hash(leaves: Range, read: ReadNode) -> bytes:
    return fold([read(level, index) for level, index in subtrees(leaves)])


def _power_below(size: int) -> int:
    """The largest power of two below `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1
