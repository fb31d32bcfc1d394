"""From what an attempt left behind to the report of its end. Pure, but for looking at the checkpoints' times."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gridhall.engines.protocol import AttemptKey, Ended, Lost, Stopped

End = Ended | Stopped | Lost
KINDS: Mapping[str, type[Ended] | type[Stopped] | type[Lost]] = {"ended": Ended, "stopped": Stopped, "lost": Lost}
FILES = 100_000
"""How many checkpoint files are looked at; a job cannot keep the engine busy with more."""


def verdict(key: AttemptKey, end: Mapping[str, Any], saved_ms: int) -> End:
    """The report of an end that the shim wrote; `saved_ms` is the useful work saved in all."""
    if end["cause"] == "stop":
        return Stopped(key, end["ended_ms"], saved_ms)
    return Ended(key, end["ended_ms"], end["code"], end["ran_ms"], timed_out=end["cause"] == "limit")


def saved_in_all(before_ms: int, began_ms: int, ran_ms: int, newest_ms: int) -> int:
    """Useful work saved: what earlier attempts saved, and of this one what lies before its newest checkpoint file."""
    return before_ms + max(0, min(newest_ms - began_ms, ran_ms))


def newest_ms(checkpoints: Path) -> int:
    """When the newest file in a folder was last changed, in ms UTC; 0 when there is none."""
    newest, seen = 0, 0
    for folder, _, names in os.walk(checkpoints):
        for name in names:
            seen += 1
            try:
                newest = max(newest, os.lstat(os.path.join(folder, name)).st_mtime_ns // 1_000_000)
            except OSError:
                continue
        if seen > FILES:
            break
    return newest


def report_words(end: End) -> dict[str, Any]:
    """A report as it is written down."""
    kind = next(kind for kind, made in KINDS.items() if isinstance(end, made))
    fields = {name: getattr(end, name) for name in end.__slots__ if name != "key"}
    return {"kind": kind, **fields}


def report_of(key: AttemptKey, words: Mapping[str, Any]) -> End:
    """The report that was written down."""
    return KINDS[words["kind"]](key, **{name: value for name, value in words.items() if name != "kind"})


def reason(state: Mapping[str, Any] | None, boot: str) -> str:
    """Why an attempt without an end is gone; `boot` is the machine's present one."""
    if state is None:
        return "the server or the machine went down before the gang began"
    if state["boot"] != boot:
        return "the machine was restarted"
    return "the gang's parent process was killed"
