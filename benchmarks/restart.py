"""How long is the server away when it restarts? A snapshot and a tail of decisions back to serving; and a full replay.

    python -m benchmarks.restart [--events 1000000] [--tail 100000]

A store is filled with decisions of a fleet of 512 GPUs that is submitted to, ends work, loses nodes and gets them back:
real ones, made by `step`, hashed and written as the server writes them, only in larger transactions. Then (1) the
server is opened on it, its last snapshot lying `tail` decisions back: until it has decided a new submission; (2) the
whole log is replayed with every effect compared. Beside it stands what merely reading all entries takes. Prints one
JSON object {tail_events, serving_s, events, replay_s, read_s}.
"""

import argparse
import asyncio
import random
import tempfile
import time
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from benchmarks.common import emit
from gridhall.controller.events import ENDED, LOST, NODE_DOWN, NODE_UP
from gridhall.controller.live import Submit, row
from gridhall.controller.state import ControllerState
from gridhall.engines.clock import WallClock
from gridhall.fleet.models import Fleet
from gridhall.kernel import Ints
from gridhall.ledger.log import Log, open_log
from gridhall.ledger.note import SigningKey
from gridhall.ledger.store import Append
from gridhall.scheduling.decisions import ACCEPT, DONE, RELEASE, S_COMPLETED, START
from gridhall.scheduling.policy import load_policy
from gridhall.server.live import snapshots
from gridhall.server.live.draft import Draft
from gridhall.server.live.fleet_map import FleetMap, map_fleet
from gridhall.server.live.loop import ReadOnly
from gridhall.server.live.opening import Settings, first_world, open_segment
from gridhall.server.live.service import Service, open_service
from gridhall.server.live.submit import NewJob, new_job_id
from gridhall.server.live.world import World
from gridhall.server.objects.job import JobSpec
from gridhall.server.replaying import replay_store
from gridhall.server.store import Database, open_database
from gridhall.server.store.leadership import take_lead
from gridhall.server.store.log_rows import LogRows, write_append
from gridhall.server.store.reading import open_to_read

KEY = SigningKey("gridhall.bench/log", b"r" * 32)
WRITE = 5000
"""Decisions in one transaction while the store is filled."""
STEP_MS = 700


def fleet_of(racks: int) -> FleetMap:
    """Racks of four H100 nodes at one site."""
    group = {"prefix": "r", "count": racks, "type": "h100", "feeds": ["f"]}
    site = {
        "id": "site",
        "country": "GB",
        "operator": "bench",
        "grid": {"feeds": [{"tag": "f", "limit_mw": racks * 0.05}]},
        "halls": [{"id": "hall", "rack_groups": [group]}],
    }
    return map_fleet(Fleet.model_validate({"schema": "fleet/v1", "sites": [site]}))


class Life:
    """A stream of events as engines and tenants would bring them, about 90 % of the GPUs busy."""

    def __init__(self, seed: int, fleet: FleetMap) -> None:
        self.rng, self.nodes = random.Random(seed), len(fleet.nodes)
        self.running: dict[int, tuple[int, int]] = {}
        self.down: list[int] = list(range(self.nodes))
        self.submitted = 0
        self.waiting = 0

    def next(self, now_ms: int) -> Ints:
        """The next event."""
        if len(self.down) > self.nodes // 20 or (self.down and self.rng.random() < 0.002):
            return row(NODE_UP, now_ms, self.down.pop())
        if self.rng.random() < 0.001:
            node = self.rng.randrange(self.nodes)
            if node not in self.down:
                self.down.append(node)
                return row(NODE_DOWN, now_ms, node)
        if self.running and (self.waiting > 50 or self.rng.random() < 0.5):
            job = self.rng.choice(list(self.running)) if len(self.running) < 8 else next(iter(self.running))
            slot, attempt = self.running.pop(job)
            if self.rng.random() < 0.02:
                return row(LOST, now_ms, slot, attempt, 0, 0, job)
            return row(ENDED, now_ms, slot, attempt, S_COMPLETED, 60_000, job)
        self.submitted += 1
        gpus = self.rng.choice([1, 1, 2, 4, 8, 8, 16, 32])
        return Submit(self.submitted, 0, self.submitted % 50, self.submitted % 7, gpus=gpus, limit_ms=3_600_000).row(
            now_ms
        )

    def hear(self, effects: list[tuple[int, ...]]) -> None:
        """Remember what runs."""
        for kind, _, job, slot, attempt, *_ in effects:
            if kind == START:
                self.running[job] = (slot, attempt)
            elif kind in (RELEASE, DONE):
                self.running.pop(job, None)
            self.waiting += (kind == ACCEPT) - (kind == DONE)

    def over(self, state: ControllerState) -> bool:
        """Whether nothing waits and nothing runs."""
        return not self.running and int(state.queue_length[0]) == 0


async def fill(database: Database, world: World, log: Log, events: int, tail: int) -> None:
    """Write decisions, with a snapshot `tail` decisions before the end."""
    life, now_ms = Life(1, world.fleet), 1_700_000_000_000
    while world.decisions < events:
        draft = Draft(world, now_ms, log.size)
        for _ in range(WRITE):
            now_ms += STEP_MS
            life.hear(draft.step(life.next(now_ms)))
        append = log.prepare(draft.entries)
        taken = None
        if world.decisions == events - tail:
            taken = snapshots.take(world.state, append.size, world.decisions, now_ms)
        note = log.checkpoint(KEY)
        await database.write(partial(write, append=append, note=note, now_ms=now_ms, taken=taken))
        log.commit(append)


def write(writing: Connection, append: Append, note: str, now_ms: int, taken: snapshots.Snapshot | None) -> None:
    """An append, and a snapshot where one is due."""
    write_append(writing, append, note, now_ms)
    if taken is not None:
        snapshots.write(writing, taken)


def settings_of(url: str, fleet: FleetMap) -> Settings:
    """A server without engines: nothing is to be carried out here."""
    return Settings(url, fleet, load_policy(), KEY, WallClock(), {}, {"site": "none"})


async def made(url: str, fleet: FleetMap, events: int, tail: int) -> None:
    """The store, as a server leaves it that is killed after its last decision."""
    database = await open_database(url)
    settings = settings_of(url, fleet)
    world = first_world(settings, 1)
    lead = await take_lead(database, 0)
    log = await open_log(LogRows(database))
    await open_segment(settings, database, world, log, 0, True)
    await fill(database, world, log, events, tail)
    await lead.give_up()
    await database.close()


async def abandon(service: Service) -> None:
    """End without closing the segment, as a kill does."""
    service.loop.failed = True
    await service.close()


async def serving_s(url: str, fleet: FleetMap) -> float:
    """Seconds from opening to the first new decision."""
    began = time.perf_counter()
    service = await open_service(settings_of(url, fleet))
    spec = JobSpec(command=("true",))
    try:
        await service.loop.happen(NewJob(new_job_id(), "first", "home", "default", 0, "bench", spec))
    except ReadOnly as problem:
        raise SystemExit(f"it does not serve: {problem}") from problem
    took = time.perf_counter() - began
    await abandon(service)
    return took


async def replay_s(url: str) -> tuple[int, float, float]:
    """Decisions replayed with every effect compared, the seconds it took, and those of reading the entries only."""
    async with open_to_read(url) as database:
        began = time.perf_counter()
        result = await replay_store(database)
        took = time.perf_counter() - began
        if result.verdict != "same":
            raise SystemExit(f"the replay differs: {result}")
        rows = LogRows(database)
        began = time.perf_counter()
        for first in range(0, await rows.size(), 16_384):
            await rows.entries(first, first + 16_384)
        return result.decisions, took, time.perf_counter() - began


async def measure(events: int, tail: int) -> dict[str, object]:
    """All of it."""
    fleet = fleet_of(16)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'gridhall.db'}"
        await made(url, fleet, events, tail)
        back = await serving_s(url, fleet)
        replayed, took, read = await replay_s(url)
    return {
        "tail_events": tail,
        "serving_s": round(back, 2),
        "events": replayed,
        "replay_s": round(took, 2),
        "read_s": round(read, 2),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--tail", type=int, default=100_000)
    asked = parser.parse_args()
    emit(asyncio.run(measure(asked.events, asked.tail)), load_policy())


if __name__ == "__main__":
    main()
