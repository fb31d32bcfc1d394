"""The queues: one for each priority, with what waits in it and why."""

from gridhall.server.objects.part import Metadata, Part


class QueueSpec(Part):
    """`head_start_ms` is how much earlier its work counts as submitted than work of the priority `low`."""

    priority: str
    head_start_ms: int


class Waiting(Part):
    """Waiting work of one project for one reason. `reason` is a word from the closed list, `words` says it in full."""

    organisation: str
    project: str
    reason: str
    words: str
    jobs: int
    gpus: int
    oldest_ms: int


class QueueStatus(Part):
    """What waits. Ages are ms since submission; work that the caller may not read is counted in the totals only."""

    jobs: int
    gpus: int
    oldest_ms: int
    median_age_ms: int
    waiting: tuple[Waiting, ...]


class Queue(Part):
    """A queue."""

    metadata: Metadata
    spec: QueueSpec
    status: QueueStatus
