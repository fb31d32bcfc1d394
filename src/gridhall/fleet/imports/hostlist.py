"""Slurm's hostlist expressions: `gpu[001-004,007],login1` as single names."""

import re

_RANGE = re.compile(r"(\d+)(?:-(\d+))?$")
MAX_HOSTS = 1_000_000


def split_commas(text: str) -> list[str]:
    """Parts between commas that stand outside brackets."""
    parts, depth, start = list[str](), 0, 0
    for position, letter in enumerate(text):
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [part for part in [*parts, text[start:]] if part]


def expand(text: str) -> list[str]:
    """Every name that the expression stands for, in order. Raises ValueError where it cannot be read."""
    return [name for part in split_commas(text) for name in _expand_one(part)]


def _expand_one(part: str) -> list[str]:
    head, opened, rest = part.partition("[")
    if not opened:
        if "]" in part:
            raise ValueError(f"{part!r} closes a bracket that it never opened")
        return [part]
    inner, closed, tail = rest.partition("]")
    if not closed:
        raise ValueError(f"{part!r} opens a bracket that it never closes")
    tails = _expand_one(tail)
    numbers = [number for piece in inner.split(",") for number in _numbers(piece)]
    if len(numbers) * len(tails) > MAX_HOSTS:
        raise ValueError(f"{part!r} stands for more than {MAX_HOSTS:,} names")
    return [f"{head}{number}{end}" for number in numbers for end in tails]


def _numbers(piece: str) -> list[str]:
    match = _RANGE.match(piece.strip())
    if match is None:
        raise ValueError(f"{piece!r} is neither a number nor a range such as 01-16")
    first, last = match.group(1), match.group(2) or match.group(1)
    if int(last) < int(first) or int(last) - int(first) >= MAX_HOSTS:
        raise ValueError(f"{piece!r} is no range")
    return [f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]
