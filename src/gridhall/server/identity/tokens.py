"""Bearer tokens: opaque, random, short-lived. The store keeps only their hash, and remembers those that were revoked.

Their times are those of the wall clock: a twin's clock runs faster than its users do.
"""

import hashlib
import secrets
from dataclasses import asdict, dataclass, replace

from gridhall.server.ids import new_id
from gridhall.server.live.draft import Draft
from gridhall.units import HOUR_MS

LONGEST_MS = {"user": 24 * HOUR_MS, "service-account": 30 * 24 * HOUR_MS}
"""Longest life of a token by the kind of its principal."""
PREFIX = "ght_"
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Token:
    """A row of the token table. `revoked_ms` 0 = it was not revoked."""

    id: str
    secret_sha256: str
    principal: str
    created_ms: int
    expires_ms: int
    revoked_ms: int


def new_token(principal: str, life_ms: int, wall_ms: int) -> tuple[Token, str]:
    """A token for a principal, and the secret that nobody can read again."""
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    return Token(new_id("tok"), hash_of(secret), principal, wall_ms, wall_ms + life_ms, 0), secret


def hash_of(secret: str) -> str:
    """How the store knows a secret. It has 256 random bits: no salt or slow hash would make it harder to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class IssueToken:
    """A token is given to a principal."""

    token: Token

    def decide(self, draft: Draft) -> Token:
        """The token."""
        draft.rows.append(("token", asdict(self.token)))
        return self.token


@dataclass(frozen=True, slots=True)
class RevokeTokens:
    """Some tokens are not to be accepted any more."""

    tokens: tuple[Token, ...]
    wall_ms: int

    def decide(self, draft: Draft) -> tuple[Token, ...]:
        """The tokens as they are afterwards; those that were revoked before stay as they are."""
        return tuple(self._revoke(draft, token) for token in self.tokens)

    def _revoke(self, draft: Draft, token: Token) -> Token:
        if token.revoked_ms:
            return token
        revoked = replace(token, revoked_ms=self.wall_ms)
        draft.rows.append(("token", asdict(revoked)))
        return revoked
