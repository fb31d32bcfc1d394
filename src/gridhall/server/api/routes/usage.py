"""Usage: totals, and the book of intervals that they are made of."""

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.server.api.answer import answer_object
from gridhall.server.api.asked_usage import AskedUsage
from gridhall.server.api.caller import needs
from gridhall.server.api.paging import Paging, answer_page
from gridhall.server.objects.page import Page
from gridhall.server.objects.usage import Usage, UsageTotals
from gridhall.server.queries.intervals import list_straddling, sum_inside
from gridhall.server.views.open_usage import open_sums
from gridhall.server.views.usage import sums_of, totals_of, usage_object

router = APIRouter()


@router.get("/v1/usage", response_model=UsageTotals, **needs("read", "usage"))
async def read_usage(asked: AskedUsage) -> Response:
    """Totals of a span of time (this month by default) by project, site, SKU and tier; what goes on counts until now.

    The sum over all projects is the integral of what was allocated, to the millisecond.
    """
    database, opened = asked.caller.service.database, open_sums(asked.caller.world, asked.may, asked.wanted, asked.span)
    whole = await sum_inside(database, asked.scopes, asked.wanted, asked.span)
    straddling = await list_straddling(database, asked.scopes, asked.wanted, asked.span)
    items = totals_of([*whole, *sums_of(asked.inside(straddling)), *opened])
    return answer_object(UsageTotals(from_ms=asked.span.from_ms, until_ms=asked.span.until_ms, items=tuple(items)))


@router.get("/v1/usage/intervals", response_model=Page[Usage], **needs("read", "usage"))
async def read_intervals(asked: AskedUsage, cut: Paging) -> Response:
    """Usage intervals, cut to a span of time, in the order of their ends; then what goes on."""
    part = await asked.cut(cut)
    closed = [usage_object(each, goes_on=False) for each in part.closed]
    return answer_page([*closed, *(usage_object(each, goes_on=True) for each in part.opened)], part.following)
