"""A draft: what some changes have decided and what is to be written for it, before any of it is durable.

Everything on a draft becomes durable in one transaction, or nothing does. `step` is the only door to the core.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from gridhall.controller.events import GROW
from gridhall.controller.live import Effect, effects_of, is_full, row
from gridhall.controller.state import grow_state
from gridhall.controller.step import step
from gridhall.kernel import Ints
from gridhall.ledger.entries import Decision, Entry, Part, body
from gridhall.server.live.work import Attempt, Job
from gridhall.server.live.world import Resource, World

ENTRY_EFFECTS = 500
"""Most effects that one entry names: the largest take some hundred bytes, and an entry at most 60,000."""


class Refusal(Exception):
    """A change that cannot be: an HTTP status, a reason from a closed list, and a sentence for people.

    Raised before anything was changed. `nearest` has the nearest thing that could be, by the problem's field names.
    """

    def __init__(self, status: int, reason: str, detail: str, nearest: Mapping[str, int] = {}) -> None:
        self.status, self.reason, self.detail, self.nearest = status, reason, detail, nearest
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order in the outbox: `kind` is start, pause, resume, stop or forget.

    `body` has what the job's own row does not say.
    """

    number: int
    job: int
    attempt: int
    kind: str
    engine: str
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what, on what, with which result."""

    entry: int
    time_ms: int
    principal: str
    organisation: str
    project: str
    verb: str
    kind: str
    object: str
    result: str
    address: str


@dataclass
class Draft:
    """Begun on a world at a time; `first` is the place in the log that its first entry will have."""

    world: World
    now_ms: int
    first: int
    entries: list[bytes] = field(default_factory=list[bytes])
    new_jobs: dict[int, Job] = field(default_factory=dict[int, Job])
    changed_jobs: dict[int, Job] = field(default_factory=dict[int, Job])
    new_attempts: dict[tuple[int, int], Attempt] = field(default_factory=dict[tuple[int, int], Attempt])
    changed_attempts: dict[tuple[int, int], Attempt] = field(default_factory=dict[tuple[int, int], Attempt])
    closed: list[Attempt] = field(default_factory=list[Attempt])
    orders: list[OrderRow] = field(default_factory=list[OrderRow])
    delivered: list[int] = field(default_factory=list[int])
    resources: dict[str, Resource] = field(default_factory=dict[str, Resource])
    audits: list[AuditRow] = field(default_factory=list[AuditRow])
    rows: list[tuple[str, dict[str, object]]] = field(default_factory=list[tuple[str, dict[str, object]]])
    """Rows of other tables (token, idempotency), to be inserted or replaced."""
    commit_s: float = 0.0
    """How long it took to make it durable, once it is."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        written = (self.entries, self.delivered, self.changed_jobs, self.changed_attempts, self.resources, self.rows)
        return not any(written)

    @property
    def next_entry(self) -> int:
        """The place in the log that the next entry will have."""
        return self.first + len(self.entries)

    def step(self, event: Ints, commitment: str = "") -> list[Effect]:
        """Let the core decide on an event; event, effects and the commitment to a tenant's text go to the log."""
        world = self.world
        if is_full(world.state):
            self._grow()
        world.state.event[:] = event
        effects = effects_of(world.state, step(world.state.handle))
        self._record(event, effects, commitment)
        return effects

    def _grow(self) -> None:
        slots = 2 * int(self.world.state.n_slots[0])
        self.world.state = grow_state(self.world.state, slots)
        self._record(row(GROW, self.now_ms, slots), [], "")

    def _record(self, event: Ints, effects: list[Effect], commitment: str) -> None:
        world = self.world
        low, high = int(world.state.effect_digest[0]), int(world.state.effect_digest[1])
        seq, epoch, last = world.decisions, world.epoch, len(effects) // ENTRY_EFFECTS * ENTRY_EFFECTS
        for first in range(0, last, ENTRY_EFFECTS):
            self.write(Part(seq, epoch, effects[first : first + ENTRY_EFFECTS]))
        self.write(Decision(seq, epoch, event.tolist(), effects[last:], (low, high), commitment))
        world.decisions += 1

    def write(self, entry: Entry) -> int:
        """Write an entry to the log; its place there."""
        self.entries.append(body(entry))
        return self.next_entry - 1

    def put(self, resource: Resource) -> None:
        """Write a resource; others on this draft see it at once."""
        self.world.directory.put(resource)
        self.resources[resource.id] = resource

    def order(self, job: Job, attempt: int, kind: str, engine: str, **body: object) -> None:
        """Put an order into the outbox."""
        self.orders.append(OrderRow(self.world.next_order, job.number, attempt, kind, engine, body))
        self.world.next_order += 1

    def add_job(self, job: Job) -> None:
        """Write a job that the core has just accepted."""
        self.world.jobs[job.number] = job
        self.world.job_of_id[job.id] = job.number
        self.new_jobs[job.number] = job

    def touch(self, job: Job) -> None:
        """Write a job again."""
        if job.number not in self.new_jobs:
            job.version += 1
            self.changed_jobs[job.number] = job

    def touch_attempt(self, attempt: Attempt) -> None:
        """Write an attempt again."""
        key = (attempt.job, attempt.attempt)
        if key not in self.new_attempts:
            self.changed_attempts[key] = attempt


@lru_cache(65_536)
def stable_number(text: str) -> int:
    """A number of 31 bits for a text: how users and job names reach the core's predictor."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1
