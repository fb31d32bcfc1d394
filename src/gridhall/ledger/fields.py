"""What a field of an entry can hold: how its value is written as JSON, and how it is read back, strictly."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from gridhall.ledger.canonical import LARGEST_INT
from gridhall.ledger.malformed import Malformed

INT64 = (1 << 63) - 1
PLAIN = {int}
LANE = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Field:
    """`write` and `read` take the field's name, for what they say of a wrong value. Both raise Malformed."""

    write: Callable[[str, Any], object]
    read: Callable[[str, Any], Any]


def _count(name: str, value: object) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST_INT:
        raise Malformed(f"has a {name} that is no integer from 0 up")
    return value


def _text(pattern: str) -> Callable[[str, object], str]:
    allowed = re.compile(pattern)

    def check(name: str, value: object) -> str:
        if not isinstance(value, str) or not allowed.fullmatch(value):
            raise Malformed(f"has a {name} that is not of the form {pattern}")
        return value

    return check


def _cut(name: str, row: Sequence[int]) -> list[int | str]:
    """A row as it is written: without trailing zeros, and strings for what other readers would round."""
    width = len(row)
    while width and not row[width - 1]:
        width -= 1
    values = list(row[:width])
    if _narrow(values):
        return list(values)
    integers = [_integer(name, value) for value in values]
    return [value if abs(value) <= LARGEST_INT else str(value) for value in integers]


def _row(name: str, value: object) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise Malformed(f"has a {name} that is no list")
    values = cast("list[object]", value)
    row = cast("tuple[int, ...]", tuple(values)) if _narrow(values) else tuple(_wide(name, part) for part in values)
    if row and not row[-1]:
        raise Malformed(f"has a {name} with trailing zeros")
    return row


def _narrow(values: Sequence[object]) -> bool:
    """Whether all are integers that everybody can read; nearly every row is, so it is asked of the whole row."""
    if not set(map(type, values)) <= PLAIN:
        return False
    integers = cast("Sequence[int]", values)
    return not integers or (max(integers) <= LARGEST_INT and min(integers) >= -LARGEST_INT)


def _wide(name: str, value: object) -> int:
    if not isinstance(value, str):
        return _integer(name, value)
    if not re.fullmatch("-?[1-9][0-9]{15,18}", value) or abs(int(value)) <= LARGEST_INT:
        raise Malformed(f"has a {name} with a string that is no integer beyond 2^53 - 1")
    return _integer(name, int(value))


def _integer(name: str, value: object) -> int:
    if type(value) is not int or not -INT64 - 1 <= value <= INT64:
        raise Malformed(f"has a {name} with something that is no 64-bit integer")
    return value


def _rows(name: str, value: object) -> tuple[tuple[int, ...], ...]:
    if not isinstance(value, list):
        raise Malformed(f"has a {name} that is no list")
    return tuple(_row(name, part) for part in cast("list[object]", value))


def _pair(name: str, value: Sequence[object]) -> tuple[int, int]:
    """Two lanes of 32 bits."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise Malformed(f"has a {name} that is no pair")
    first, second = (_count(name, part) for part in value)
    if max(first, second) > LANE:
        raise Malformed(f"has a {name} beyond 32 bits")
    return first, second


def _sizes(name: str, value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        raise Malformed(f"has {name} that are no object")
    return {_word(name, key): _count(name, size) for key, size in cast("dict[object, object]", value).items()}


def _same(check: Callable[[str, Any], Any]) -> Field:
    return Field(check, check)


_word = _text("[a-z][a-z0-9_]{0,63}")

COUNT = _same(_count)
HASH = _same(_text("[0-9a-f]{8,128}"))
MAYBE_HASH = _same(_text("(?:[0-9a-f]{64})?"))
ID = _same(_text("[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}"))
MAYBE_ID = _same(_text("(?:[A-Za-z0-9][A-Za-z0-9._:/-]{0,199})?"))
TEXT = _same(_text("[!-~]{1,400}"))
SIZES = _same(_sizes)
PAIR = Field(lambda name, value: list(_pair(name, value)), _pair)
ROW = Field(_cut, _row)
ROWS = Field(lambda name, rows: [_cut(name, row) for row in rows], _rows)
