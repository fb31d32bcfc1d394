"""The audit's lines."""

from gridhall.server.objects.part import Part


class AuditLine(Part):
    """Who did what, on what, with which result; `entry` is its place in the ledger.

    `result` is `done` or the reason why not. `stranger` is whoever came without a token that is accepted.
    """

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
