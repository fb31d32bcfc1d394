"""Canonical JSON: the bytes of RFC 8785, and nothing else is accepted."""

import json
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridhall.ledger.canonical import LARGEST_BYTES, LARGEST_INT, encode, parse
from gridhall.ledger.malformed import Malformed

KEYS = st.text(st.characters(max_codepoint=127), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST_INT, LARGEST_INT) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)
ENTRIES = st.dictionaries(KEYS, VALUES, max_size=5)
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_the_bytes_are_those_of_rfc_8785() -> None:
    """The strings and the order of the RFC's own examples, without its floats."""
    entry = {"string": '€$\x0f\nA\'B"\\\\"/', "literals": [None, True, False], "\r": "CR", "1": "One", "": 0}
    expected = '{"":0,"\\r":"CR","1":"One","literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert encode(entry) == expected.encode()


@PATIENT
@given(ENTRIES)
def test_what_is_written_is_read_back(entry: dict[str, object]) -> None:
    assert parse(encode(entry)) == entry


@PATIENT
@given(ENTRIES, st.randoms())
def test_the_order_of_insertion_changes_nothing(entry: dict[str, object], random: Random) -> None:
    keys = list(entry)
    random.shuffle(keys)
    assert encode({key: entry[key] for key in keys}) == encode(entry)


@PATIENT
@given(ENTRIES, st.data())
def test_no_other_spelling_of_an_entry_is_accepted(entry: dict[str, object], data: st.DataObject) -> None:
    loose = json.dumps(entry, indent=data.draw(st.sampled_from([None, 1]))).encode()
    if loose != encode(entry):
        with pytest.raises(Malformed, match="canonical form"):
            parse(loose)


@PATIENT
@given(st.binary(max_size=60))
def test_any_bytes_are_either_canonical_or_refused(data: bytes) -> None:
    try:
        entry = parse(data)
    except Malformed:
        return
    assert encode(entry) == data


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a":1,"a":2}',
        '{"a":1.0}',
        '{"a":1e2}',
        '{"a":NaN}',
        '{"a":-Infinity}',
        '{"a":-0}',
        '{"a":9007199254740992}',
        '{"a":"\\u0041"}',
        '{"a":"\\ud800"}',
        '{"é":1}',
        '{"b":1,"a":1}',
        '{"a": 1}',
        '{"a":1}\n',
        '\ufeff{"a":1}',
        "[1]",
        "1",
        "",
        '{"a":' + "[" * 20 + "]" * 20 + "}",
        '{"a":' + "[" * 20_000 + "]" * 20_000 + "}",
        '{"a":' + "1" * 5_000 + "}",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse(text.encode())


def test_bytes_that_are_no_utf8_are_refused() -> None:
    with pytest.raises(Malformed):
        parse(b'{"a":"\xff"}')


@pytest.mark.parametrize("value", [1.0, float("nan"), 1 << 53, (1, 2), b"x", {1: 2}, {"é": 1}, "\ud800"])
def test_values_without_canonical_bytes_are_refused(value: object) -> None:
    with pytest.raises(Malformed):
        encode({"a": value})


def test_an_entry_has_a_largest_size() -> None:
    text = "x" * (LARGEST_BYTES - len('{"a":""}'))
    assert len(encode({"a": text})) == LARGEST_BYTES
    with pytest.raises(Malformed, match="60,001 bytes"):
        encode({"a": text + "x"})
    with pytest.raises(Malformed, match="60,001 bytes"):
        parse(b'{"a":"' + text.encode() + b'x"}')
