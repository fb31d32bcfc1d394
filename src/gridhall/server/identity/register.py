"""The register: every token and every principal's grants in memory, kept up to date with what becomes durable."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import select

from gridhall.server.identity.principal import PRINCIPAL_KINDS, Principal, find_principal, grants_of
from gridhall.server.identity.rights import Grant
from gridhall.server.identity.tokens import Token, hash_of
from gridhall.server.live.draft import Draft
from gridhall.server.live.service import Service
from gridhall.server.store import tables
from gridhall.units import HOUR_MS

REMEMBER_MS = 24 * HOUR_MS
"""How long after its end a token is still told apart from one that never was."""


ABOUT_GRANTS = ("role-binding", "organisation", *PRINCIPAL_KINDS)
"""Kinds of resources that say who may do what."""


class NotKnown(Exception):
    """A token that is not accepted; `reason` is one of a closed list, the text says more."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        super().__init__(detail)


def wall_ms() -> int:
    """The wall clock: tokens live by it even where the controller's clock is a twin's."""
    return time.time_ns() // 1_000_000


@dataclass
class Register:
    """Who is who."""

    service: Service
    now_ms: Callable[[], int] = wall_ms
    _tokens: dict[str, Token] = field(default_factory=dict[str, Token])
    _by_id: dict[str, Token] = field(default_factory=dict[str, Token])
    _of: dict[str, dict[str, Token]] = field(default_factory=dict[str, dict[str, Token]])
    _known: dict[str, tuple[Principal, tuple[Grant, ...]]] = field(
        default_factory=dict[str, tuple[Principal, tuple[Grant, ...]]]
    )

    def recognise(self, secret: str) -> tuple[Principal, tuple[Grant, ...]]:
        """Whose token this is, with what they may do. Raises NotKnown."""
        token = self._tokens.get(hash_of(secret))
        if token is None:
            raise NotKnown("unknown-token", "this token was never given out, or ended long ago")
        if token.revoked_ms:
            raise NotKnown("revoked-token", f"{token.id} was revoked; it stays so")
        if token.expires_ms <= self.now_ms():
            raise NotKnown("expired-token", f"{token.id} has expired; ask for a new one")
        return self._known.get(token.principal) or self._look_up(token.principal)

    def _look_up(self, id: str) -> tuple[Principal, tuple[Grant, ...]]:
        directory = self.service.world.directory
        principal = find_principal(directory, id)
        if principal is None:
            raise NotKnown("principal-gone", f"{id} was deleted or disabled")
        self._known[id] = principal, grants_of(directory, id)
        return self._known[id]

    def token(self, id: str) -> Token | None:
        """A token by its id."""
        return self._by_id.get(id)

    def tokens_of(self, principal: str) -> list[Token]:
        """A principal's tokens that can still be used, oldest first."""
        now_ms = self.now_ms()
        mine = self._of.get(principal, {}).values()
        return sorted((t for t in mine if not t.revoked_ms and t.expires_ms > now_ms), key=lambda token: token.id)

    def all_tokens(self) -> list[Token]:
        """Every token that is remembered, oldest first."""
        return list(self._by_id.values())

    def hear(self, draft: Draft) -> None:
        """Take over what has become durable."""
        for table, row in draft.rows:
            if table == "token":
                self._keep(Token(**row))  # pyright: ignore[reportArgumentType]
        if any(each.kind in ABOUT_GRANTS for each in draft.resources.values()):
            self._known.clear()

    async def load(self) -> None:
        """Read the tokens that the store holds."""
        self._known.clear()
        async with self.service.database.read() as connection:
            lately = tables.token.c.expires_ms > self.now_ms() - REMEMBER_MS
            for row in (await connection.execute(select(tables.token).where(lately))).mappings():
                self._keep(Token(**row))

    def _keep(self, token: Token) -> None:
        self._tokens[token.secret_sha256] = self._by_id[token.id] = token
        mine = self._of.setdefault(token.principal, {})
        mine[token.id] = token
        long_ago = self.now_ms() - REMEMBER_MS
        for old in [each for each in mine.values() if each.expires_ms < long_ago]:
            del mine[old.id], self._by_id[old.id], self._tokens[old.secret_sha256]


async def open_register(service: Service, now_ms: Callable[[], int] = wall_ms) -> Register:
    """A register that follows a running service."""
    register = Register(service, now_ms)
    await register.load()
    service.loop.on_durable.append(register.hear)
    service.on_rebuilt.append(register.load)
    return register
