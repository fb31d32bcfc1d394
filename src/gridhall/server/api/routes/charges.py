"""Charges: usage at the rates that are set, rated when it is read; and the FOCUS export of them."""

import asyncio
from collections.abc import AsyncGenerator

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from gridhall.errors import InputError
from gridhall.money.focus import Texts, focus_frame
from gridhall.money.rates import RateBook
from gridhall.money.rating import Charge as Rated
from gridhall.money.rating import rate
from gridhall.server.api.answer import answer_object
from gridhall.server.api.asked_usage import Asked, AskedUsage
from gridhall.server.api.caller import needs
from gridhall.server.api.paging import Paging, answer_page
from gridhall.server.api.problem import Problem
from gridhall.server.objects.page import Page
from gridhall.server.objects.usage import Charge, ChargeTotals
from gridhall.server.queries.intervals import kinds_used
from gridhall.server.queries.jobs import names_of
from gridhall.server.views.usage import ChargeSums, charge_object

router = APIRouter()

CSV = "text/csv; charset=utf-8"


@router.get("/v1/charges", response_model=Page[Charge], **needs("read", "charge"))
async def read_charges(asked: AskedUsage, cut: Paging) -> Response:
    """Charges of a span of time (this month by default), in the order of usage."""
    book = await _book(asked)
    part = await asked.cut(cut)
    charges = rate([*part.closed, *part.opened], book)
    return answer_page([charge_object(each) for each in charges], part.following)


@router.get("/v1/charges/totals", response_model=ChargeTotals, **needs("read", "charge"))
async def read_totals(asked: AskedUsage) -> Response:
    """What each project owes for a span of time, by site, SKU and tier."""
    book, sums = await _book(asked), ChargeSums()
    async for batch in asked.batches():
        sums.add(await asyncio.to_thread(rate, batch, book))
    span = asked.span
    return answer_object(
        ChargeTotals(
            from_ms=span.from_ms, until_ms=span.until_ms, currency=book.currency, book=book.hash, items=sums.totals()
        )
    )


@router.get(
    "/v1/focus.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}, "description": "FOCUS 1.2"}},
    **needs("read", "charge"),
)
async def read_focus(asked: AskedUsage) -> Response:
    """The charges of a span of time (this month by default) as FOCUS 1.2."""
    return StreamingResponse(_focus(asked, await _book(asked)), media_type=CSV)


async def _focus(asked: Asked, book: RateBook) -> AsyncGenerator[str]:
    header = True
    async for batch in asked.batches():
        charges = rate(batch, book)
        if charges or header:
            frame = await asyncio.to_thread(focus_frame, charges, await _texts(asked, book, charges))
            yield frame.write_csv(include_header=header)
            header = False


async def _texts(asked: Asked, book: RateBook, charges: list[Rated]) -> Texts:
    """What people call what the charges are about."""
    world = asked.caller.world
    jobs = await names_of(asked.caller.service.database, sorted({each.job for each in charges}))
    operators = dict.fromkeys(site.operator for site in world.fleet.fleet.sites)
    return Texts(
        provider=" and ".join(operators),
        issuer=book.issuer,
        organisations={each.id: each.name for each in world.directory.all("organisation")},
        projects={each.id: each.name for each in world.directory.all("project")},
        sites={site.id: site.title or site.id for site in world.fleet.fleet.sites},
        resources={number: id for number, (id, _) in jobs.items()},
        job_names={number: name for number, (_, name) in jobs.items()},
    )


async def _book(asked: Asked) -> RateBook:
    """The rate book, if it has a price for everything that is asked for. Raises Problem."""
    service = asked.caller.service
    book = service.settings.rates
    if book is None:
        raise Problem(409, "no-rates", "this server has no rates; its operator sets them (docs/metering.md)")
    used = await kinds_used(service.database, asked.scopes, asked.span)
    used += [(each.sku, each.tier, each.start_ms) for each in asked.opened()]
    try:
        for sku, tier, first_ms in used:
            list(book.pieces(sku, tier, max(first_ms, asked.span.from_ms), asked.span.until_ms))
    except InputError as problem:
        raise Problem(409, "no-price", problem.faults[0].problem) from problem
    return book
