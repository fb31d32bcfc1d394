"""A fleet as a file again: figures without a source become bare numbers, defaults are left out."""

from pathlib import Path
from typing import Any, cast

import yaml

from gridhall.fleet.models import Fleet


def dump_fleet(fleet: Fleet, path: str | Path | None = None, *, comment: str = "") -> str:
    """The fleet as YAML text that `load_fleet` reads back to an equal fleet; also written to `path` if given.

    `comment` is put at the top, line by line.
    """
    data = _short(fleet.model_dump(by_alias=True, exclude_defaults=True))
    body = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)
    head = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    if path is not None:
        Path(path).write_text(head + body, encoding="utf-8")
    return head + body


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        entries = cast(dict[str, Any], value)
        if set(entries) == {"value"}:
            return _number(entries["value"])
        return {key: _short(child) for key, child in entries.items()}
    if isinstance(value, list | tuple):
        return [_short(child) for child in cast(list[Any], value)]
    return _number(value)


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
