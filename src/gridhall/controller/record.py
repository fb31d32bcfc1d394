"""Recording: the events of a run on disk, with what is needed to feed them again.

A recording is a folder: `header.json` (format, the hash of the kernels that decided, sizes of the state, and what its
owner says about it), `start.npz` (every column of the state before the first event), event batches
`events-000001.npy` in order, and `end.json` with what a replay must arrive at. No event is ever rewritten.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gridhall.controller import step
from gridhall.controller.events import EVENT_WIDTH, GROW
from gridhall.controller.state import ControllerState, snapshot
from gridhall.kernel import Ints
from gridhall.kernel.cache import source_key

FORMAT = "gridhall-recording/1"


class Recorder:
    """Writes a recording, batch by batch. `about` is kept in the header for people: policy, tenancy and the like."""

    def __init__(self, folder: Path, w: ControllerState, about: Mapping[str, object]) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._batches = 0
        self._events = 0
        self._sum = hashlib.sha256()
        columns: dict[str, Any] = dict(snapshot(w))
        np.savez_compressed(folder / "start.npz", **columns)
        header = {"format": FORMAT, "kernels": kernels_hash(), "sizes": w.sizes, "about": dict(about)}
        (folder / "header.json").write_text(json.dumps(header, indent=1), encoding="utf-8")

    def write(self, events: Ints) -> None:
        """Append a batch of event rows."""
        self._batches += 1
        self._events += len(events)
        self._sum.update(np.ascontiguousarray(events).tobytes())
        np.save(self._folder / f"events-{self._batches:06d}.npy", events)

    def grown(self, time_ms: int, slots: int) -> None:
        """Note that the state has room for so many jobs from here on: its hash covers the room as well."""
        row = np.zeros((1, EVENT_WIDTH), dtype=np.int64)
        row[0, :3] = GROW, time_ms, slots
        self.write(row)

    def close(self, w: ControllerState) -> None:
        """Write what a replay must arrive at."""
        end = {
            "events": self._events,
            "events_sha256": self._sum.hexdigest(),
            "digest": effect_digest(w),
            "state_hash": w.digest(),
        }
        (self._folder / "end.json").write_text(json.dumps(end, indent=1), encoding="utf-8")


def kernels_hash() -> str:
    """Hash over the sources of `step` and of everything that it calls, and over the compiler's versions."""
    return source_key(Path(step.__file__))


def effect_digest(w: ControllerState) -> str:
    """The running digest of all effects, as sixteen hexadecimal digits."""
    return f"{int(w.effect_digest[0]):08x}{int(w.effect_digest[1]):08x}"
