"""Paging: `limit` items after a cursor, in an order that does not change while people read."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query
from starlette.responses import Response

from gridhall.server.live.world import Resource
from gridhall.server.objects.page import Page

MOST = 1000


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part of a collection is asked for. `after` is the `next` of the page before, or empty."""

    limit: int
    after: str


async def _cut(
    limit: Annotated[int, Query(ge=1, le=MOST, description="Most items of a page.")] = 100,
    after: Annotated[
        str, Query(max_length=80, pattern=r"^[A-Za-z0-9._:-]*$", description="`next` of the page before.")
    ] = "",
) -> Cut:
    return Cut(limit, after)


Paging = Annotated[Cut, Depends(_cut)]


def page_of(found: Iterable[Resource], cut: Cut) -> tuple[list[Resource], str | None]:
    """A page of resources in the order of their ids, and the cursor of the next one."""
    rest = sorted((each for each in found if each.id > cut.after), key=lambda each: each.id)
    page = rest[: cut.limit]
    return page, page[-1].id if len(rest) > cut.limit else None


def cut_names(names: Sequence[str], cut: Cut) -> tuple[Sequence[str], str | None]:
    """A page of sorted names, and the cursor of the next one."""
    begin = bisect_right(names, cut.after) if cut.after else 0
    page = names[begin : begin + cut.limit]
    return page, page[-1] if begin + len(page) < len(names) else None


def answer_page(items: Iterable[Any], following: str | None) -> Response:
    """A page as an answer, from objects of the API."""
    body = Page[Any](items=tuple(items), next=following)
    return Response(body.model_dump_json(), media_type="application/json")
