"""What went wrong, as RFC 9457 problem details."""

from pydantic import Field

from gridhall.server.objects.part import Part


class FieldProblem(Part):
    """One field of a request that is wrong: where, what, and the mend."""

    field: str
    problem: str
    mend: str


class Problem(Part):
    """`reason` is one of a closed list (docs/api.md), `trace_id` finds the request in the server's log."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    reason: str
    trace_id: str
    errors: tuple[FieldProblem, ...] = Field(default=(), max_length=100)
