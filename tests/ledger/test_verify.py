"""The verifier finds every planted corruption, says where, and says what it cannot know."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridhall.ledger.entries import Audit, Close, Decision, Entry, body, read
from gridhall.ledger.note import SigningKey, VerifyKey, sign, verify_key
from gridhall.ledger.verify import NO_REPLAY, NO_TRUTH, NO_WITNESS, NOT_KEPT, OWN_KEY, Verdict, verify
from tests.ledger.slow import MemoryStore
from tests.ledger.written import (
    KEY,
    STATES,
    THIEF,
    append_bodies,
    decision,
    segment,
    story,
    write,
    write_bodies,
)

KEYS = [verify_key(KEY)]
ENTRIES = story(600)
BODIES = [body(entry) for entry in ENTRIES]


def check(store: MemoryStore, keys: Sequence[VerifyKey] = KEYS, kept: Sequence[str] = ()) -> Verdict:
    return asyncio.run(verify(store, keys, kept))


def fresh() -> MemoryStore:
    return write_bodies(BODIES)[1]


def test_an_untouched_log_passes_and_says_what_is_not_proven() -> None:
    verdict = check(fresh())
    assert (verdict.word, verdict.entries, verdict.checkpoints) == ("PASS", len(BODIES), -(-len(BODIES) // 50))
    assert verdict.keys == "given"
    assert verdict.not_proven == (NO_WITNESS, NOT_KEPT, NO_REPLAY, NO_TRUTH)


def test_without_a_key_it_says_that_it_believed_the_log_about_its_key() -> None:
    verdict = check(fresh(), keys=[])
    assert (verdict.word, verdict.keys) == ("PASS", "named by the log")
    assert OWN_KEY in verdict.not_proven


def test_a_checkpoint_kept_from_earlier_takes_the_cut_off_end_from_the_list() -> None:
    verdict = check(fresh(), kept=[write_bodies(BODIES[:77])[1].notes[-1]])
    assert verdict.word == "PASS"
    assert NOT_KEPT not in verdict.not_proven


def test_entries_that_no_checkpoint_covers_are_named() -> None:
    log, store = write_bodies(BODIES[:100])
    append_bodies(log, store, BODIES[100:130], key=None)
    verdict = check(store)
    assert verdict.word == "PASS"
    assert "that entries 100 to 129 stay as they are: no checkpoint covers them yet" in verdict.not_proven


def test_an_empty_log_passes() -> None:
    assert check(MemoryStore()).word == "PASS"


def test_progress_is_told() -> None:
    seen: list[tuple[int, int]] = []
    asyncio.run(verify(fresh(), KEYS, on_progress=lambda done, size: seen.append((done, size))))
    assert seen[-1] == (len(BODIES), len(BODIES))
    assert seen == sorted(seen)


class GrowingStore(MemoryStore):
    """A log that a server goes on writing while it is read: after each read it is as the next of `later`."""

    def __init__(self, later: list[MemoryStore]) -> None:
        super().__init__()
        self.later = later
        self.grow()

    def grow(self) -> None:
        if self.later:
            vars(self).update({**vars(self.later[0]), "later": self.later[1:]})

    async def entries(self, first: int, last: int) -> Sequence[bytes]:
        found = self.bodies[first:last]
        self.grow()
        return found


def test_a_log_may_grow_while_it_is_read() -> None:
    verdict = check(GrowingStore([write_bodies(BODIES[:size])[1] for size in (100, 220, 400, len(BODIES))]))
    assert (verdict.word, verdict.entries) == ("PASS", len(BODIES))


# --- planted corruption ---------------------------------------------------------------------------------------------


@given(st.integers(0, len(BODIES) - 1), st.data())
@settings(deadline=None, max_examples=40)
def test_a_flipped_bit_in_any_entry_is_found(index: int, data: st.DataObject) -> None:
    store = fresh()
    bit = data.draw(st.integers(0, len(BODIES[index]) * 8 - 1))
    changed = bytearray(BODIES[index])
    changed[bit // 8] ^= 1 << bit % 8
    store.bodies[index] = bytes(changed)
    verdict = check(store)
    assert verdict.word == "FAIL"
    if verdict.entry is not None:
        assert verdict.entry >= index


def test_an_altered_entry_that_reads_well_is_named() -> None:
    """The leaf hash that was stored in a full tile tells which entry it is."""
    store = write_bodies(BODIES, batch=300)[1]
    index = next(number for number, entry in enumerate(ENTRIES) if isinstance(entry, Audit) and number > 20)
    audit = read(BODIES[index])
    assert isinstance(audit, Audit)
    store.bodies[index] = body(replace(audit, principal="user/8"))
    verdict = check(store)
    assert (verdict.word, verdict.entry) == ("FAIL", index)
    assert "does not have the hash that was stored with it" in verdict.why


def test_an_altered_entry_is_found_although_its_tile_was_altered_too() -> None:
    store = fresh()
    index = next(number for number, entry in enumerate(ENTRIES) if isinstance(entry, Audit))
    forged = list(BODIES)
    audit = read(BODIES[index])
    assert isinstance(audit, Audit)
    forged[index] = body(replace(audit, result="denied"))
    other = write_bodies(forged)[1]
    store.bodies, store.tiles = other.bodies, other.tiles
    verdict = check(store)
    assert verdict.word == "FAIL"
    assert "another root at size 50 than was signed: entries 0 to 49" in verdict.why


@pytest.mark.parametrize("index", [0, 30, 299, 700])
def test_a_dropped_entry_is_found(index: int) -> None:
    store = fresh()
    del store.bodies[index]
    assert check(store).word == "FAIL"


def test_a_dropped_decision_is_named() -> None:
    store = fresh()
    index = next(number for number, entry in enumerate(ENTRIES) if isinstance(entry, Decision) and entry.seq == 3)
    del store.bodies[index]
    store.bodies.append(body(Audit(0, "user/7", "read", "job", "", "ok")))
    verdict = check(store)
    assert (verdict.word, verdict.entry, verdict.why) == ("FAIL", index, "decides on event 4 where 3 comes next")


def test_swapped_entries_are_found() -> None:
    for first, second in [(1, 2), (40, 41), (300, 640)]:
        store = fresh()
        store.bodies[first], store.bodies[second] = store.bodies[second], store.bodies[first]
        assert check(store).word == "FAIL"


def test_a_log_that_was_cut_off_is_found() -> None:
    store = fresh()
    del store.bodies[400:]
    verdict = check(store)
    assert verdict.word == "FAIL"
    assert f"holds 400 entries, but a signed checkpoint says {len(BODIES)}: its end is missing" in verdict.why


def test_a_log_cut_off_with_its_checkpoints_is_found_by_a_kept_one() -> None:
    kept = fresh().notes[-1]
    shorter = write_bodies(BODIES[:400])[1]
    assert check(shorter).word == "PASS"
    assert "its end is missing" in check(shorter, kept=[kept]).why


def test_a_rewritten_log_is_found_by_a_kept_checkpoint() -> None:
    kept = write_bodies(BODIES[:333])[1].notes[-1]
    other = write([entry for entry in ENTRIES if not isinstance(entry, Audit)])[1]
    assert check(other).word == "PASS"
    assert "another root at size 333 than was signed" in check(other, kept=[kept]).why


def test_a_log_signed_again_by_another_key_is_found() -> None:
    store = write(story(600, THIEF), key=THIEF)[1]
    assert check(store, keys=[]).word == "PASS"
    verdict = check(store)
    assert verdict.word == "FAIL"
    assert "is not signed by a known key" in verdict.why


def test_one_checkpoint_signed_by_another_key_is_found() -> None:
    store = fresh()
    text = store.notes[3].split("\n\n")[0] + "\n"
    store.notes[3] = sign(text, THIEF)
    assert check(store).word == check(store, keys=[]).word == "FAIL"


def test_checkpoints_that_do_not_grow_are_found() -> None:
    store = fresh()
    store.notes.insert(4, store.notes[3])
    assert "checkpoint at size 200 after one at 200" in check(store).why


def test_a_log_without_checkpoints_does_not_pass() -> None:
    store = fresh()
    store.notes.clear()
    assert "no signed checkpoint" in check(store).why


def test_checkpoints_of_another_log_are_found() -> None:
    other = SigningKey("example.com/other", bytes(range(32)))
    store = fresh()
    store.notes[5:] = write_bodies(BODIES, key=other)[1].notes[5:]
    verdict = check(store, keys=[*KEYS, verify_key(other)])
    assert "checkpoints of two logs" in verdict.why


@pytest.mark.parametrize("harm", [lambda tile: b"", lambda tile: bytes(8192), lambda tile: tile[:-1]])
def test_a_damaged_tile_is_found(harm: Callable[[bytes], bytes]) -> None:
    store = fresh()
    store.tiles[0, 1] = harm(store.tiles[0, 1])
    assert check(store).word == "FAIL"


# --- what entries say of each other ---------------------------------------------------------------------------------

OPEN = segment(1, STATES[0])


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([decision(1)], "is a decision outside a segment"),
        ([OPEN, decision(1), decision(3)], "decides on event 3 where 2 comes next"),
        ([OPEN, decision(1), decision(1)], "decides on event 1 where 2 comes next"),
        ([segment(1, STATES[0], 5), decision(1, epoch=4)], "has epoch 4 after epoch 5"),
        ([OPEN, decision(1), Close(3, 1, STATES[1])], "closes a segment before event 3 where 2 comes next"),
        ([OPEN, Close(1, 1, STATES[1]), decision(1)], "is a decision outside a segment"),
        ([Close(1, 1, STATES[1])], "closes a segment where none is open"),
        ([OPEN, Close(1, 1, STATES[1]), segment(2, STATES[1])], "opens a segment at event 2 where 1 comes next"),
        ([OPEN, decision(1), replace(decision(2), digest=(9, 9))], "has another digest of effects"),
    ],
)
def test_a_log_that_contradicts_itself_is_found_although_it_is_well_signed(entries: list[Entry], why: str) -> None:
    verdict = check(write(entries)[1])
    assert (verdict.word, verdict.entry) == ("FAIL", len(entries) - 1)
    assert why in verdict.why


def test_an_entry_that_is_none_is_named_although_it_is_well_signed() -> None:
    verdict = check(write_bodies([*BODIES[:20], b'{"kind": "decision"}'])[1])
    assert (verdict.entry, verdict.why) == (20, "is not in canonical form")


def test_a_segment_that_nothing_closed_is_not_proven() -> None:
    verdict = check(write([OPEN, decision(1), segment(2, STATES[1])])[1])
    assert verdict.word == "PASS"
    assert any("nothing closed them" in gap for gap in verdict.not_proven)


def test_a_state_that_does_not_carry_on_is_not_proven() -> None:
    verdict = check(write([OPEN, Close(1, 1, STATES[0]), segment(1, STATES[1])])[1])
    assert verdict.word == "PASS"
    assert any("their hashes differ" in gap for gap in verdict.not_proven)


def test_a_key_is_changed_with_a_segment() -> None:
    log, store = write([OPEN, decision(1)])
    append_bodies(log, store, [body(Close(2, 1, STATES[1])), body(segment(2, STATES[1], key=THIEF))], THIEF)
    assert check(store, keys=[]).word == "PASS"
    assert check(store).word == "FAIL"
    assert check(store, keys=[*KEYS, verify_key(THIEF)]).word == "PASS"


def test_twenty_thousand_entries_are_checked_within_the_budget() -> None:
    """The budget is 100,000 entries in 60 s."""
    store = write(story(15_000), batch=100)[1]
    start = time.process_time()
    assert check(store).word == "PASS"
    assert time.process_time() - start < 60 * len(store.bodies) / 100_000
