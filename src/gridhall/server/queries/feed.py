"""The feed of events: the log read on from a place, and the wait for what is not there yet.

Whoever watches reads the same durable entries, whether they were written a year or a millisecond ago; the loop only
says that there are more. Blocks of entries that cannot change are kept a while, so that many watchers read them once.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from sqlalchemy import select

from gridhall.ledger.entries import read
from gridhall.server.live.draft import Draft
from gridhall.server.live.service import Service
from gridhall.server.objects.event import Event
from gridhall.server.queries.jobs import owners_of
from gridhall.server.store.log_rows import LogRows
from gridhall.server.store.tables import audit
from gridhall.server.views.events import Owner, events_of, jobs_in

BLOCK = 256
BLOCKS_KEPT = 64


@dataclass
class Feed:
    """The events of one service. `open_feed` makes one that hears of new entries."""

    service: Service
    _blocks: OrderedDict[int, list[Event]] = field(default_factory=OrderedDict[int, list[Event]])
    _grown: asyncio.Condition = field(default_factory=asyncio.Condition)
    _told: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    @property
    def size(self) -> int:
        """Durable entries."""
        return self.service.loop.log.size

    def grew(self, draft: Draft) -> None:
        """The log has grown."""
        task = asyncio.get_running_loop().create_task(self._wake())
        self._told.add(task)
        task.add_done_callback(self._told.discard)

    async def _wake(self) -> None:
        async with self._grown:
            self._grown.notify_all()

    async def wait(self, after: int, seconds: float) -> bool:
        """Wait until there is an entry after one, so long at most; whether there is."""
        try:
            async with asyncio.timeout(seconds), self._grown:
                await self._grown.wait_for(lambda: self.size > after + 1)
        except TimeoutError:
            pass
        return self.size > after + 1

    async def beyond(self, after: int) -> tuple[list[Event], int]:
        """Events of entries after one, of one block at most, and the last entry that was read."""
        first = after + 1
        last = min(self.size, (first // BLOCK + 1) * BLOCK)
        if first >= last:
            return [], after
        block = await self._block(first // BLOCK, last)
        return [each for each in block if each.number >= first], last - 1

    async def _block(self, number: int, last: int) -> list[Event]:
        kept = self._blocks.get(number)
        if kept is not None:
            self._blocks.move_to_end(number)
            return kept
        found = await self._read(number * BLOCK, last)
        if last == (number + 1) * BLOCK:
            self._blocks[number] = found
            if len(self._blocks) > BLOCKS_KEPT:
                self._blocks.popitem(last=False)
        return found

    async def _read(self, first: int, last: int) -> list[Event]:
        database, fleet = self.service.database, self.service.world.fleet
        entries = [read(body) for body in await LogRows(database).entries(first, last)]
        owners = await owners_of(database, sorted(jobs_in(entries)))
        jobs = {number: Owner(*owner) for number, owner in owners.items()}
        audited = await self._audited(first, last)
        pairs = enumerate(entries, first)
        return [each for place, entry in pairs for each in events_of(place, entry, fleet, jobs, audited)]

    async def _audited(self, first: int, last: int) -> dict[int, Owner]:
        """Whose the objects of audit entries are, by the entry's place."""
        query = select(audit.c.entry, audit.c.object, audit.c.organisation, audit.c.project)
        async with self.service.database.read() as connection:
            rows = await connection.execute(query.where(audit.c.entry >= first, audit.c.entry < last))
            return {row[0]: Owner(row[1], row[2], row[3]) for row in rows}


def open_feed(service: Service) -> Feed:
    """The feed of a running service."""
    feed = Feed(service)
    service.loop.on_durable.append(feed.grew)
    return feed
