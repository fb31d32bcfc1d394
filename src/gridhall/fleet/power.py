"""The power graph with every family of nodes written out: indexes, parents, limits and the path above each rack.

A feed's limit counts the whole site; what is kept here for it is the IT load that fits, `limit / pue`. Nodes below a
feed are taken to carry IT load only (cooling has its own branch).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridhall.fleet.arrays import MAX_POWER_PATH, Ints
from gridhall.fleet.models import Fleet, Site

FEED = "feed"
"""Kind of a power node that is a grid feed."""


@dataclass(frozen=True)
class Family:
    """Power nodes `first` to `first + count - 1`: what one name in a fleet file stands for."""

    first: int
    count: int

    def spread(self, things: int) -> Ints:
        """A member for each of `things`: evenly, in order."""
        return self.first + np.arange(things, dtype=np.int64) * self.count // max(things, 1)


@dataclass(frozen=True)
class PowerTable:
    """All power nodes of a fleet; `families[site][name]` finds what a name stands for."""

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    site: Ints
    parent: Ints  # -1 = a feed
    limit_w: Ints
    families: tuple[dict[str, Family], ...]

    @property
    def feed(self) -> Ints:
        """The feed above each node."""
        top = np.arange(len(self.parent), dtype=np.int64)
        while (self.parent[top] >= 0).any():
            top = np.where(self.parent[top] >= 0, self.parent[top], top)
        return top

    @property
    def depth(self) -> Ints:
        """Steps from each node up to its feed."""
        steps, above = np.zeros(len(self.parent), dtype=np.int64), self.parent.copy()
        while (above >= 0).any():
            steps += above >= 0
            above = np.where(above >= 0, self.parent[above], -1)
        return steps


def site_families(site: Site, first: int = 0) -> dict[str, Family]:
    """Names of a site's feeds, families and single members, numbered from `first`; a repeated name keeps its first."""
    families: dict[str, Family] = {}
    for name, count in [(feed.tag, 1) for feed in site.grid.feeds] + [(n.id, n.count) for n in site.power.nodes]:
        families.setdefault(name, Family(first, count))
        if count > 1:
            for member in range(count):
                families.setdefault(f"{name}-{member + 1}", Family(first + member, 1))
        first += count
    return families


def power_table(fleet: Fleet) -> PowerTable:
    """Write out the power nodes of a fleet whose graph has been checked."""
    names: list[str] = []
    kinds: list[str] = []
    limits: list[int] = []
    parents: list[int] = []
    sites: list[int] = []
    tables: list[dict[str, Family]] = []
    for index, site in enumerate(fleet.sites):
        families = site_families(site, len(names))
        for feed in site.grid.feeds:
            names.append(f"{site.id}/{feed.tag}")
            limits.append(int(feed.limit_mw.value * 1e6 / site.pue.value + 1e-6))
            kinds.append(FEED)
            parents.append(-1)
        for node in site.power.nodes:
            members = [node.id] if node.count == 1 else [f"{node.id}-{i + 1}" for i in range(node.count)]
            names.extend(f"{site.id}/{member}" for member in members)
            limits.extend([node.limit_w] * node.count)
            kinds.extend([node.kind] * node.count)
            parents.extend(families[node.parent].spread(node.count).tolist())
        sites.extend([index] * (len(names) - len(sites)))
        tables.append(families)
    return PowerTable(tuple(names), tuple(kinds), _ints(sites), _ints(parents), _ints(limits), tuple(tables))


def nodes_above(table: PowerTable, attached: Sequence[Ints]) -> Ints:
    """Racks x nodes: the power nodes above each rack, farthest from the feed first, each once, then -1.

    `attached` holds, for each path, the node that each rack hangs from (-1 = the rack has no such path).
    """
    columns: list[Ints] = []
    for nodes in attached:
        above = nodes
        while (above >= 0).any():
            columns.append(above)
            above = np.where(above >= 0, table.parent[above], -1)
    nodes = np.stack(columns, axis=1)
    repeated = np.zeros(nodes.shape, dtype=np.bool_)
    for column in range(1, nodes.shape[1]):
        repeated[:, column] = (nodes[:, :column] == nodes[:, column, None]).any(axis=1)
    absent = repeated | (nodes < 0)
    order = np.argsort(np.where(absent, 1, -table.depth[nodes]), axis=1, kind="stable")
    return np.take_along_axis(np.where(absent, -1, nodes), order, axis=1)


def rack_paths(table: PowerTable, attached: Sequence[Ints]) -> Ints:
    """Racks x MAX_POWER_PATH: `nodes_above` of a fleet in which no path is longer than that."""
    nodes = nodes_above(table, attached)
    paths = np.full((len(nodes), MAX_POWER_PATH), -1, dtype=np.int64)
    width = min(MAX_POWER_PATH, nodes.shape[1])
    paths[:, :width] = nodes[:, :width]
    return paths


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)
