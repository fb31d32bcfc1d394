"""GPU models named by a trace, matched with the hardware types of a fleet."""

import re
from functools import cache

import polars as pl

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


def hardware_column(models: pl.Expr, hosts: Hosts | None) -> pl.Expr:
    """`hardware_mask` of every row; each distinct text is matched once."""

    @cache
    def mask(text: str | None) -> int:
        return hardware_mask(text, hosts)

    return models.fill_null("").map_elements(mask, return_dtype=pl.Int64)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
