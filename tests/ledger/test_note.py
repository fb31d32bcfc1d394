"""Signed notes and checkpoints: the published examples, key texts, and what is no note."""

import pytest

from gridhall.ledger.checkpoint import open_checkpoint, read_unchecked, sign_checkpoint
from gridhall.ledger.malformed import Malformed
from gridhall.ledger.note import (
    SigningKey,
    VerifyKey,
    open_note,
    read_skey,
    read_vkey,
    sign,
    skey,
    split,
    verify_key,
    vkey,
)
from gridhall.ledger.text64 import from_text64, to_text64

# The examples of the C2SP specification of signed notes, and of the Go package that it comes from.
SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
GO_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_NOTE = (
    f"{GO_TEXT}\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
KEY = SigningKey("example.com/log", bytes(range(32)))
OTHER = SigningKey("example.com/witness", bytes(32))
KEYS = [verify_key(KEY)]


def test_the_example_of_the_specification_opens() -> None:
    assert open_note(SPEC_NOTE, [read_vkey(SPEC_VKEY)]) == "This is an example message.\n"


def test_the_example_of_the_first_implementation_is_signed_alike() -> None:
    key = read_skey(GO_SKEY)
    assert vkey(verify_key(key)) == GO_VKEY
    assert sign(GO_TEXT, key) == GO_NOTE


def test_keys_are_read_back_from_their_text() -> None:
    assert read_skey(skey(KEY)) == KEY
    assert read_vkey(vkey(KEYS[0])) == KEYS[0]


def test_a_secret_key_does_not_show_in_its_repr() -> None:
    assert repr(KEY) == "SigningKey(name='example.com/log')"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        "a+00000000+AAAA",
        GO_VKEY.replace("c74f20a3", "c74f20a4"),
        "a b+c74f20a3+" + GO_VKEY[22:],
        GO_VKEY[:-1],
    ],
)
def test_a_wrong_key_text_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read_vkey(text)


@pytest.mark.parametrize("text", [GO_VKEY, GO_SKEY.replace("20a3", "20a4"), GO_SKEY.removeprefix("PRIVATE+KEY+")])
def test_a_wrong_secret_key_text_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read_skey(text)


def test_signatures_of_strangers_are_passed_over() -> None:
    both = sign("text\n", KEY) + sign("text\n", OTHER).split("\n\n")[1]
    assert len(split(both)[1]) == 2
    assert open_note(both, KEYS) == "text\n"
    assert open_note(both, [verify_key(OTHER)]) == "text\n"
    with pytest.raises(Malformed, match=r"not signed by a known key \(signed as example.com/log\)"):
        open_note(sign("text\n", KEY), [verify_key(OTHER)])


def test_a_known_key_whose_signature_fails_spoils_the_note() -> None:
    wrong = sign("other\n", OTHER).split("\n\n")[1]
    with pytest.raises(Malformed, match=r"signature of example.com/witness that does not hold"):
        open_note(sign("text\n", KEY) + wrong, [*KEYS, verify_key(OTHER)])


def test_a_text_with_empty_lines_ends_at_the_last() -> None:
    assert open_note(sign("a\n\nb\n", KEY), KEYS) == "a\n\nb\n"


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        sign("text\n", KEY)[:-1],
        sign("text\n", KEY) + "\n",
        sign("text\n", KEY).replace("text", "te\rxt"),
        sign("text\n", KEY).replace("— ", "- "),
        sign("text\n", KEY).replace("=\n", "\n"),
        "x" * 200_000,
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(Malformed):
        open_note(note, KEYS)


@pytest.mark.parametrize("text", ["AB==", "AA", "AA==\n", "A A==", "AA=", "AA-_", "ÄÄ=="])
def test_base64_has_one_text_for_each_value(text: str) -> None:
    with pytest.raises(Malformed):
        from_text64(text)
    assert from_text64(to_text64(b"\0")) == b"\0"


# --- checkpoints ----------------------------------------------------------------------------------------------------


def test_a_checkpoint_is_three_lines() -> None:
    note = sign_checkpoint(20_852_163, bytes(32), KEY)
    assert note.split("\n")[:3] == ["example.com/log", "20852163", to_text64(bytes(32))]
    assert open_checkpoint(note, KEYS) == read_unchecked(note)


def test_the_lines_of_others_after_the_third_are_passed_over() -> None:
    assert open_checkpoint(sign(f"example.com/log\n7\n{to_text64(bytes(32))}\nmore\n", KEY), KEYS).size == 7


def test_a_checkpoint_of_another_origin_is_refused() -> None:
    note = sign(f"example.com/elsewhere\n7\n{to_text64(bytes(32))}\n", KEY)
    with pytest.raises(Malformed, match=r"log example.com/elsewhere"):
        open_checkpoint(note, KEYS)


@pytest.mark.parametrize(
    "text",
    [
        "example.com/log\n7\n",
        f"example.com/log\n07\n{to_text64(bytes(32))}\n",
        f"example.com/log\n-7\n{to_text64(bytes(32))}\n",
        f"example.com/log\n٧\n{to_text64(bytes(32))}\n",
        f"example.com/log\n{'9' * 30}\n{to_text64(bytes(32))}\n",
        f"example.com/log\n7\n{to_text64(bytes(31))}\n",
        f"\n7\n{to_text64(bytes(32))}\n",
        f"example.com/log\n7\n{to_text64(bytes(32))}\n\nmore\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        open_checkpoint(sign(text, KEY), KEYS)


def test_a_key_of_the_same_name_is_told_apart_by_its_id() -> None:
    stranger = VerifyKey(KEY.name, verify_key(OTHER).public)
    with pytest.raises(Malformed, match="known key"):
        open_note(sign("text\n", KEY), [stranger])
