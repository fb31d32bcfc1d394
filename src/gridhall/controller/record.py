"""Recording: the events of a run on disk, with what is needed to feed them again.

A recording is a folder: `header.json`, `fleet.npz`, event batches `events-0001.npy` in order, and `end.json` with the digest of
all effects and the hash of the state they led to.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np

from gridhall.controller.state import ControllerState
from gridhall.fleet.arrays import FleetArrays
from gridhall.kernel import Ints
from gridhall.scheduling.policy import Policy
from gridhall.tenancy import Tenancy

FORMAT = "gridhall-recording/1"


class Recorder:
    """Writes a recording, batch by batch."""

    def __init__(self, folder: Path, fleet: FleetArrays, tenancy: Tenancy, policy: Policy) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.batches = 0
        values = {item.name: np.asarray(getattr(fleet, item.name)) for item in dataclasses.fields(fleet)}
        np.savez_compressed(folder / "fleet.npz", **values)
        header = {
            "format": FORMAT,
            "tenancy": dataclasses.asdict(tenancy),
            "policy": policy.model_dump(),
        }
        (folder / "header.json").write_text(json.dumps(header, indent=1), encoding="utf-8")

    def write(self, events: Ints) -> None:
        """Append a batch of event rows."""
        self.batches += 1
        np.save(self.folder / f"events-{self.batches:06d}.npy", events)

    def close(self, w: ControllerState) -> None:
        """Write what a replay must arrive at."""
        end = {"digest": effect_digest(w), "state_hash": w.digest()}
        (self.folder / "end.json").write_text(json.dumps(end, indent=1), encoding="utf-8")


def effect_digest(w: ControllerState) -> str:
    """The running digest of all effects, as sixteen hexadecimal digits."""
    return f"{int(w.effect_digest[0]):08x}{int(w.effect_digest[1]):08x}"
