"""The log's key on disk: one line of text in a file that only its owner can read."""

import os
import secrets
from pathlib import Path

from gridhall.errors import fault
from gridhall.ledger.malformed import Malformed
from gridhall.ledger.note import SigningKey, check_name, read_skey, skey

OWNER_ONLY = 0o600
OTHERS = 0o077
LONGEST = 4096


def make_key(path: Path, name: str, seed: bytes = b"") -> SigningKey:
    """A new key under the log's name, or that of a seed, written to `path`.

    Raises InputError where there is a file already.
    """
    try:
        check_name(name)
    except Malformed as error:
        raise fault(str(path), "name", f"{name!r} {error}", "name the log like `example.com/ledger`") from error
    if not name.isascii():
        raise fault(str(path), "name", f"{name!r} is not ASCII", "name the log like `example.com/ledger`")
    key = SigningKey(name, seed or secrets.token_bytes(32))
    _write_once(path, f"{skey(key)}\n".encode())
    return key


def load_key(path: Path) -> SigningKey:
    """The key in a file. Raises InputError where there is none, or where others can read it."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(LONGEST)
    except OSError as error:
        raise fault(
            str(path), "", f"cannot be read: {error.strerror}", "make a key, or name the file of one"
        ) from error
    if mode & OTHERS:
        raise fault(str(path), "", f"can be used by others (mode {mode & 0o777:03o})", f"run `chmod 600 {path}`")
    try:
        return read_skey(data.decode("ascii").removesuffix("\n"))
    except (UnicodeDecodeError, Malformed) as error:
        raise fault(
            str(path), "", f"holds no key of a log: {error}", "put the right file back from a backup"
        ) from error


def _write_once(path: Path, data: bytes) -> None:
    """Under its name the file is there whole or not at all, and is never written over."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except FileExistsError as error:
        raise fault(str(path), "", "is there already", "use that key, or name another file") from error
    except OSError as error:
        raise fault(
            str(path), "", f"cannot be written: {error.strerror}", "name a file in a folder of yours"
        ) from error


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
