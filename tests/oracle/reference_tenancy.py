"""Quotas by recursion over a tree of owners: what `gridhall.tenancy.quota` counts up and down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gridhall.tenancy import Organisation, Project, Tenancy

UNLIMITED = 1 << 50


@dataclass(eq=False)
class Owner:
    """The fleet, an organisation or a project. `own` None = promised nothing; `borrow`, `lend` None = without limit."""

    parent: "Owner | None" = None
    own: int = 0
    borrow: int = UNLIMITED
    lend: int = UNLIMITED
    fleet_gpus: int = 0
    children: list["Owner"] = field(default_factory=list)
    version: int = 0

    @cached_property
    def total(self) -> int:
        """Its own GPUs and what its children lend; for the fleet: what its organisations do not keep for themselves."""
        lent = self.own + sum(child.total - child.kept for child in self.children)
        if self.parent is not None:
            return lent
        promised = sum(child.kept for child in self.children)
        return max(lent, self.fleet_gpus - promised) if promised else UNLIMITED

    @cached_property
    def kept(self) -> int:
        """GPUs that it never lends."""
        return max(0, self.total - self.lend)

    def used(self, charged: Mapping["Owner", int]) -> int:
        """GPUs that it and its children use, beyond what the children keep for themselves."""
        return charged.get(self, 0) + sum(max(0, child.used(charged) - child.kept) for child in self.children)

    def left(self, charged: Mapping["Owner", int]) -> int:
        """GPUs that it may still take: what it keeps, then what its parent has, as far as it may borrow."""
        used = self.used(charged)
        if self.parent is None:
            return self.total - used
        beyond = max(0, used - self.kept)
        may_borrow = self.total - self.kept - beyond + self.borrow
        return max(0, self.kept - used) + min(may_borrow, self.parent.left(charged))

    def most(self) -> int:
        """GPUs that it could have if nobody used any."""
        return self.left({})

    def over(self, charged: Mapping["Owner", int]) -> int:
        """GPUs that it and all below it use beyond what they may."""
        most = self.total + (self.borrow if self.parent is not None else 0)
        return max(0, self.used(charged) - most) + sum(child.over(charged) for child in self.children)

    def forget(self) -> None:
        """Work everything out anew, here and below, after a number has changed."""
        for name in ("total", "kept"):
            self.__dict__.pop(name, None)
        for child in self.children:
            child.forget()


def owners_of(tenancy: Tenancy, fleet_gpus: int) -> list[Owner]:
    """The owners behind the projects, in their order."""
    return tree_of(tenancy, fleet_gpus)[2]


def tree_of(tenancy: Tenancy, fleet_gpus: int) -> tuple[Owner, list[Owner], list[Owner]]:
    """The fleet as an owner, those behind the organisations, and those behind the projects."""
    root = Owner(fleet_gpus=fleet_gpus)
    organisations = {each.name: _owner(root, each) for each in tenancy.organisations}
    projects = [_owner(organisations[each.organisation], each) for each in tenancy.projects]
    return root, list(organisations.values()), projects


def new_owner(parent: Owner) -> Owner:
    """An owner with nothing of its own; borrows and lends without limit."""
    owner = Owner(parent)
    parent.children.append(owner)
    return owner


def _owner(parent: Owner, each: Organisation | Project) -> Owner:
    borrow = UNLIMITED if each.borrow_gpus is None else each.borrow_gpus
    lend = UNLIMITED if each.lend_gpus is None else each.lend_gpus
    owner = Owner(parent, each.quota_gpus or 0, borrow, lend)
    parent.children.append(owner)
    return owner
