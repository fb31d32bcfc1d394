"""Denials: writes that were not allowed and tokens that were not accepted are audited, but nobody fills the disk so."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gridhall.ledger.entries import Audit
from gridhall.server.live.draft import AuditRow, Draft
from gridhall.server.live.service import Service

MOST_PER_MINUTE = 20
"""Denials per minute that are written down for one address; the rest is counted."""
MOST_IN_ALL = 600
"""Denials per minute that are written down for all addresses together."""
STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Denied:
    """Somebody was denied something."""

    principal: str
    organisation: str
    project: str
    verb: str
    kind: str
    object: str
    result: str
    address: str

    def decide(self, draft: Draft) -> None:
        """Write it down."""
        entry = draft.write(Audit(draft.now_ms, self.principal, self.verb, self.kind, self.object, self.result))
        draft.audits.append(
            AuditRow(
                entry, draft.now_ms, self.principal, self.organisation, self.project, self.verb, self.kind, self.object,
                self.result, self.address,
            )
        )  # fmt: skip


@dataclass
class Denials:
    """`not_written` is how many were not written down since the start."""

    service: Service
    clock: Callable[[], float] = time.monotonic
    not_written: int = 0
    _minute: int = 0
    _seen: dict[str, int] = field(default_factory=dict[str, int])

    def stranger(self, address: str, reason: str) -> None:
        """A request whose token was not accepted."""
        self.note(Denied(STRANGER, "", "", "read", "token", "", reason, address))

    def note(self, denied: Denied) -> None:
        """Write a denial down, if its address has not had its share of this minute."""
        minute = int(self.clock() / 60)
        if minute != self._minute:
            self._minute, self._seen = minute, {}
        count = self._seen.get(denied.address, 0)
        if count >= MOST_PER_MINUTE or sum(self._seen.values()) >= MOST_IN_ALL:
            self.not_written += 1
            return
        self._seen[denied.address] = count + 1
        self.service.loop.tell(denied)
