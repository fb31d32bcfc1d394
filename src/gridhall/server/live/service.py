"""The live controller as a whole, with or without an API before it: open the store, lead, recover, run, stop.

service = await open_service(settings)
...  await service.loop.happen(change)
await service.close()
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from gridhall.controller.record import kernels_hash
from gridhall.controller.state import ControllerState, Room, new_state
from gridhall.engines.clock import Clock
from gridhall.engines.protocol import Engine
from gridhall.errors import fault
from gridhall.ledger.entries import Close, Segment, body
from gridhall.ledger.log import Log, open_log
from gridhall.ledger.note import SigningKey, verify_key, vkey
from gridhall.money.attribution import SiteEnergy
from gridhall.money.rates import RateBook
from gridhall.scheduling.policy import Policy
from gridhall.server.live import snapshots
from gridhall.server.live.carry import Carrier
from gridhall.server.live.changes import Reported
from gridhall.server.live.drift import Drift
from gridhall.server.live.fleet_map import FleetMap
from gridhall.server.live.loop import Loop
from gridhall.server.live.recover import Recovered, recover
from gridhall.server.live.world import Directory, World
from gridhall.server.store import Database, open_database
from gridhall.server.store.leadership import Lead, take_lead
from gridhall.server.store.log_rows import LogRows, write_append
from gridhall.tenancy import Organisation, Project, Tenancy

log = logging.getLogger("gridhall.live")

SNAPSHOT_ENTRIES = 50_000
"""Entries after which a new snapshot is worth its cost: a restart feeds at most so many decisions."""
LONG_TAIL = 5000
"""Decisions fed at a restart that make a new snapshot worth its cost."""
FIRST_TENANCY = Tenancy((Organisation("home"),), (Project("default", "home"),))
"""Who is there in a new store: organisation 0 and its project 0."""
ROOM = Room(organisations=256, projects=2048)
"""How many organisations and projects a store can ever have: it is made with room for them."""


@dataclass(frozen=True)
class Settings:
    """What a live controller is opened with. `engines` by name, `engine_of_site` says who runs what.

    `energy` is what is known about the energy of sites, by site id; `rates` what is charged, None = nothing is.
    """

    store_url: str
    fleet: FleetMap
    policy: Policy
    key: SigningKey
    clock: Clock
    engines: Mapping[str, Engine]
    engine_of_site: Mapping[str, str]
    energy: Mapping[str, SiteEnergy] = field(default_factory=dict[str, SiteEnergy])
    rates: RateBook | None = None


@dataclass
class Service:
    """A running live controller."""

    settings: Settings
    database: Database
    lead: Lead
    loop: Loop
    carrier: Carrier
    drift: Drift
    replayed: int
    _deciding: asyncio.Task[None] | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])
    snapshot_at: int = 0
    """Entries at the last snapshot."""

    @property
    def world(self) -> World:
        """What the loop has in memory."""
        return self.loop.world

    async def run(self, orders: Recovered | None) -> None:
        """Begin to decide, to carry out and to listen to the engines."""
        self._deciding = asyncio.create_task(self.loop.run())
        for engine in self.settings.engines.values():
            await engine.open(lambda report: self.loop.tell(Reported(report)))
        if orders is not None:
            self.carrier.take(orders.orders)
        self._tasks.append(asyncio.create_task(self.drift.watch()))
        self._tasks.append(asyncio.create_task(self._keep_snapshots()))

    async def close(self) -> None:
        """Stop deciding, close the log's segment with a snapshot, and give up the lead. What runs goes on running."""
        await self.carrier.close()
        for engine in self.settings.engines.values():
            await engine.close()
        for task in self._tasks:
            task.cancel()
        self.loop.close()
        await asyncio.gather(*self._tasks, self._deciding or asyncio.sleep(0), return_exceptions=True)
        if not self.loop.failed:
            await self._close_segment()
        await self.lead.give_up()
        await self.database.close()

    async def _close_segment(self) -> None:
        world, now_ms = self.world, self.loop.now_ms()
        close = Close(world.decisions, world.epoch, world.state.digest())
        append = self.loop.log.prepare([body(close)])
        taken = snapshots.take(world.state, append.size, world.decisions, now_ms)
        async with self.database.transaction() as connection:
            await write_append(connection, append, self.loop.log.checkpoint(self.loop.key), now_ms)
            await snapshots.write(connection, taken)
        self.loop.log.commit(append)

    async def _keep_snapshots(self) -> None:
        while True:
            await asyncio.sleep(1)
            if self.loop.log.size - self.snapshot_at >= SNAPSHOT_ENTRIES:
                await self.take_snapshot()

    async def take_snapshot(self) -> None:
        """Keep the state as it is now."""
        copy, entries, decisions = await self.loop.frozen()
        taken = await asyncio.to_thread(snapshots.take, copy, entries, decisions, self.loop.now_ms())
        async with self.database.transaction() as connection:
            await snapshots.write(connection, taken)
        self.snapshot_at = entries


async def open_service(settings: Settings) -> Service:
    """Open the store, take the lead and recover. Raises InputError when one of them cannot be."""
    database = await open_database(settings.store_url)
    try:
        return await _open(settings, database)
    except BaseException:
        await database.close()
        raise


async def _open(settings: Settings, database: Database) -> Service:
    now_ms = settings.clock.now_ms()
    lead = await take_lead(database, now_ms)
    try:
        recovered = await recover(database, settings.fleet, lead.epoch)
        world = recovered.world if recovered else first_world(settings, lead.epoch)
        check_shape(world.state, first_world(settings, 0).state, database.name)
        world.engine_of_site.update(settings.engine_of_site)
        world.energy.update(settings.energy)
        entries = recovered.log if recovered else await open_log(LogRows(database))
        afresh = recovered is None or not recovered.same_kernels or recovered.replayed > LONG_TAIL
        await open_segment(settings, database, world, entries, now_ms, afresh)
    except BaseException:
        await lead.give_up()
        raise
    return await _start(settings, database, lead, world, entries, recovered)


async def _start(
    settings: Settings, database: Database, lead: Lead, world: World, entries: Log, recovered: Recovered | None
) -> Service:
    carrier = Carrier(lambda: loop.world, settings.engines, settings.clock, lambda change: loop.tell(change))
    loop = Loop(world, database, entries, settings.key, settings.clock, carrier.take)
    drift = Drift(lambda: loop.world, settings.engines, settings.clock, loop.tell, carrier.busy)
    service = Service(settings, database, lead, loop, carrier, drift, recovered.replayed if recovered else 0)
    service.snapshot_at = entries.size
    await service.run(recovered)
    return service


def first_world(settings: Settings, epoch: int) -> World:
    """The world of a store in which nothing was decided yet."""
    state = new_state(settings.fleet.arrays, FIRST_TENANCY, settings.policy, room=ROOM)
    return World(settings.fleet, state, {}, Directory(), epoch, 1, 0)


async def open_segment(
    settings: Settings, database: Database, world: World, entries: Log, now_ms: int, afresh: bool
) -> None:
    """Begin a segment: it names who decides from here on. `afresh` = it stands on a new snapshot of the state."""
    segment = Segment(
        world.decisions,
        world.epoch,
        kernels_hash(),
        settings.policy.hash,
        fleet_hash(settings.fleet),
        world.state.digest(),
        world.state.sizes,
        vkey(verify_key(settings.key)),
    )
    append = entries.prepare([body(segment)])
    async with database.transaction() as connection:
        await write_append(connection, append, entries.checkpoint(settings.key), now_ms)
        if afresh:
            await snapshots.write(connection, snapshots.take(world.state, append.size, world.decisions, now_ms))
    entries.commit(append)


def check_shape(world_state: ControllerState, fresh: ControllerState, name: str) -> None:
    """Raise InputError where a store was made for another fleet."""
    grown = {"slots", "slot_words", "chunks", "effects"}
    old = {key: size for key, size in world_state.sizes.items() if key not in grown}
    new = {key: size for key, size in fresh.sizes.items() if key not in grown}
    if old != new:
        changed = ", ".join(sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key)))
        raise fault(name, "fleet", f"is not the fleet that this store was made for ({changed})", "use another --folder")


def fleet_hash(fleet: FleetMap) -> str:
    """Hash over the fleet file's content."""
    return hashlib.sha256(fleet.fleet.model_dump_json(by_alias=True).encode()).hexdigest()
