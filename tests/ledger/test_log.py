"""The log in memory: prepare, commit, discard, checkpoint, and opening it again from a store."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridhall.ledger.checkpoint import open_checkpoint
from gridhall.ledger.log import Log, load_tree, open_log
from gridhall.ledger.malformed import Malformed
from gridhall.ledger.note import SigningKey, verify_key
from gridhall.ledger.tree import EMPTY, root
from tests.ledger.slow import MemoryStore, mth

KEY = SigningKey("example.com/log", bytes(range(32)))


def bodies(first: int, last: int) -> list[bytes]:
    return [b'{"n":%d}' % number for number in range(first, last)]


def append(log: Log, store: MemoryStore, more: list[bytes], signed: bool = True) -> None:
    prepared = log.prepare(more)
    asyncio.run(store.write(prepared, log.checkpoint(KEY) if signed else None))
    log.commit(prepared)


def filled(size: int) -> tuple[Log, MemoryStore]:
    log, store = Log(EMPTY), MemoryStore()
    append(log, store, bodies(0, size))
    return log, store


def test_an_append_carries_all_that_is_written() -> None:
    log = Log(EMPTY)
    append = log.prepare(bodies(0, 300))
    assert (append.first, append.size, len(append.leaves)) == (0, 300, 300)
    assert [(tile.level, tile.index) for tile in append.tiles] == [(0, 0)]
    assert append.root == mth(bodies(0, 300))


def test_nothing_changes_before_the_commit() -> None:
    log, _ = filled(10)
    prepared = log.prepare(bodies(10, 20))
    assert log.size == 10
    log.commit(prepared)
    assert log.size == 20


def test_a_discarded_append_leaves_no_trace() -> None:
    log, _ = filled(250)
    log.prepare([b"lost"] * 20)
    log.discard()
    again = log.prepare(bodies(250, 270))
    assert (again.first, again.root) == (250, mth(bodies(0, 270)))


def test_two_appends_at_a_time_are_a_mistake() -> None:
    log, _ = filled(1)
    first = log.prepare(bodies(1, 2))
    with pytest.raises(RuntimeError, match="on its way"):
        log.prepare(bodies(1, 2))
    log.discard()
    with pytest.raises(RuntimeError, match="not the one"):
        log.commit(first)


def test_the_checkpoint_is_that_of_the_append_on_its_way() -> None:
    log, _ = filled(5)
    prepared = log.prepare(bodies(5, 9))
    checkpoint = open_checkpoint(log.checkpoint(KEY), [verify_key(KEY)])
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (KEY.name, 9, prepared.root)
    log.discard()
    assert open_checkpoint(log.checkpoint(KEY), [verify_key(KEY)]).size == 5


@given(st.lists(st.integers(1, 400), min_size=1, max_size=5))
@settings(deadline=None, max_examples=30)
def test_a_log_is_opened_as_it_was_left(batches: list[int]) -> None:
    log, store = Log(EMPTY), MemoryStore()
    for batch in batches:
        append(log, store, bodies(log.size, log.size + batch))
    again = asyncio.run(open_log(store))
    assert (again.size, root(again.tree)) == (log.size, mth(store.bodies))
    append(again, store, bodies(again.size, again.size + 50))
    assert root(again.tree) == mth(store.bodies)


def test_a_large_log_is_opened_from_three_levels_of_tiles() -> None:
    log, store = filled(256 * 256 + 3 * 256 + 7)
    again = asyncio.run(open_log(store))
    assert root(again.tree) == root(log.tree)
    assert again.tree.edges == log.tree.edges


def test_entries_after_the_last_checkpoint_are_opened_too() -> None:
    log, store = filled(300)
    append(log, store, bodies(300, 600), signed=False)
    assert asyncio.run(open_log(store)).size == 600


def test_the_tree_of_an_earlier_size_can_be_loaded() -> None:
    _, store = filled(1000)
    assert root(asyncio.run(load_tree(store, 700))) == mth(store.bodies[:700])


def test_a_store_that_lost_entries_is_not_opened() -> None:
    _, store = filled(300)
    store.bodies.pop()
    with pytest.raises(Malformed, match="holds 299 entries, but a signed checkpoint says 300"):
        asyncio.run(open_log(store))


def test_a_store_whose_tail_was_altered_is_not_opened() -> None:
    _, store = filled(300)
    store.bodies[290] = b"other"
    with pytest.raises(Malformed, match="another root at size 300"):
        asyncio.run(open_log(store))


def test_a_store_that_lost_a_tile_is_not_opened() -> None:
    _, store = filled(300)
    store.tiles.clear()
    with pytest.raises(Malformed, match="lacks tile 0 of level 0"):
        asyncio.run(open_log(store))
