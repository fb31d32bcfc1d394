"""Canonical JSON: one value, one sequence of bytes, so that a hash of the bytes is a hash of the value.

An entry is an object of strings, integers, booleans, null, lists and objects. Its bytes equal RFC 8785: keys in order,
no white space, the shortest escapes, UTF-8. What RFC 8785 leaves to doubles is not there at all: no floats, and no
integer beyond 2^53 - 1, which some readers would round. Keys are ASCII, so that everybody sorts them alike.
"""

import json
from collections.abc import Mapping
from typing import Any, NoReturn, cast

from gridhall.ledger.malformed import Malformed

LARGEST_BYTES = 60_000
"""Most bytes of one entry; an entry bundle could carry 65,535."""
LARGEST_INT = (1 << 53) - 1
DEEPEST = 16
"""Most lists and objects inside each other."""

Value = str | int | bool | None | list[Any] | dict[str, Any]


def encode(entry: Mapping[str, object]) -> bytes:
    """The canonical bytes of an entry. Raises Malformed for what has none."""
    check(dict(entry), 0)
    return dump(entry)


def dump(entry: Mapping[str, object]) -> bytes:
    """The canonical bytes of an entry whose values need no check; a server writes thousands a second."""
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    try:
        body = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Malformed("holds half a character (a lone surrogate)") from error
    return bounded(body)


def bounded(body: bytes) -> bytes:
    """The bytes of an entry, which are not too many. Raises Malformed where they are."""
    if len(body) > LARGEST_BYTES:
        raise Malformed(f"takes {len(body):,} bytes; {LARGEST_BYTES:,} are allowed")
    return body


def parse(body: bytes) -> dict[str, Value]:
    """The entry that has exactly these canonical bytes. Raises Malformed for any other bytes."""
    bounded(body)
    try:
        entry: object = json.loads(body.decode("utf-8"), parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError) as error:
        raise Malformed("is no JSON") from error
    if not isinstance(entry, dict):
        raise Malformed("is no JSON object")
    check(cast("object", entry), 0)
    if dump(cast("dict[str, Value]", entry)) != body:
        raise Malformed("is not in canonical form")
    return cast("dict[str, Value]", entry)


def check(value: object, depth: int) -> None:
    """Raises Malformed for a value, `depth` lists and objects down, that has no canonical bytes."""
    if value is None or isinstance(value, str | bool):
        return
    if isinstance(value, int):
        if abs(value) > LARGEST_INT:
            raise Malformed("holds an integer beyond 2^53 - 1")
    elif depth == DEEPEST:
        raise Malformed(f"is more than {DEEPEST} levels deep")
    elif isinstance(value, list):
        for part in cast("list[object]", value):
            check(part, depth + 1)
    elif isinstance(value, dict):
        for key, part in cast("dict[object, object]", value).items():
            if not (isinstance(key, str) and key.isascii()):
                raise Malformed("has a key that is no ASCII text")
            check(part, depth + 1)
    else:
        raise Malformed(f"holds a {type(value).__name__}")


def _no_float(number: str) -> NoReturn:
    raise Malformed(f"holds a number that is no integer: {number[:40]}")
