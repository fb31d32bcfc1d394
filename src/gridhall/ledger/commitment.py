"""Commitments: an entry holds a hash of a text and a secret salt, the text and the salt stay beside the log.

Whoever is shown both can see that they are what was logged. When the salt is destroyed the hash says nothing more,
not even to somebody who guesses the text: so a text can be erased from a log that is never altered.
"""

import hashlib
import hmac
from collections.abc import Mapping

from gridhall.ledger.canonical import encode

SALT_BYTES = 32
"""A salt is this many random bytes (`secrets.token_bytes`), and used once."""


def commit(salt: bytes, document: Mapping[str, object]) -> str:
    """The commitment of a document, as hex. Raises Malformed for a document without canonical bytes."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    return hashlib.sha256(salt + encode(document)).hexdigest()


def commit_text(salt: bytes, text: str) -> str:
    """The commitment of a text that is kept as it is, as hex."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    return hashlib.sha256(salt + text.encode()).hexdigest()


def opens(commitment: str, salt: bytes, document: Mapping[str, object]) -> bool:
    """Whether a commitment is that of this document under this salt."""
    return hmac.compare_digest(commit(salt, document), commitment)
