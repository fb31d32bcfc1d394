"""A page of a collection."""

from typing import Generic, TypeVar

from gridhall.server.objects.part import Part

T = TypeVar("T")


class Page(Part, Generic[T]):
    """Some of the items; `next` goes into `after` of the next request, None = these were the last."""

    items: tuple[T, ...]
    next: str | None
