"""The feeds: what each can be asked for, what it draws, and the load target in force."""

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.server.api.answer import answer_object
from gridhall.server.api.caller import Asking, missing, needs
from gridhall.server.api.paging import Paging, answer_page, cut_names
from gridhall.server.objects.feed import Feed
from gridhall.server.objects.page import Page
from gridhall.server.views.feeds import feed_objects

router = APIRouter()


@router.get("/v1/feeds", response_model=Page[Feed], **needs("read", "feed"))
async def read_feeds(caller: Asking, cut: Paging) -> Response:
    """Every feed with what it can be asked for and the load target in force."""
    feeds = caller.world.fleet.feeds
    page, following = cut_names(sorted(feeds), cut)
    now_ms = caller.service.loop.now_ms()
    return answer_page(feed_objects(caller.world, [feeds[id] for id in page], now_ms), following)


@router.get("/v1/feeds/{feed}", response_model=Feed, **needs("read", "feed"))
async def read_feed(feed: str, caller: Asking) -> Response:
    """One feed."""
    found = caller.world.fleet.feeds.get(feed)
    if found is None:
        raise missing("feed", feed)
    (one,) = feed_objects(caller.world, [found], caller.service.loop.now_ms())
    return answer_object(one, one.metadata.version)
