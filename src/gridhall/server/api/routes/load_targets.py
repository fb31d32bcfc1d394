"""Load targets: what the energy desk or the grid wants a feed to draw at most, from when until when."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from gridhall.energy.targets import LoadTarget
from gridhall.energy.targets.schedule import FOREVER
from gridhall.server.api.caller import Asking, Caller, Writing, needs
from gridhall.server.api.paging import Paging, answer_page, cut_names
from gridhall.server.api.problem import Problem, shorten
from gridhall.server.api.write import Answer, Target, write
from gridhall.server.live.fleet_map import FeedPart
from gridhall.server.live.world import Resource
from gridhall.server.objects.page import Page
from gridhall.server.objects.part import Id
from gridhall.server.targets.changes import SetTarget
from gridhall.server.targets.kept import kept_of
from gridhall.server.views.feeds import targets_of

router = APIRouter()

Time = Annotated[int | None, Query(ge=0, le=1 << 53, description="Milliseconds since 1970-01-01 UTC.")]
LONGEST_OBJECT = 80
"""Characters of an audited object's id."""


@router.post("/v1/load-targets", status_code=201, response_model=Page[LoadTarget], **needs("create", "load-target"))
async def set_target(asked: LoadTarget, caller: Writing) -> Response:
    """Set a target for the feeds it names, or for all; a null constraint returns them to the default.

    The answer is the schedule of these feeds from now on. Refused with the reason and the nearest that can be promised.
    """
    feeds = _named(caller, asked.feed_tags)
    if caller.expected is not None and len(feeds) != 1:
        raise _wrong("If-Match goes with one feed", "header.If-Match", "name one feed in feed_tags")
    change = SetTarget(feeds, asked, caller.principal.id, caller.expected)

    def answer(kept: Sequence[Resource]) -> Answer:
        now_ms = caller.service.loop.now_ms()
        pairs = zip(feeds, kept, strict=True)
        items = [each for feed, one in pairs for _, each in targets_of(caller.world, feed, one, now_ms, FOREVER)]
        return Answer(201, Page[LoadTarget](items=tuple(items), next=None), kept[0].version if len(kept) == 1 else 0)

    def rehearse() -> Answer:
        return answer(change.plan(caller.world, caller.service.loop.now_ms()))

    about = feeds[0].id[:LONGEST_OBJECT] if len(feeds) == 1 else ""
    return await write(caller, Target(about, ""), change, answer, rehearse)


@router.get("/v1/load-targets", response_model=Page[LoadTarget], **needs("read", "load-target"))
async def read_targets(
    caller: Asking, cut: Paging, feed: Id = "", from_ms: Time = None, until_ms: Time = None
) -> Response:
    """The targets that touch a span of time (from now on by default), feed by feed in the order of their starts."""
    first_ms = caller.service.loop.now_ms() if from_ms is None else from_ms
    last_ms = FOREVER if until_ms is None else until_ms
    if last_ms < first_ms:
        raise _wrong("until_ms is before from_ms", "query.until_ms", "give a later time")
    found = {
        f"{place.place:06}.{start_ms:015}": target
        for place in _named(caller, (feed,) if feed else ())
        for start_ms, target in targets_of(caller.world, place, kept_of(caller.world, place), first_ms, last_ms)
    }
    page, following = cut_names(sorted(found), cut)
    return answer_page([found[key] for key in page], following)


def _named(caller: Caller, tags: Sequence[str]) -> tuple[FeedPart, ...]:
    """The feeds with these ids or tags, all of them where none is named. Raises the problem (422)."""
    feeds = caller.world.fleet.feeds.values()
    if not tags:
        return tuple(feeds)
    for tag in tags:
        if not any(tag in (feed.id, feed.tag) for feed in feeds):
            raise Problem(
                422, "unknown-feed", f"there is no feed {shorten(tag)}", "feed_tags", "GET /v1/feeds lists them"
            )
    return tuple(feed for feed in feeds if feed.id in tags or feed.tag in tags)


def _wrong(detail: str, field: str, mend: str) -> Problem:
    return Problem(422, "invalid", detail, field, mend)
