"""The Merkle tree of RFC 6962, grown at its right edge.

A tree is a value: its size, the roots of its complete subtrees (`peaks`) and the hashes that do not fill a tile yet
(`edges`). `grow` gives the tree with more leaves and the tiles that were filled on the way; nothing is changed in
place, so that an append that fails is dropped by forgetting it. A tile is 256 hashes of one level side by side; a
hash at level n + 1 of tiles is the root of a tile at level n (C2SP tlog-tiles).
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
TILE_WIDTH = 256
TILE_BYTES = TILE_WIDTH * HASH_BYTES
TILE_HEIGHT = 8
"""Levels of the tree from one level of tiles to the next."""
EMPTY_ROOT = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class Tile:
    """A full tile: its level and index among tiles, and its 256 hashes in a row."""

    level: int
    index: int
    hashes: bytes


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree of `size` leaves.

    `peaks[n]` is the root of the last complete subtree of 2^n leaves, and counts where bit n of the size is set.
    `edges[n]` are the hashes of the unfilled tile at tile level n, in a row.
    """

    size: int
    peaks: tuple[bytes, ...]
    edges: tuple[bytes, ...]


EMPTY = Tree(0, (), ())


def leaf_hash(body: bytes) -> bytes:
    """The hash of an entry."""
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def grow(tree: Tree, leaves: Iterable[bytes]) -> tuple[Tree, list[Tile]]:
    """The tree with more leaf hashes, and the tiles that these have filled, lower levels first."""
    size, peaks, edges = tree.size, list(tree.peaks), [bytearray(edge) for edge in tree.edges]
    tiles: list[Tile] = []
    sha256 = hashlib.sha256
    for leaf in leaves:
        _put(edges, tiles, 0, size, leaf)
        height, rest, top = 0, size, leaf
        while rest & 1:
            top = sha256(b"\x01" + peaks[height] + top).digest()
            height, rest = height + 1, rest >> 1
            if not height % TILE_HEIGHT:
                _put(edges, tiles, height // TILE_HEIGHT, rest, top)
        if height == len(peaks):
            peaks.append(top)
        else:
            peaks[height] = top
        size += 1
    return Tree(size, tuple(peaks), tuple(bytes(edge) for edge in edges)), tiles


def root(tree: Tree) -> bytes:
    """The root hash of all leaves."""
    tops = [peak for height, peak in enumerate(tree.peaks) if tree.size >> height & 1]
    return fold(tops) if tops else EMPTY_ROOT


def fold(tops: Sequence[bytes]) -> bytes:
    """The root over complete subtrees side by side, given from the smallest (rightmost) to the largest."""
    whole = tops[0]
    for top in tops[1:]:
        whole = node_hash(top, whole)
    return whole


def subtree_root(hashes: bytes) -> bytes:
    """The root over a power of two of hashes in a row: of a tile, or of an aligned part of one."""
    row = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def rebuild(edges: Sequence[bytes]) -> Tree:
    """The tree whose unfilled tiles these are, level by level; their lengths give its size."""
    size = sum(len(edge) // HASH_BYTES << TILE_HEIGHT * level for level, edge in enumerate(edges))
    peaks = [_peak(edges, height) if size >> height & 1 else b"" for height in range(size.bit_length())]
    return Tree(size, tuple(peaks), tuple(edges))


def _peak(edges: Sequence[bytes], height: int) -> bytes:
    """The complete subtree of 2^height leaves at the right edge; larger ones stand before it in the same tile."""
    level, inside = divmod(height, TILE_HEIGHT)
    edge = edges[level]
    first = len(edge) // HASH_BYTES >> inside + 1 << inside + 1
    return subtree_root(edge[first * HASH_BYTES : (first + (1 << inside)) * HASH_BYTES])


def _put(edges: list[bytearray], tiles: list[Tile], level: int, index: int, top: bytes) -> None:
    """Add the hash with this index at a level of tiles; a tile that it fills leaves the edge."""
    if level == len(edges):
        edges.append(bytearray())
    edge = edges[level]
    edge += top
    if len(edge) == TILE_BYTES:
        tiles.append(Tile(level, index // TILE_WIDTH, bytes(edge)))
        edge.clear()
