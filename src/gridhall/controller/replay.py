"""Replay: recorded events fed to `step` again, in one compiled loop; the effects and the state must come out the same.

Kernels that have changed since may decide otherwise with good reason. Their results are "not comparable" with the
recording, unless they agree all the same.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from gridhall.controller.feed import FOREVER_MS, BatchColumns, feed_batch
from gridhall.controller.record import FORMAT, effect_digest, kernels_hash
from gridhall.controller.restore import restore
from gridhall.controller.state import ControllerState
from gridhall.errors import fault
from gridhall.kernel import Ints

BATCH = 16_384
MEND = "record the run again with `gridhall simulate --record`"

OnProgress = Callable[[int, int], None]
"""Told the number of events fed so far, and of all."""


@dataclass(frozen=True)
class ReplayResult:
    """What a replay arrived at, beside what the recording says."""

    events: int
    digest: str
    state_hash: str
    expected_digest: str
    expected_state_hash: str
    same_kernels: bool

    @property
    def matches(self) -> bool:
        """Whether all effects and the state came out as recorded."""
        return (self.digest, self.state_hash) == (self.expected_digest, self.expected_state_hash)

    @property
    def verdict(self) -> Literal["same", "different", "not comparable"]:
        """`not comparable` where other kernels decided and the results differ."""
        return "same" if self.matches else "different" if self.same_kernels else "not comparable"


def replay(recording: Path, on_progress: OnProgress | None = None) -> ReplayResult:
    """Feed a whole recording. Raises InputError for a folder that is no finished, unaltered recording."""
    header, end = _read(recording, "header.json"), _read(recording, "end.json")
    _check(recording, end)
    w = _feed_all(recording, header, FOREVER_MS, int(end["events"]), on_progress)
    return ReplayResult(
        events=int(end["events"]),
        digest=effect_digest(w),
        state_hash=w.digest(),
        expected_digest=str(end["digest"]),
        expected_state_hash=str(end["state_hash"]),
        same_kernels=header["kernels"] == kernels_hash(),
    )


def state_at(recording: Path, time_ms: int) -> ControllerState:
    """The state after every recorded event before a time. Raises InputError as `replay` does."""
    header, end = _read(recording, "header.json"), _read(recording, "end.json")
    _check(recording, end)
    return _feed_all(recording, header, time_ms, int(end["events"]), None)


def _feed_all(
    recording: Path, header: dict[str, Any], until_ms: int, total: int, on_progress: OnProgress | None
) -> ControllerState:
    with np.load(recording / "start.npz") as columns:
        w = restore(header["sizes"], {name: columns[name] for name in columns.files})
    inbox = BatchColumns({"rows": BATCH, "effects": 0})
    fed = 0
    for rows in _batches(recording):
        w, done = feed_batch(w, inbox, rows, until_ms)
        fed += done
        if on_progress is not None:
            on_progress(fed, total)
        if done < len(rows):
            break
    return w


# --- reading --------------------------------------------------------------------------------------------------------


def _read(recording: Path, name: str) -> dict[str, Any]:
    path = recording / name
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise fault(str(path), "", f"is no part of a finished recording: {error}", MEND) from error
    if name == "header.json" and document.get("format") != FORMAT:
        raise fault(str(path), "format", f"{document.get('format')!r} is not {FORMAT!r}", MEND)
    return cast("dict[str, Any]", document)


def _check(recording: Path, end: dict[str, Any]) -> None:
    """Nothing is fed to the kernels that the recorder did not write: they trust the indexes in events."""
    total = hashlib.sha256()
    for rows in _batches(recording):
        total.update(rows.tobytes())
    if total.hexdigest() != end["events_sha256"]:
        raise fault(str(recording), "events", "are not those that were recorded: a file is lost or was changed", MEND)


def _batches(recording: Path) -> Iterator[Ints]:
    return (np.load(path) for path in sorted(recording.glob("events-*.npy")))
