"""What went wrong, as RFC 9457 problem details."""

from typing import Literal

from pydantic import Field

from gridhall.server.objects.part import Part

Reason = Literal[
    "no-token",
    "unknown-token",
    "expired-token",
    "revoked-token",
    "principal-gone",
    "not-allowed",
    "beyond-own-rights",
    "not-found",
    "no-such-route",
    "method-not-allowed",
    "malformed",
    "not-json",
    "too-large",
    "invalid",
    "key-used",
    "needs-if-match",
    "changed",
    "name-taken",
    "bound",
    "last-admin",
    "too-many",
    "in-use",
    "finished",
    "closed",
    "over",
    "too-long",
    "unknown-place",
    "unknown-hardware",
    "no-place",
    "constraint",
    "capacity",
    "quota",
    "refused",
    "unknown-feed",
    "in-the-past",
    "above-maximum",
    "below-floor",
    "firm-overlap",
    "firm-without-id",
    "impossible-ramp",
    "no-rates",
    "no-price",
    "no-room",
    "read-only",
    "store-away",
    "failed",
]
"""Everything that can go wrong; docs/api.md says what each means."""


class FieldProblem(Part):
    """One field of a request that is wrong: where, what, and the mend."""

    field: str
    problem: str
    mend: str


class Problem(Part):
    """`reason` is for programs, `detail` for people. `trace_id` finds the request in the server's log.

    `nearest_w` and `nearest_start_ms`: the nearest load target that could be accepted, where there is one.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    reason: Reason
    trace_id: str
    errors: tuple[FieldProblem, ...] = Field(default=(), max_length=100)
    nearest_w: int | None = None
    nearest_start_ms: int | None = None
