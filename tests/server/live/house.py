"""A small live controller for tests: one site with a few nodes, a store in a folder, an engine moved by hand."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from gridhall.engines.clock import WallClock
from gridhall.fleet.models import Fleet
from gridhall.ledger.note import SigningKey
from gridhall.scheduling.policy import load_policy
from gridhall.server.live.fleet_map import FleetMap, map_fleet
from gridhall.server.live.service import Service, Settings, open_service
from gridhall.server.live.submit import NewJob, new_job_id
from gridhall.server.live.work import Job
from gridhall.server.objects.job import JobSpec
from tests.server.live.hand_engine import HandEngine

KEY = SigningKey("gridhall.test/log", b"k" * 32)


def small_fleet(nodes: int = 2) -> FleetMap:
    """One site, one rack of nodes with eight GPUs each."""
    group = {"prefix": "r", "count": 1, "type": "h100", "nodes_per_rack": nodes, "feeds": ["f"]}
    site = {
        "id": "home",
        "country": "GB",
        "operator": "test",
        "grid": {"feeds": [{"tag": "f", "limit_mw": 1}]},
        "halls": [{"id": "hall", "rack_groups": [group]}],
    }
    return map_fleet(Fleet.model_validate({"schema": "fleet/v1", "sites": [site]}))


def hand_engine(fleet: FleetMap) -> HandEngine:
    """An engine for all of its nodes."""
    return HandEngine([(site, node) for site, node in fleet.node_index])


def settings(store_url: str, fleet: FleetMap, engine: HandEngine) -> Settings:
    """Everything by default."""
    return Settings(store_url, fleet, load_policy(), KEY, WallClock(), {"hand": engine}, {"home": "hand"})


@asynccontextmanager
async def running(chosen: Settings) -> AsyncGenerator[Service]:
    """A service until the block is left."""
    service = await open_service(chosen)
    try:
        yield service
    finally:
        await service.close()


async def crash(service: Service) -> None:
    """End a service as `kill -9` would: nothing more is written."""
    service.loop.fail("killed by the test")
    await service.close()


async def nodes_up(service: Service, nodes: int = 2) -> None:
    """Wait until the engine has told of its nodes."""
    await until(lambda: int(service.world.state.node_up[:].sum()) == nodes)


def store_in(folder: Path) -> str:
    """An SQLite store."""
    return f"sqlite:///{folder / 'gridhall.db'}"


async def submit(service: Service, gpus: int = 8, **fields: object) -> Job:
    """Submit a job for the first project; it must be accepted."""
    spec = JobSpec.model_validate({"command": ["true"], "resources": {"gpus": gpus}, **fields})
    job = await service.loop.happen(NewJob(new_job_id(), "a job", "home", "default", 0, "user", spec))
    assert isinstance(job, Job), job
    return job


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for something to come true."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
