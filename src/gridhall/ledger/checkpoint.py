"""Checkpoints (C2SP tlog-checkpoint): the log's signed word that its first `size` entries have this root.

The text is three lines: origin (the log's name, which is its key's name too), size and root in base64. There is no
time in it: entries carry times, and a time that the log itself declares proves no more than they do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gridhall.ledger.malformed import Malformed
from gridhall.ledger.note import SigningKey, VerifyKey, open_note, sign, split
from gridhall.ledger.text64 import from_text64, to_text64
from gridhall.ledger.tree import HASH_BYTES

LARGEST_DIGITS = 19


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself."""

    origin: str
    size: int
    root: bytes


def sign_checkpoint(size: int, root: bytes, key: SigningKey) -> str:
    """The signed note of a checkpoint; the key's name is the log's origin."""
    return sign(f"{key.name}\n{size}\n{to_text64(root)}\n", key)


def open_checkpoint(note: str, keys: Sequence[VerifyKey]) -> Checkpoint:
    """The checkpoint of a note. Raises Malformed unless known keys have signed it, under the name of its origin."""
    checkpoint = _parse(open_note(note, keys))
    if checkpoint.origin not in {key.name for key in keys}:
        raise Malformed(f"is of the log {checkpoint.origin}, which is none of the keys' names")
    return checkpoint


def read_unchecked(note: str) -> Checkpoint:
    """The checkpoint of a note whose signature is not checked. Raises Malformed."""
    return _parse(split(note)[0])


def _parse(text: str) -> Checkpoint:
    """Lines after the third are extensions of others: they are covered by the signature and mean nothing here."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines):
        raise Malformed("is no checkpoint: three lines are expected")
    root = from_text64(lines[2])
    if len(root) != HASH_BYTES:
        raise Malformed("has a root that is no SHA-256 hash")
    return Checkpoint(lines[0], read_number(lines[1]), root)


def read_number(text: str) -> int:
    """A decimal number from 0 up, without leading zeros. Raises Malformed."""
    if not (text.isascii() and text.isdigit()) or len(text) > LARGEST_DIGITS or (text[0] == "0" and text != "0"):
        raise Malformed("has a number that is not written as one")
    return int(text)
