"""Proofs out of a store: the tiles that a proof needs are fetched, what fills no tile yet comes from the tree."""

from collections.abc import Sequence

from gridhall.ledger.checkpoint import read_unchecked
from gridhall.ledger.malformed import Malformed
from gridhall.ledger.proof_text import Proof, write_proof
from gridhall.ledger.proofs import (
    Range,
    ReadNode,
    consistency,
    consistency_ranges,
    inclusion,
    inclusion_ranges,
    subtrees,
)
from gridhall.ledger.store import LogReader
from gridhall.ledger.tree import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, Tree, subtree_root
from gridhall.ledger.whole import whole_tile


async def prove_entry(reader: LogReader, tree: Tree, index: int) -> str:
    """The proof text for entry `index` under the last checkpoint; `tree` is the log's (`Log.tree`, `load_tree`).

    Raises Malformed for an entry that no checkpoint covers yet.
    """
    note = await reader.last_checkpoint()
    size = 0 if note is None else read_unchecked(note).size
    if note is None or index >= size:
        raise Malformed(f"has no checkpoint yet that covers entry {index:,}")
    return write_proof(Proof(index, tuple(await prove_inclusion(reader, tree, index, size)), note))


async def prove_inclusion(reader: LogReader, tree: Tree, index: int, size: int) -> list[bytes]:
    """The inclusion proof of entry `index` at `size`, which is at most the tree's."""
    return inclusion(index, size, await _node_reader(reader, tree, inclusion_ranges(index, size)))


async def prove_consistency(reader: LogReader, tree: Tree, old: int, size: int) -> list[bytes]:
    """The proof that the log at `old` is the beginning of that at `size`, which is at most the tree's."""
    return consistency(old, size, await _node_reader(reader, tree, consistency_ranges(old, size)))


async def _node_reader(reader: LogReader, tree: Tree, ranges: Sequence[Range]) -> ReadNode:
    places = {_place(level, index)[:2] for leaves in ranges for level, index in subtrees(leaves)}
    tiles = {place: await _hashes(reader, tree, *place) for place in places}

    def read(level: int, index: int) -> bytes:
        tile_level, tile, first, width = _place(level, index)
        return subtree_root(tiles[tile_level, tile][first * HASH_BYTES : (first + width) * HASH_BYTES])

    return read


def _place(level: int, index: int) -> tuple[int, int, int, int]:
    """Where a subtree stands among the tiles: tile level, tile, first hash in the tile, number of hashes."""
    tile_level, inside = divmod(level, TILE_HEIGHT)
    tile, first = divmod(index << inside, TILE_WIDTH)
    return tile_level, tile, first, 1 << inside


async def _hashes(reader: LogReader, tree: Tree, level: int, tile: int) -> bytes:
    if tile == tree.size >> TILE_HEIGHT * (level + 1):
        return tree.edges[level]
    return await whole_tile(reader, level, tile)
