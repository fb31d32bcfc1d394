"""Bearer tokens."""

from pydantic import Field

from gridhall.server.objects.part import Id, Part


class TokenRequest(Part):
    """A token for a principal (empty = oneself) that is good for `life_s` seconds.

    At most 24 hours for users, 30 days for service accounts.
    """

    principal: Id = ""
    life_s: int = Field(default=3600, ge=1, le=30 * 24 * 3600)


class Token(Part):
    """A token without its secret. Times are ms UTC of the wall clock."""

    id: str
    principal: str
    created_ms: int
    expires_ms: int
    revoked_ms: int


class NewToken(Part):
    """A token with its secret, which is shown this once: a repeated request gets an empty one."""

    token: Token
    secret: str
