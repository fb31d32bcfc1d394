"""GPU models named by a trace, matched with the hardware types of a fleet."""

import re

from gridhall.work.hosts import Hosts
from gridhall.work.table import ANYWHERE


def hardware_mask(models: str | None, hosts: Hosts | None) -> int:
    """Mask of the fleet's hardware whose name contains one of the models (separated by `|`), letters and digits only.

    ANYWHERE where no model is named, no fleet is given, or the fleet has none of them: a trace of one cluster is often
    run on another, and its wish then means nothing.
    """
    if not models or hosts is None:
        return ANYWHERE
    wanted = [_plain(model) for model in models.split("|") if _plain(model)]
    mask = 0
    for index, name in enumerate(hosts.hw_names):
        if any(model in _plain(name) for model in wanted):
            mask |= 1 << index
    return mask or ANYWHERE


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
