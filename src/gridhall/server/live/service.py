"""The live controller as a whole, with or without an API before it: open the store, lead, recover, run, stop.

service = await open_service(settings)
...  await service.loop.happen(change)
await service.close()

When a transaction fails (the disk is full, the database is away) nobody knows what of it became durable. Then the
controller throws away what it has in memory, reads the world from the store again and goes on; until that works the
server answers reads only. A controller that has lost the lead to another one stays so.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from gridhall.engines.protocol import Report
from gridhall.server.live import snapshots
from gridhall.server.live.abilities import EnginesKnown
from gridhall.server.live.carry import Carrier
from gridhall.server.live.changes import Reported
from gridhall.server.live.draft import OrderRow
from gridhall.server.live.drift import Drift
from gridhall.server.live.loop import Loop
from gridhall.server.live.opening import FIRST_TENANCY, Opened, Settings, closing, open_store, write_boundary
from gridhall.server.live.world import World
from gridhall.server.store import Database, in_short, open_database
from gridhall.server.store.leadership import Lead, LostLead, stay_leader

__all__ = ["FIRST_TENANCY", "Service", "Settings", "open_service"]

log = logging.getLogger("gridhall.live")

SNAPSHOT_ENTRIES = 50_000
"""Entries after which a new snapshot is worth its cost: a restart feeds at most so many decisions."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
"""How long to wait before the store is tried again; each time twice as long."""
STEADY_S = 60.0
"""After so long without a failure the next one is the first again."""
LOOK_S = 1.0
"""How often to see whether the lead is still held and a snapshot is due."""

OnRebuilt = Callable[[], Awaitable[None]]


@dataclass
class Service:
    """A running live controller. `on_rebuilt` is called after the world was read from the store again.

    Whoever keeps in memory what came of decisions must read it again then: the last ones may not be durable.
    """

    settings: Settings
    database: Database
    lead: Lead
    loop: Loop
    carrier: Carrier
    drift: Drift
    replayed: int
    on_rebuilt: list[OnRebuilt] = field(default_factory=list[OnRebuilt])
    rebuilds: int = 0
    snapshot_at: int = 0
    """Entries at the last snapshot."""
    snapshot_ms: int = 0
    """Time of the last snapshot."""
    heard: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """Reports by engine and kind."""
    _closing: bool = False
    _minding: asyncio.Task[None] | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    @property
    def world(self) -> World:
        """What the loop has in memory."""
        return self.loop.world

    async def run(self, orders: Sequence[OrderRow]) -> None:
        """Begin to decide, to carry out and to listen to the engines."""
        self._minding = asyncio.create_task(self._mind())
        await self._listen(orders)

    async def close(self) -> None:
        """Stop deciding, close the log's segment with a snapshot, and give up the lead. What runs goes on running."""
        self._closing = True
        if self.loop.failed and self._minding is not None:
            self._minding.cancel()
        await self._fall_silent()
        self.loop.close()
        await asyncio.gather(self._minding or asyncio.sleep(0), return_exceptions=True)
        if not self.loop.failed:
            await self._close_segment()
        await self.lead.give_up()
        await self.database.close()

    async def take_snapshot(self) -> None:
        """Keep the state as it is now."""
        copy, entries, decisions = await self.loop.frozen()
        now_ms = self.loop.now_ms()
        taken = await asyncio.to_thread(snapshots.take, copy, entries, decisions, now_ms)

        def write(connection: Connection) -> None:
            stay_leader(connection, self.lead.epoch, now_ms)
            snapshots.write(connection, taken)

        await self.database.write(write)
        self.snapshot_at, self.snapshot_ms = entries, now_ms

    async def _listen(self, orders: Sequence[OrderRow]) -> None:
        self.loop.tell(EnginesKnown(self.settings.engines))
        for name, engine in self.settings.engines.items():
            await engine.open(partial(self._hear, name))
        self.carrier.take(orders)
        self._tasks = [asyncio.create_task(self.drift.watch()), asyncio.create_task(self._look_after())]

    def _hear(self, engine: str, report: Report) -> None:
        self.heard[engine, type(report).__name__.lower()] += 1
        self.loop.tell(Reported(report))

    async def _fall_silent(self) -> None:
        await self.carrier.close()
        for engine in self.settings.engines.values():
            await engine.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _close_segment(self) -> None:
        entry, now_ms = closing(self.world), self.loop.now_ms()
        try:
            await write_boundary(
                self.database, self.world, self.loop.log, self.settings.key, entry, now_ms, snapshot=True
            )
        except Exception as problem:
            log.error("the segment stays open, the next start replays its end: %s", problem)

    async def _look_after(self) -> None:
        """Take snapshots when they are due, and stop deciding when the lock of the lead is gone."""
        while True:
            await asyncio.sleep(LOOK_S)
            if not await self.lead.alive():
                self.loop.fail("the store is away")
            elif self.loop.log.size - self.snapshot_at >= SNAPSHOT_ENTRIES:
                try:
                    await self.take_snapshot()
                except Exception as problem:
                    log.error("no snapshot was taken: %s", problem)

    async def _mind(self) -> None:
        """Decide until closed; after a failure rebuild and go on."""
        pause_s, now_s = FIRST_PAUSE_S, asyncio.get_running_loop().time
        while not self._closing:
            began_s = now_s()
            try:
                await self.loop.run()
            except LostLead:
                log.error("read-only for good: %s", self.loop.stopped)
                return
            except (SQLAlchemyError, OSError) as problem:
                log.error("read-only until the world was rebuilt from the store: %s", in_short(problem))
            except Exception:
                log.exception("read-only until the world was rebuilt from the store: a bug, please report it")
            if not self._closing:
                pause_s = FIRST_PAUSE_S if now_s() - began_s > STEADY_S else pause_s
                pause_s = await self._rebuild(pause_s)

    async def _rebuild(self, pause_s: float) -> float:
        """Throw the world away and read it again, as often as it takes; how long to wait at the next failure."""
        reason = self.loop.stopped
        while self.loop.failed:
            await self._fall_silent()
            await asyncio.sleep(pause_s)
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)
            await self.lead.give_up()
            await self.database.close()
            try:
                await self._resume(await open_store(self.settings, self.database))
            except Exception as problem:
                self.loop.fail(f"{reason}; not back yet: {in_short(problem)}")
                log.error("the store does not serve yet: %s", in_short(problem))
        return pause_s

    async def _resume(self, opened: Opened) -> None:
        self.lead, self.snapshot_at, self.snapshot_ms = opened.lead, opened.log.size, opened.snapshot_ms
        self.loop.resume(opened.world, opened.log)
        for told in self.on_rebuilt:
            await told()
        await self._listen(opened.orders)
        self.rebuilds += 1
        log.warning("rebuilt from the store: epoch %d, %d decisions replayed", opened.lead.epoch, opened.replayed)


async def open_service(settings: Settings) -> Service:
    """Open the store, take the lead and recover. Raises InputError when one of them cannot be."""
    database = await open_database(settings.store_url)
    try:
        return await _start(settings, database, await open_store(settings, database))
    except BaseException:
        await database.close()
        raise


async def _start(settings: Settings, database: Database, opened: Opened) -> Service:
    carrier = Carrier(lambda: loop.world, settings.engines, settings.clock, lambda change: loop.tell(change))
    loop = Loop(opened.world, database, opened.log, settings.key, settings.clock, carrier.take)
    drift = Drift(lambda: loop.world, settings.engines, settings.clock, loop.tell, carrier.busy)
    service = Service(settings, database, opened.lead, loop, carrier, drift, opened.replayed)
    service.snapshot_at, service.snapshot_ms = opened.log.size, opened.snapshot_ms
    await service.run(opened.orders)
    return service
