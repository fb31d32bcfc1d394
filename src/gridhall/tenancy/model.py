"""Organisations and projects with their weights and quotas, and the tree that the kernels read."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridhall.kernel import Ints
from gridhall.tenancy.quota import UNLIMITED


@dataclass(frozen=True)
class Organisation:
    """An organisation: its weight in fair share, and its GPUs (None = no quota of its own)."""

    name: str
    weight: int = 100
    quota_gpus: int | None = None
    borrow_gpus: int | None = None
    lend_gpus: int | None = None


@dataclass(frozen=True)
class Project:
    """A project of an organisation. `borrow_gpus` and `lend_gpus` None = without limit."""

    name: str
    organisation: str
    weight: int = 100
    quota_gpus: int | None = None
    borrow_gpus: int | None = None
    lend_gpus: int | None = None


@dataclass(frozen=True)
class QuotaTree:
    """Columns of `QuotaColumns`, and the most GPUs that each node can ever have."""

    parent: Ints
    nominal: Ints
    borrow: Ints
    lend: Ints
    total: Ints
    guarantee: Ints
    most: Ints


@dataclass(frozen=True)
class Tenancy:
    """Everyone who may ask."""

    organisations: tuple[Organisation, ...]
    projects: tuple[Project, ...]

    def project_organisation(self) -> Ints:
        """Index of each project's organisation."""
        names = {each.name: place for place, each in enumerate(self.organisations)}
        return np.array([names[project.organisation] for project in self.projects], dtype=np.int64)

    def quota_tree(self, fleet_gpus: int) -> QuotaTree:
        """The compiled tree over a fleet of so many GPUs: the root, then organisations, then projects.

        What nobody was promised can be borrowed: the root's total is the fleet less what its organisations never lend.
        Where everything is lent, the root binds nobody, because the fleet itself does.
        """
        owners: Sequence[Organisation | Project] = [*self.organisations, *self.projects]
        parent = np.concatenate(
            ([-1], np.zeros(len(self.organisations), np.int64), 1 + self.project_organisation())
        ).astype(np.int64)
        nominal = np.array([0, *((each.quota_gpus or 0) for each in owners)], dtype=np.int64)
        lend = np.array([UNLIMITED, *(limit(each.lend_gpus) for each in owners)], dtype=np.int64)
        borrow = np.array([UNLIMITED, *(limit(each.borrow_gpus) for each in owners)], dtype=np.int64)
        total, guarantee = nominal.copy(), np.zeros_like(nominal)
        for node in range(len(parent) - 1, 0, -1):
            guarantee[node] = max(0, total[node] - lend[node])
            total[parent[node]] += total[node] - guarantee[node]
        promised = int(guarantee[1 : 1 + len(self.organisations)].sum())
        total[0] = max(int(total[0]), fleet_gpus - promised) if promised else UNLIMITED
        most = total.copy()
        for node in range(1, len(parent)):
            most[node] = min(total[node] + borrow[node], guarantee[node] + most[parent[node]])
        return QuotaTree(parent, nominal, borrow, lend, total, guarantee, most)


def limit(gpus: int | None) -> int:
    """A limit as the kernels read it."""
    return UNLIMITED if gpus is None else gpus


def even_tenancy(organisations: Sequence[str], projects: Sequence[str], project_organisation: Sequence[int]) -> Tenancy:
    """Everyone with the same weight and no quota."""
    return Tenancy(
        tuple(Organisation(name) for name in organisations),
        tuple(Project(name, organisations[owner]) for name, owner in zip(projects, project_organisation, strict=True)),
    )
