"""Proofs against RFC 6962's recursive definition, and what they must not show."""

import asyncio
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridhall.ledger.log import Log
from gridhall.ledger.malformed import Malformed
from gridhall.ledger.proofs import consistency, extends, includes, inclusion
from gridhall.ledger.proving import prove_consistency, prove_entry, prove_inclusion
from gridhall.ledger.tree import EMPTY, leaf_hash
from tests.ledger.slow import MemoryStore, mth, path, proof

BODIES = [b"%d" % number for number in range(300)]
ROOTS = {size: mth(BODIES[:size]) for size in range(70)}


def read(level: int, index: int) -> bytes:
    return mth(BODIES[index << level : index + 1 << level])


def test_every_small_inclusion_proof_is_that_of_the_definition_and_holds() -> None:
    for size in range(1, 40):
        for index in range(size):
            made = inclusion(index, size, read)
            assert made == path(index, BODIES[:size])
            assert includes(leaf_hash(BODIES[index]), index, size, made, ROOTS[size])


def test_every_small_consistency_proof_is_that_of_the_definition_and_holds() -> None:
    for size in range(1, 40):
        for old in range(size + 1):
            made = consistency(old, size, read)
            assert made == (proof(old, BODIES[:size]) if old else [])
            assert extends(old, ROOTS[old], size, ROOTS[size], made)


@given(st.integers(1, 64), st.data())
@settings(deadline=None)
def test_an_inclusion_proof_shows_nothing_else(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    made = inclusion(index, size, read)
    leaf, other = leaf_hash(BODIES[index]), hashlib.sha256(b"other").digest()
    assert not includes(other, index, size, made, ROOTS[size])
    assert not includes(leaf, index, size, made, other)
    assert not includes(leaf, index, size, [*made, other], ROOTS[size])
    assert not includes(leaf, (index + 1) % size, size, made, ROOTS[size]) or size == 1
    assert not includes(leaf, size, size, made, ROOTS[size])
    if made:
        at = data.draw(st.integers(0, len(made) - 1))
        assert not includes(leaf, index, size, made[:at] + made[at + 1 :], ROOTS[size])
        assert not includes(leaf, index, size, [*made[:at], other, *made[at + 1 :]], ROOTS[size])


@given(st.integers(2, 64), st.data())
@settings(deadline=None)
def test_a_consistency_proof_shows_nothing_else(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size - 1))
    made, other = consistency(old, size, read), hashlib.sha256(b"other").digest()
    assert not extends(old, other, size, ROOTS[size], made)
    assert not extends(old, ROOTS[old], size, other, made)
    assert not extends(old, ROOTS[old], size, ROOTS[size], [*made, other])
    at = data.draw(st.integers(0, len(made) - 1))
    assert not extends(old, ROOTS[old], size, ROOTS[size], made[:at] + made[at + 1 :])
    assert not extends(old, ROOTS[old], size, ROOTS[size], [*made[:at], other, *made[at + 1 :]])


def test_trivial_consistency_needs_an_empty_proof_and_equal_roots() -> None:
    assert extends(5, ROOTS[5], 5, ROOTS[5], [])
    assert not extends(5, ROOTS[5], 5, ROOTS[6], [])
    assert not extends(5, ROOTS[5], 5, ROOTS[5], [ROOTS[5]])
    assert not extends(0, ROOTS[1], 5, ROOTS[5], [])
    assert not extends(6, ROOTS[6], 5, ROOTS[5], [])
    assert not extends(-1, ROOTS[0], 5, ROOTS[5], [])


def test_a_leaf_outside_the_log_has_no_proof() -> None:
    with pytest.raises(ValueError, match="leaf 5 is not among 5"):
        inclusion(5, 5, read)
    with pytest.raises(ValueError, match="no beginning"):
        consistency(6, 5, read)


# --- out of a store -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large() -> tuple[Log, MemoryStore]:
    """Two full levels of tiles and an edge at each of three."""
    log, store = Log(EMPTY), MemoryStore()
    append = log.prepare([b"%d" % number for number in range(256 * 256 + 2 * 256 + 77)])
    asyncio.run(store.write(append, None))
    log.commit(append)
    return log, store


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_proofs_from_stored_tiles_hold(large: tuple[Log, MemoryStore], data: st.DataObject) -> None:
    log, store = large
    size = data.draw(st.integers(1, log.size) | st.sampled_from([256, 257, 65_536, 65_537, log.size]))
    index = data.draw(st.integers(0, size - 1))
    steps = asyncio.run(prove_inclusion(store, log.tree, index, size))
    top = root_at(store, size)
    assert includes(leaf_hash(store.bodies[index]), index, size, steps, top)
    old = data.draw(st.integers(0, size))
    steps = asyncio.run(prove_consistency(store, log.tree, old, size))
    assert extends(old, root_at(store, old), size, top, steps)


def root_at(store: MemoryStore, size: int) -> bytes:
    return mth(store.bodies[:size])


def test_a_proof_needs_its_tiles(large: tuple[Log, MemoryStore]) -> None:
    log, store = large
    bare = MemoryStore()
    bare.bodies = store.bodies
    with pytest.raises(Malformed, match="lacks tile"):
        asyncio.run(prove_inclusion(bare, log.tree, 5, log.size))


def test_an_entry_without_a_checkpoint_has_no_proof_yet(large: tuple[Log, MemoryStore]) -> None:
    log, store = large
    with pytest.raises(Malformed, match="no checkpoint yet that covers entry 5"):
        asyncio.run(prove_entry(store, log.tree, 5))
