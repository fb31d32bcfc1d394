"""Events: thin messages that something happened; the object itself says what it is now."""

from gridhall.server.objects.part import Part


class Event(Part):
    """`number` is the place of its entry in the log; what one entry says may be several events.

    `object` is the id of what it is about. `organisation` and `project` are empty for what belongs to none.
    """

    number: int
    time_ms: int
    kind: str
    object: str
    organisation: str
    project: str


class Events(Part):
    """Events of entries after the one that was named. `next` goes into `after` of the next request."""

    items: tuple[Event, ...]
    next: int
