"""Who sets organisations, projects, quotas, ceilings and standing in a live world, sometimes on old knowledge."""

from collections import defaultdict
from collections.abc import Sequence
from random import Random

from gridhall.controller import events as ev
from gridhall.scheduling import decisions as d
from tests.oracle.cases import Case

Event = tuple[int, ...]
VERSIONED = {ev.QUOTA: 4, ev.CEILING: 5}
"""Where the expected version stands in a row; the fields before it say of what."""


class Clerk:
    """Events about owners; `read` tells it the answers, from which it knows versions and who there is."""

    def __init__(self, case: Case, rng: Random) -> None:
        self.rng = rng
        self.known = [len(case.tenancy.organisations), len(case.tenancy.projects)]
        self.gpus = case.fleet.gpus
        self.watts = int(sum(case.fleet.power_limit_w)) // 4
        self.hardware = len(case.fleet.hw_names)
        self.parents = [int(parent) for parent in case.tenancy.project_organisation()]
        self.versions: dict[Event, int] = defaultdict(int)

    def next_event(self, now_ms: int) -> Event:
        kind, *fields = self.rng.choice([self.tenant, self.quota, self.quota, self.ceiling, self.standing])()
        return kind, now_ms, *fields

    def read(self, event: Sequence[int], answer: Sequence[int]) -> None:
        """Remember the version that stands, and an owner that is new."""
        kind, _, *fields = event
        if kind in VERSIONED:
            self.versions[(kind, *fields[: VERSIONED[kind] - 2])] = answer[6]
        if kind == ev.TENANT and answer[0] == d.SET and fields[1] == self.known[fields[0]]:
            self.known[fields[0]] += 1
            self.parents += [fields[2]] if fields[0] == ev.PROJECT else []

    def owner(self) -> tuple[int, int]:
        """A level and an owner, now and then one that there is not."""
        level = self.rng.choice([ev.ORGANISATION, ev.PROJECT])
        return level, self.rng.randrange(self.known[level]) if self.rng.random() < 0.97 else self.known[level] + 3

    def expected(self, *what: int) -> int:
        return self.versions[what] + (self.rng.random() < 0.1)

    def tenant(self) -> Event:
        level, owner = self.owner()
        if self.rng.random() < 0.5:
            owner = self.known[level]
        parent = self.rng.randrange(self.known[0])
        if level == ev.PROJECT and owner < len(self.parents) and self.rng.random() < 0.9:
            parent = self.parents[owner]
        return ev.TENANT, level, owner, parent, self.rng.choice([0, 1, 50, 100, 100, -1])

    def quota(self) -> Event:
        level, owner = self.owner()
        nominal = self.rng.choice([0, self.rng.randint(0, self.gpus), self.gpus])
        more = [self.rng.choice([-1, -1, 0, self.rng.randint(0, self.gpus)]) for _ in range(2)]
        return ev.QUOTA, level, owner, self.expected(ev.QUOTA, level, owner), nominal, *more

    def ceiling(self) -> Event:
        level, owner = self.owner()
        kind = self.rng.randint(-1, self.hardware - (self.rng.random() < 0.95))
        most = self.rng.randint(0, self.watts if kind < 0 else self.gpus)
        most = self.rng.choice([-1, most, most])
        return ev.CEILING, level, owner, kind, self.expected(ev.CEILING, level, owner, kind), most

    def standing(self) -> Event:
        project = self.rng.randrange(self.known[1])
        return ev.STANDING, project, self.rng.choice([0, 0, 0, 1, 2, 2, 3])
