"""Events as they happen: as a stream (SSE), or by asking again and again (long poll)."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from gridhall.server.api.answer import answer_object
from gridhall.server.api.caller import Asking, Caller, needs
from gridhall.server.objects.event import Event, Events
from gridhall.server.queries.feed import Feed

router = APIRouter()

SSE = "text/event-stream"
LONGEST_WAIT_S = 60
MOST_READ = 10_000
"""Entries that one request looks through."""
PATIENCE_S = 1.0
"""How often a stream looks whether the server goes down."""
QUIET_S = 15.0
"""After so long without an event a stream sends a comment, so that nobody in between takes it for dead."""


@router.get(
    "/v1/events",
    response_model=Events,
    responses={200: {"content": {SSE: {"schema": {"type": "string"}}}}},
    **needs("read", "event"),
)
async def read_events(
    request: Request,
    caller: Asking,
    after: Annotated[
        int | None,
        Query(ge=-1, le=1 << 53, description="Place in the log; without it all, as a stream from now on."),
    ] = None,
    wait: Annotated[int, Query(ge=0, le=LONGEST_WAIT_S, description="Seconds to wait for the first event.")] = 0,
    last_event_id: Annotated[str | None, Header(pattern=r"^-?[0-9]{1,15}$")] = None,
) -> Response:
    """Events that the caller may read, each at least once, in the order of the log.

    With `Accept: text/event-stream` they come as a stream, which is taken up again where it broke off by the header
    `Last-Event-ID`. Otherwise a page comes at once, or as soon as there is an event within `wait` seconds.
    """
    feed: Feed = request.app.state.feed
    streams = SSE in request.headers.get("accept", "")
    begin = int(last_event_id) if last_event_id else after
    if begin is None:
        begin = feed.size - 1 if streams else -1
    begin = min(begin, feed.size - 1)
    if streams:
        return StreamingResponse(_stream(feed, caller, begin), media_type=SSE, headers={"Cache-Control": "no-store"})
    return answer_object(await _poll(feed, caller, begin, wait))


async def _poll(feed: Feed, caller: Caller, after: int, wait_s: int) -> Events:
    """The first block in which there is something for the caller; nothing after many with nothing."""
    until = asyncio.get_running_loop().time() + wait_s
    most = after + MOST_READ
    while True:
        found, last = await feed.beyond(after)
        mine = [each for each in found if caller.may(each.organisation, each.project)]
        left_s = until - asyncio.get_running_loop().time()
        if mine or last >= most or (last == after and left_s <= 0) or caller.service.loop.stopped:
            return Events(items=tuple(mine), next=last)
        if last == after:
            await feed.wait(after, min(left_s, PATIENCE_S))
        after = last


async def _stream(feed: Feed, caller: Caller, after: int) -> AsyncGenerator[str]:
    quiet_s = 0.0
    yield ": events of the log\n\n"
    while True:
        found, last = await feed.beyond(after)
        mine = [each for each in found if caller.may(each.organisation, each.project)]
        if last == after and caller.service.loop.stopped:
            return
        if mine:
            yield "".join(lines_of(mine))
            quiet_s = 0.0
        if last == after and not await feed.wait(after, PATIENCE_S):
            quiet_s += PATIENCE_S
            if quiet_s >= QUIET_S:
                yield ": nothing new\n\n"
                quiet_s = 0.0
        after = last


def lines_of(events: list[Event]) -> list[str]:
    """Events as SSE. Only the last of an entry carries its number as id: who stops half-way gets the entry again."""
    numbers = [each.number for each in events]
    ends = [number != following for number, following in zip(numbers, [*numbers[1:], -1], strict=True)]
    ids = [f"id: {each.number}\n" if end else "" for each, end in zip(events, ends, strict=True)]
    return [f"{id}event: {each.kind}\ndata: {each.model_dump_json()}\n\n" for id, each in zip(ids, events, strict=True)]
