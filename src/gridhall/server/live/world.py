"""What the loop has in memory: the core's state, the jobs that the core holds, and everything else that is named.

All of it is what the store holds, read once; when a transaction fails the world is thrown away and read again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gridhall.controller.state import ControllerState
from gridhall.money.attribution import SiteEnergy
from gridhall.server.live.fleet_map import FleetMap
from gridhall.server.live.metering import Meters
from gridhall.server.live.work import Job

EPOCHS_A_RESTORE = 1_000_000
"""By how much a restore lets the epoch jump: beyond all that a server can have led since the backup."""
JOBS_A_RESTORE = 1 << 40
"""The numbers of jobs that belong to what was decided between two restores."""


@dataclass(slots=True)
class Resource:
    """An object that is neither a job nor part of the fleet: organisation, project, user, quota, reservation ...

    `number` is the core's index where it has one. `spec` and `status` are JSON objects. `deleted_ms` 0 = it is there.
    """

    id: str
    kind: str
    name: str
    organisation: str
    project: str
    created_ms: int
    created_by: str
    modified_ms: int
    spec: dict[str, object]
    status: dict[str, object] = field(default_factory=dict[str, object])
    number: int = 0
    version: int = 1
    deleted_ms: int = 0


class Directory:
    """All resources by id and by kind."""

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self._by_id: dict[str, Resource] = {}
        self._by_kind: dict[str, dict[str, Resource]] = {}
        for resource in resources:
            self.put(resource)

    def put(self, resource: Resource) -> None:
        """Add a resource, or replace the one of that id."""
        self._by_id[resource.id] = resource
        self._by_kind.setdefault(resource.kind, {})[resource.id] = resource

    def get(self, kind: str, id: str) -> Resource | None:
        """The resource of that kind and id, unless it was deleted."""
        found = self._by_id.get(id)
        return found if found is not None and found.kind == kind and not found.deleted_ms else None

    def all(self, kind: str, deleted: bool = False) -> Iterator[Resource]:
        """Every resource of a kind, in the order of their making."""
        return (each for each in self._by_kind.get(kind, {}).values() if deleted or not each.deleted_ms)

    def named(self, kind: str, name: str) -> Resource | None:
        """The first of a kind with that name."""
        return next((each for each in self.all(kind) if each.name == name), None)


@dataclass(slots=True)
class World:
    """`next_order` is the next free number of an order, `decisions` the number of events decided so far."""

    fleet: FleetMap
    state: ControllerState
    jobs: dict[int, Job]
    directory: Directory
    epoch: int
    next_order: int
    decisions: int
    job_of_id: dict[str, int] = field(default_factory=dict[str, int])
    """The numbers of the jobs that the core holds, by id."""
    engine_of_site: dict[str, str] = field(default_factory=dict[str, str])
    energy: dict[str, SiteEnergy] = field(default_factory=dict[str, SiteEnergy])
    """What is known about the energy of sites, by site id."""

    @property
    def meters(self) -> Meters:
        """How its attempts are metered."""
        return Meters(self.fleet, self.energy)

    @property
    def next_job(self) -> int:
        """The core's number for the job whose submission is decided next.

        After a restore engines may hold jobs that were decided after the backup: their numbers are not given out again.
        """
        return self.decisions + 1 + self.epoch // EPOCHS_A_RESTORE * JOBS_A_RESTORE

    def job_named(self, id: str) -> Job | None:
        """A job that the core holds, by its id."""
        number = self.job_of_id.get(id)
        return None if number is None else self.jobs[number]
