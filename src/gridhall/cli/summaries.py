"""Reading run summaries back: their figures by name, and how two of them differ."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from gridhall.errors import fault

LABELS = ("name", "site", "feed", "gpus", "reason", "month", "project")
"""Fields that name an entry of a list in a summary."""


def read_summary(run: Path) -> dict[str, Any]:
    """`summary.json` of a run folder. Raises InputError where there is none."""
    try:
        return cast("dict[str, Any]", json.loads((run / "summary.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        mend = "name a folder that `gridhall simulate` wrote, such as runs/laptop-seed1"
        raise fault(str(run), "summary.json", f"cannot be read: {error}", mend) from error


def figures(part: Any, name: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every figure below a part of a summary, with a dotted name."""
    if isinstance(part, dict):
        entries = cast("dict[str, Any]", part)
        if {"value", "unit", "basis"} <= entries.keys():
            yield name, entries
            return
        for key, child in entries.items():
            yield from figures(child, f"{name}.{key}" if name else key)
    elif isinstance(part, list):
        for number, child in enumerate(cast("list[Any]", part)):
            yield from figures(child, f"{name}[{_label(child, number)}]")


def _label(entry: Any, number: int) -> str:
    if not isinstance(entry, dict):
        return str(number)
    fields = cast("dict[str, Any]", entry)
    return next((fields[key] for key in LABELS if isinstance(fields.get(key), str)), str(number))


def differences(first: Mapping[str, Any], second: Mapping[str, Any], every: bool) -> list[dict[str, Any]]:
    """Figures of both summaries by name; `change` is relative to the first, None where that says nothing."""
    if not every:
        first, second = first["headline"], second["headline"]
    left, right = dict(figures(dict(first))), dict(figures(dict(second)))
    return [_difference(name, left.get(name), right.get(name)) for name in {**left, **right}]


def _difference(name: str, left: Mapping[str, Any] | None, right: Mapping[str, Any] | None) -> dict[str, Any]:
    values = [side["value"] if side else None for side in (left, right)]
    change = values[1] / values[0] - 1 if values[0] and values[1] is not None else None
    unit = (left or right or {})["unit"]
    return {"figure": name, "unit": unit, "values": values, "change": change}


def provenance_changes(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Settings of two runs that differ."""
    left, right = first["provenance"], second["provenance"]
    pairs = [(key, left.get(key), right.get(key)) for key in {**left, **right}]
    return [{"setting": key, "values": [a, b]} for key, a, b in pairs if a != b and key not in ("prices", "carbon")]
