"""The audit: who did what, for those who may read it."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Select, select
from starlette.responses import Response

from gridhall.server.api.caller import Asking, Caller, needs
from gridhall.server.api.paging import MOST, answer_page
from gridhall.server.objects.audit import AuditLine
from gridhall.server.objects.page import Page
from gridhall.server.objects.part import Id
from gridhall.server.store import tables

router = APIRouter()
KIND = "audit"
Moment = Annotated[int | None, Query(ge=0, le=1 << 53)]
Word = Annotated[str | None, Query(pattern=r"^[a-z-]{1,24}$")]


@router.get("/v1/audit", response_model=Page[AuditLine], **needs("read", KIND))
async def read_audit(
    caller: Asking,
    organisation: Id | None = None,
    project: Id | None = None,
    principal: Id | None = None,
    kind: Word = None,
    from_ms: Moment = None,
    until_ms: Moment = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    after: Annotated[int, Query(ge=-1, le=1 << 53)] = -1,
) -> Response:
    """The audit's lines that the caller may read, in the order in which they were written."""
    line = tables.audit.c
    asked = select(tables.audit).where(line.entry > after).order_by(line.entry).limit(limit + 1)
    same = {line.organisation: organisation, line.project: project, line.principal: principal, line.kind: kind}
    for column, wanted in same.items():
        if wanted is not None:
            asked = asked.where(column == wanted)
    if from_ms is not None:
        asked = asked.where(line.time_ms >= from_ms)
    if until_ms is not None:
        asked = asked.where(line.time_ms < until_ms)
    return await _page(caller, _allowed(caller, asked), limit)


def _allowed(caller: Caller, asked: Select[tuple[object, ...]]) -> Select[tuple[object, ...]]:
    """Cut to the organisations whose audit the caller may read."""
    if caller.may("", ""):
        return asked
    organisations = caller.world.directory.all("organisation", deleted=True)
    return asked.where(tables.audit.c.organisation.in_([each.id for each in organisations if caller.may(each.id, "")]))


async def _page(caller: Caller, asked: Select[tuple[object, ...]], limit: int) -> Response:
    async with caller.service.database.read() as connection:
        rows = (await connection.execute(asked)).mappings().all()
    lines = [AuditLine(**row) for row in rows[:limit]]
    return answer_page(lines, str(lines[-1].entry) if len(rows) > limit else None)
