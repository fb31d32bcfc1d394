"""Organisations and projects: made, changed and closed, each by a TENANT event that the core answers."""

from dataclasses import dataclass, replace

from gridhall.controller.events import ORGANISATION, PROJECT, TENANT
from gridhall.controller.live import row
from gridhall.server.live.draft import Draft, Refusal
from gridhall.server.live.resources import changed, made, removed
from gridhall.server.live.world import Resource, World
from gridhall.server.tenants.core import tell_core

LEVELS = {"organisation": ORGANISATION, "project": PROJECT}
CLOSED = 0
"""The weight of an organisation or project that takes no more work."""


@dataclass(frozen=True, slots=True)
class MakeTenant:
    """An organisation or a project comes to be, as the next that the core has room for."""

    new: Resource

    def plan(self, world: World, now_ms: int) -> Resource:
        """What it will be."""
        number, room = next_number(world, self.new.kind)
        if self.new.kind == "project" and world.directory.get("organisation", self.new.organisation) is None:
            raise Refusal(404, "not-found", f"there is no organisation {self.new.organisation}")
        planned = made(world, replace(self.new, number=number, created_ms=now_ms, modified_ms=now_ms))
        if number >= room:
            raise Refusal(507, "no-room", f"this server has room for {room} {self.new.kind}s")
        return planned

    def decide(self, draft: Draft) -> Resource:
        """The new one."""
        planned = self.plan(draft.world, draft.now_ms)
        set_weight(draft, planned, weight_of(planned))
        draft.put(planned)
        return planned


@dataclass(frozen=True, slots=True)
class ChangeTenant:
    """An organisation or a project gets another name or weight."""

    kind: str
    id: str
    expected: int | None
    name: str
    spec: dict[str, object]

    def plan(self, world: World, now_ms: int) -> Resource:
        """What it will be."""
        return changed(world, self.kind, self.id, self.expected, now_ms, self.name, self.spec)

    def decide(self, draft: Draft) -> Resource:
        """What it is afterwards."""
        planned = self.plan(draft.world, draft.now_ms)
        set_weight(draft, planned, weight_of(planned))
        draft.put(planned)
        return planned


@dataclass(frozen=True, slots=True)
class CloseTenant:
    """An organisation without projects, or a project without live jobs, takes no more work from now on."""

    kind: str
    id: str
    expected: int | None

    def plan(self, world: World, now_ms: int) -> Resource:
        """Its tombstone."""
        planned = removed(world, self.kind, self.id, self.expected, now_ms)
        if self.kind == "organisation":
            projects = [each.id for each in world.directory.all("project") if each.organisation == self.id]
            if projects:
                raise Refusal(409, "in-use", f"{self.id} has {len(projects)} projects: delete them first")
        jobs = live_jobs(world, planned)
        if jobs:
            raise Refusal(409, "in-use", f"{self.id} has {jobs:,} jobs that wait or run: cancel them first")
        return planned

    def decide(self, draft: Draft) -> Resource:
        """Its tombstone."""
        planned = self.plan(draft.world, draft.now_ms)
        set_weight(draft, planned, CLOSED)
        draft.put(planned)
        return planned


def next_number(world: World, kind: str) -> tuple[int, int]:
    """The core's next index of a kind, and how many it has room for."""
    w = world.state
    if kind == "organisation":
        return int(w.n_organisations[0]), w.sizes["organisations"]
    return int(w.n_projects[0]), w.sizes["projects"]


def set_weight(draft: Draft, tenant: Resource, weight: int) -> None:
    """Tell the core."""
    parent = 0
    if tenant.kind == "project":
        owner = draft.world.directory.get("organisation", tenant.organisation)
        parent = owner.number if owner is not None else 0
    tell_core(draft, row(TENANT, draft.now_ms, LEVELS[tenant.kind], tenant.number, parent, weight))


def weight_of(tenant: Resource) -> int:
    """Its weight."""
    weight = tenant.spec.get("weight", 100)
    assert isinstance(weight, int)
    return weight


def live_jobs(world: World, tenant: Resource) -> int:
    """How many of its jobs wait or run."""
    if tenant.kind == "organisation":
        return sum(1 for job in world.jobs.values() if job.organisation == tenant.id)
    return sum(1 for job in world.jobs.values() if job.project == tenant.id)
