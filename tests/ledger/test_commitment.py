"""Commitments: they open with their salt and text and with nothing else."""

import hashlib

import pytest

from gridhall.ledger.commitment import SALT_BYTES, commit, opens

SALT = bytes(range(SALT_BYTES))
DOCUMENT = {"name": "train", "command": ["python", "train.py"]}


def test_a_commitment_is_the_hash_of_salt_and_canonical_bytes() -> None:
    expected = hashlib.sha256(SALT + b'{"command":["python","train.py"],"name":"train"}').hexdigest()
    assert commit(SALT, DOCUMENT) == expected


def test_it_opens_with_its_salt_and_document_only() -> None:
    made = commit(SALT, DOCUMENT)
    assert opens(made, SALT, dict(reversed(DOCUMENT.items())))
    assert not opens(made, bytes(SALT_BYTES), DOCUMENT)
    assert not opens(made, SALT, DOCUMENT | {"name": "other"})


def test_a_short_salt_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="32 bytes, not 4"):
        commit(b"salt", DOCUMENT)
