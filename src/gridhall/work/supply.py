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
    sharing_sites: Ints  # E; mask of the sites with racks that may divide GPUs between jobs

    @property
    def shares_gpus(self) -> bool:
        """Whether any GPU may ever be divided."""
        return bool(self.sharing_sites.any())

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
    sharing = np.zeros(len(epochs), np.int64)
    rack_bit = np.int64(1) << fleet.cell_site[fleet.rack_cell]
    for index, moment in enumerate(epochs):
        here = np.where((opens <= moment) & (moment < closes), gpus, 0)
        online[index] = here.sum()
        cells = np.bincount(fleet.rack_cell, here, len(fleet.cell_site)).astype(np.int64)
        np.maximum.at(block[index], fleet.cell_site, cells)
        sharing[index] = np.bitwise_or.reduce(np.where((here > 0) & (fleet.rack_sharing == 1), rack_bit, 0))
    return Supply(epochs, online, block, int((gpus * (closes - opens)).sum()), sharing)


def hours(start_ms: int, end_ms: int) -> Ints:
    """Starts of the hours of the span, the first at `start_ms`."""
    return np.arange(start_ms, end_ms, HOUR_MS, dtype=np.int64)
