"""What a fleet can take, over time: the online GPUs that arrivals follow and the gangs that fit.

A fleet is a build-out: racks come and go. Between two such moments (an epoch) nothing changes, so a job needs only its
epoch to know which sites could ever hold it.
"""

from dataclasses import dataclass

import numpy as np

from gridhall.units import HOUR_MS
from gridhall.work.hosts import Hosts, rack_gpus
from gridhall.work.table import Ints


@dataclass(frozen=True)
class Supply:
    """A fleet between two times, as the generator sees it. E epochs, S sites."""

    epoch_ms: Ints  # E; when each epoch begins
    online_gpus: Ints  # E
    site_block: Ints  # E * S; GPUs of the site's largest block of one hardware: the largest gang that it can hold
    gpu_ms: int  # GPU-time of racks that are online, over the whole span
    shares_gpus: bool  # some rack may divide GPUs between jobs

    def epoch_at(self, time_ms: Ints) -> Ints:
        """Epoch of each time."""
        return np.maximum(np.searchsorted(self.epoch_ms, time_ms, side="right") - 1, 0)


def supply(fleet: Hosts, start_ms: int, end_ms: int) -> Supply:
    """What `fleet` offers from `start_ms` to `end_ms`."""
    gpus = rack_gpus(fleet)
    opens = np.clip(fleet.rack_ready_from_ms, start_ms, end_ms)
    closes = np.clip(fleet.rack_ready_to_ms, opens, end_ms)
    epochs = np.unique(np.concatenate([[start_ms], opens, closes])).astype(np.int64)
    epochs = epochs[epochs < end_ms]
    sites = len(fleet.site_names)
    online = np.zeros(len(epochs), np.int64)
    block = np.zeros((len(epochs), sites), np.int64)
    for index, moment in enumerate(epochs):
        here = np.where((opens <= moment) & (moment < closes), gpus, 0)
        online[index] = here.sum()
        cells = np.bincount(fleet.rack_cell, here, len(fleet.cell_site)).astype(np.int64)
        np.maximum.at(block[index], fleet.cell_site, cells)
    return Supply(epochs, online, block, int((gpus * (closes - opens)).sum()), bool(fleet.rack_sharing.any()))


def hours(start_ms: int, end_ms: int) -> Ints:
    """Starts of the hours of the span, the first at `start_ms`."""
    return np.arange(start_ms, end_ms, HOUR_MS, dtype=np.int64)
