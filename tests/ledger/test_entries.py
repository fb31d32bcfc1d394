"""Entries: each kind is written and read back; anything else is refused."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridhall.ledger.canonical import encode
from gridhall.ledger.entries import Audit, Close, Decision, Entry, Report, Segment, body, read, widen
from gridhall.ledger.malformed import Malformed

SEGMENT = Segment(1, 1, "ab" * 12, "cd" * 32, "ef" * 32, "01" * 32, {"slots": 64, "nodes": 3}, "log+00aa11bb+AQID")
DECISION = Decision(1, 1, (8, 1_000), ((3, 1_000, 0, 7), ()), (5, 0), "9a" * 32)
CLOSE = Close(2, 1, "01" * 32)
AUDIT = Audit(1_000, "user/7", "create", "job", "", "denied")
REPORT = Report(1_000, "slurm-a", "attempt/12.1", "started")
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)


@pytest.mark.parametrize("entry", [SEGMENT, DECISION, CLOSE, AUDIT, REPORT])
def test_every_kind_is_read_back_as_it_was_written(entry: Entry) -> None:
    assert read(body(entry)) == entry


@settings(deadline=None)
@given(st.lists(INT64, max_size=20))
def test_rows_lose_their_trailing_zeros_and_nothing_else(row: list[int]) -> None:
    again = read(body(replace(DECISION, event=[9, *row, 0, 0], effects=[row])))
    assert isinstance(again, Decision)
    assert widen(again.event, 30) == widen([9, *row], 30)
    assert widen(again.effects[0], 30) == widen(row, 30)
    assert again.event[-1] != 0


def test_integers_that_other_readers_would_round_are_strings() -> None:
    event = json.loads(body(replace(DECISION, event=[1, (1 << 53) - 1, 1 << 53, -(1 << 63)])))["event"]
    assert event == [1, 9007199254740991, "9007199254740992", "-9223372036854775808"]


@pytest.mark.parametrize(
    ("entry", "changed"),
    [
        (DECISION, {"event": [1, 0]}),
        (DECISION, {"event": [1, "5"]}),
        (DECISION, {"event": [1, "9007199254740991"]}),
        (DECISION, {"event": [1, "9223372036854775808"]}),
        (DECISION, {"event": [1, True]}),
        (DECISION, {"event": 1}),
        (DECISION, {"effects": [1]}),
        (DECISION, {"digest": [1]}),
        (DECISION, {"digest": [1, 1 << 32]}),
        (DECISION, {"seq": -1}),
        (DECISION, {"seq": True}),
        (DECISION, {"commit": "AB" * 32}),
        (DECISION, {"more": 1}),
        (DECISION, {"kind": "guess"}),
        (DECISION, {"kind": ["decision"]}),
        (SEGMENT, {"format": "gridhall-ledger/2"}),
        (SEGMENT, {"kernels": "xyz"}),
        (SEGMENT, {"sizes": {"Slots": 1}}),
        (SEGMENT, {"sizes": {"slots": -1}}),
        (AUDIT, {"principal": "Ada Lovelace"}),
        (AUDIT, {"principal": ""}),
        (AUDIT, {"resource_id": "x" * 201}),
    ],
)
def test_what_is_not_exactly_an_entry_is_refused(entry: Entry, changed: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        read(encode(json.loads(body(entry)) | changed))


@pytest.mark.parametrize("name", ["seq", "epoch", "event", "effects", "digest", "commit", "kind"])
def test_a_missing_field_is_refused(name: str) -> None:
    document = json.loads(body(DECISION))
    del document[name]
    with pytest.raises(Malformed):
        read(encode(document))


@pytest.mark.parametrize(
    "entry",
    [
        replace(AUDIT, principal="a person's name"),
        replace(DECISION, event=[1, 1 << 63]),
        replace(DECISION, event=[1.5]),
        replace(DECISION, digest=(1, -1)),
        replace(SEGMENT, sizes={"a b": 1}),
    ],
)
def test_what_could_not_be_read_is_not_written(entry: Entry) -> None:
    with pytest.raises(Malformed):
        body(entry)


def test_a_row_wider_than_its_place_is_refused() -> None:
    with pytest.raises(Malformed, match="3 integers"):
        widen([1, 2, 3], 2)
