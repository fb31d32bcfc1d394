"""Records of an attempt on disk: whole or not there, and durable when a write returns."""

import contextlib
import json
import os
from typing import Any


def write(folder: str, name: str, record: dict[str, Any]) -> None:
    """Put a record in place of the one of that name."""
    target = os.path.join(folder, name)
    descriptor = os.open(target + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(record, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(target + ".new", target)
    sync(folder)


def read(folder: str, name: str) -> dict[str, Any]:
    """The record of that name."""
    with open(os.path.join(folder, name), encoding="ascii") as file:
        return json.load(file)


def read_or_none(folder: str, name: str) -> dict[str, Any] | None:
    """The record of that name, or None when there is none."""
    with contextlib.suppress(FileNotFoundError):
        return read(folder, name)
    return None


def sync(folder: str) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
