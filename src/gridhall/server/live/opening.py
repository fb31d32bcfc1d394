"""Opening: from a store to a controller that may decide: take the lead, recover the world, open a segment of the log.

It is done at every start, and again by a running controller after a transaction failed (`service`).
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from gridhall.controller.record import kernels_hash
from gridhall.controller.state import ControllerState, Room, new_state
from gridhall.engines.clock import Clock
from gridhall.engines.protocol import Engine
from gridhall.errors import fault
from gridhall.ledger.checkpoint import read_unchecked
from gridhall.ledger.entries import Close, Entry, Segment, body, read
from gridhall.ledger.log import Log, open_log
from gridhall.ledger.note import SigningKey, verify_key, vkey
from gridhall.money.attribution import SiteEnergy
from gridhall.money.rates import RateBook
from gridhall.scheduling.policy import Policy
from gridhall.server.live import snapshots
from gridhall.server.live.draft import OrderRow
from gridhall.server.live.fleet_map import FleetMap
from gridhall.server.live.recover import recover
from gridhall.server.live.world import Directory, World
from gridhall.server.store import Database
from gridhall.server.store.leadership import Lead, stay_leader, take_lead
from gridhall.server.store.log_rows import LogRows, write_append
from gridhall.tenancy import Organisation, Project, Tenancy

logger = logging.getLogger("gridhall.live")

LONG_TAIL = 5000
"""Decisions fed at a restart that make a new snapshot worth its cost."""
FIRST_TENANCY = Tenancy((Organisation("home"),), (Project("default", "home"),))
"""Who is there in a new store: organisation 0 and its project 0."""
SEEN = ("nodes", "racks", "halls")
"""Sizes that people know their fleet by."""
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


@dataclass(frozen=True)
class Opened:
    """A store that is led.

    `orders` are those in the outbox, `replayed` the decisions that were fed to get here, `snapshot_ms` is the time of
    the last snapshot.
    """

    lead: Lead
    world: World
    log: Log
    orders: tuple[OrderRow, ...]
    replayed: int
    snapshot_ms: int


async def open_store(settings: Settings, database: Database) -> Opened:
    """Take the lead and recover. Raises InputError when one of them cannot be."""
    now_ms = settings.clock.now_ms()
    lead = await take_lead(database, now_ms)
    try:
        return await _recover(settings, database, lead, now_ms)
    except BaseException:
        await lead.give_up()
        raise


async def _recover(settings: Settings, database: Database, lead: Lead, now_ms: int) -> Opened:
    first = first_world(settings, lead.epoch)
    found = await recover(database, first)
    world, log = (found.world, found.log) if found else (first, await open_log(LogRows(database)))
    check_shape(world.state, first.state, database.name)
    await _check_name(database, settings.key.name)
    world.engine_of_site.update(settings.engine_of_site)
    world.energy.update(settings.energy)
    afresh = found is None or not found.same_kernels or found.replayed > LONG_TAIL
    await open_segment(settings, database, world, log, now_ms, afresh)
    snapshot_ms = now_ms if found is None or afresh else found.snapshot_ms
    return Opened(lead, world, log, found.orders if found else (), found.replayed if found else 0, snapshot_ms)


async def _check_name(database: Database, name: str) -> None:
    """A log has one name for ever: another key may sign from here on, but under the same name."""
    note = await LogRows(database).last_checkpoint()
    if note is not None and read_unchecked(note).origin != name:
        problem = f"the log is {read_unchecked(note).origin}, and the key is that of {name}"
        raise fault(database.name, "log", problem, "put the log.key of this store back (docs/backup.md)")


def first_world(settings: Settings, epoch: int) -> World:
    """The world of a store in which nothing was decided yet."""
    state = new_state(settings.fleet.arrays, FIRST_TENANCY, settings.policy, room=ROOM)
    return World(settings.fleet, state, {}, Directory(), epoch, 1, 0)


async def open_segment(
    settings: Settings, database: Database, world: World, log: Log, now_ms: int, afresh: bool
) -> None:
    """Begin a segment: it names who decides from here on. `afresh` = it stands on a new snapshot of the state."""
    policy, fleet = await _made_with(settings, database, log)
    segment = Segment(
        world.decisions,
        world.epoch,
        kernels_hash(),
        policy,
        fleet,
        world.state.digest(),
        world.state.sizes,
        vkey(verify_key(settings.key)),
    )
    await write_boundary(database, world, log, settings.key, segment, now_ms, afresh)


async def _made_with(settings: Settings, database: Database, log: Log) -> tuple[str, str]:
    """Hashes of the policy and of the fleet that the state was made with: those of today decide nothing in an old one.

    Its limits, its places and its policy's numbers are in the state, and no event changes them all.
    """
    today = settings.policy.hash, fleet_hash(settings.fleet)
    first = read((await LogRows(database).entries(0, 1))[0]) if log.size else None
    if not isinstance(first, Segment):
        return today
    for what, was, now in zip(("policy", "fleet"), (first.policy, first.fleet), today, strict=True):
        if was != now:
            logger.warning("the %s file has changed since this store was made: it goes on with the old numbers", what)
    return first.policy, first.fleet


def closing(world: World) -> Close:
    """The segment ends in the state as it is."""
    return Close(world.decisions, world.epoch, world.state.digest())


async def write_boundary(
    database: Database, world: World, log: Log, key: SigningKey, entry: Entry, now_ms: int, snapshot: bool
) -> None:
    """Write where a segment begins or ends, with a snapshot of the state there or without. Raises LostLead."""
    append = log.prepare([body(entry)])
    note = log.checkpoint(key)

    def write(connection: Connection) -> None:
        stay_leader(connection, world.epoch, now_ms)
        write_append(connection, append, note, now_ms)
        if snapshot:
            snapshots.write(connection, snapshots.take(world.state, append.size, world.decisions, now_ms))

    await database.write(write)
    log.commit(append)


def check_shape(world_state: ControllerState, fresh: ControllerState, name: str) -> None:
    """Raise InputError where a store was made for another fleet."""
    grown = {"slots", "slot_words", "chunks", "effects"}
    old = {key: size for key, size in world_state.sizes.items() if key not in grown}
    new = {key: size for key, size in fresh.sizes.items() if key not in grown}
    if old != new:
        counted = ", ".join(f"{old[key]:,} {key}, now {new[key]:,}" for key in SEEN if old[key] != new[key])
        problem = f"is not the fleet that this store was made for ({counted or 'it is built otherwise'})"
        raise fault(name, "fleet", problem, "give it that fleet file, or another --folder")


def fleet_hash(fleet: FleetMap) -> str:
    """Hash over the fleet file's content."""
    return hashlib.sha256(fleet.fleet.model_dump_json(by_alias=True).encode()).hexdigest()
