"""The tree against RFC 6962's own definition and its published vectors."""

import hashlib
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from gridhall.ledger.tree import EMPTY, TILE_BYTES, Tile, Tree, grow, leaf_hash, rebuild, root, subtree_root
from tests.ledger.slow import mth

# The eight leaves and roots of the test vectors of the first RFC 6962 implementation.
VECTOR_LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
VECTOR_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(count)]


def test_the_published_vectors_hold() -> None:
    bodies = [bytes.fromhex(text) for text in VECTOR_LEAVES]
    tree = EMPTY
    assert root(tree) == hashlib.sha256().digest()
    for body, expected in zip(bodies, VECTOR_ROOTS, strict=True):
        tree, _ = grow(tree, [leaf_hash(body)])
        assert root(tree).hex() == expected


def test_every_small_size_has_the_root_of_the_definition() -> None:
    tree = EMPTY
    bodies = [b"%d" % number for number in range(300)]
    for size, body in enumerate(bodies, 1):
        tree, _ = grow(tree, [leaf_hash(body)])
        assert root(tree) == mth(bodies[:size])


@given(st.lists(st.integers(0, 700), max_size=6))
@settings(deadline=None)
def test_batches_make_no_difference(batches: list[int]) -> None:
    every = leaves(sum(batches))
    tree, tiles, at = EMPTY, list[Tile](), 0
    for batch in batches:
        tree, filled = grow(tree, every[at : at + batch])
        tiles += filled
        at += batch
    assert (tree, tiles) == grow(EMPTY, every)


def test_tiles_carry_the_hashes_of_their_level() -> None:
    every = leaves(256 * 256 + 300)
    tree, tiles = grow(EMPTY, every)
    by_place = {(tile.level, tile.index): tile.hashes for tile in tiles}
    assert set(by_place) == {(0, index) for index in range(257)} | {(1, 0)}
    assert all(len(hashes) == TILE_BYTES for hashes in by_place.values())
    assert by_place[0, 3] == b"".join(every[768:1024])
    assert by_place[1, 0] == b"".join(subtree_root(by_place[0, index]) for index in range(256))
    assert [len(edge) // 32 for edge in tree.edges] == [44, 1, 1]


@given(st.integers(0, 70_000), st.integers(0, 40))
@settings(deadline=None, max_examples=20)
def test_a_tree_rebuilt_from_its_edges_grows_as_before(size: int, more: int) -> None:
    every = leaves(size + more)
    tree, _ = grow(EMPTY, every[:size])
    again = rebuild(tree.edges)
    assert (again.size, root(again)) == (size, root(tree))
    assert root(grow(again, every[size:])[0]) == root(grow(tree, every[size:])[0])


def test_growing_leaves_the_old_tree_as_it_was() -> None:
    tree, _ = grow(EMPTY, leaves(100))
    before = Tree(tree.size, tree.peaks, tree.edges), root(tree)
    grow(tree, leaves(400))
    assert (tree, root(tree)) == before


def test_a_hundred_thousand_appends_take_under_two_seconds_of_cpu() -> None:
    """A quarter of the speed wanted (200,000 a CPU-second) still passes: this is no benchmark."""
    every = leaves(100_000)
    start = time.process_time()
    grow(EMPTY, every)
    assert time.process_time() - start < 2.0
