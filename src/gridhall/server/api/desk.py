"""The desk: what all requests share."""

from dataclasses import dataclass, field

from gridhall.server.api.denials import Denials
from gridhall.server.identity.register import Register
from gridhall.server.live.service import Service

MOST_ANSWERS = 10_000
"""Idempotency keys that are held in memory: more than can be between a look into the store and a decision."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is kept under an idempotency key."""

    request_sha256: str
    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Declared:
    """What a route declares: the right that it needs, the names of its query parameters, and whether it writes."""

    verb: str
    kind: str
    names: frozenset[str]
    writes: bool


@dataclass
class Desk:
    """`answers` are the last ones by principal and idempotency key, oldest first; `declared` is by endpoint."""

    service: Service
    register: Register
    denials: Denials
    answers: dict[tuple[str, str], Kept] = field(default_factory=dict[tuple[str, str], Kept])
    declared: dict[object, Declared] = field(default_factory=dict[object, Declared])

    async def begin_again(self) -> None:
        """Forget answers that may never have become durable."""
        self.answers.clear()
