"""The key file: only its owner can read it, and it is never written over."""

from pathlib import Path

import pytest

from gridhall.errors import InputError
from gridhall.ledger.keys import load_key, make_key
from gridhall.ledger.note import open_note, sign, verify_key


def test_a_key_is_loaded_as_it_was_made(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key", "example.com/log")
    assert load_key(tmp_path / "key") == key
    assert open_note(sign("text\n", key), [verify_key(key)]) == "text\n"


def test_two_keys_are_not_alike(tmp_path: Path) -> None:
    assert make_key(tmp_path / "a", "log") != make_key(tmp_path / "b", "log")


def test_only_the_owner_can_read_it_and_no_draft_is_left(tmp_path: Path) -> None:
    make_key(tmp_path / "key", "log")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_key_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    make_key(tmp_path / "key", "log")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(InputError, match="chmod 600"):
        load_key(tmp_path / "key")


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key", "log")
    with pytest.raises(InputError, match="is there already"):
        make_key(tmp_path / "key", "log")
    assert load_key(tmp_path / "key") == key
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "münchen"])
def test_a_name_that_no_note_can_carry_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="name the log like"):
        make_key(tmp_path / "key", name)


@pytest.mark.parametrize("data", [b"", b"hello\n", b"\xff", b"PRIVATE+KEY+a+00000000+AAAA\n"])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "key").write_bytes(data)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(InputError, match="holds no key"):
        load_key(tmp_path / "key")


def test_a_missing_file_or_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_key(tmp_path / "key")
    with pytest.raises(InputError, match="cannot be written"):
        make_key(tmp_path / "none" / "key", "log")
