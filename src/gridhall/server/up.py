"""`gridhall up`: API and controller in one process, over this machine, a fleet of engines, or a twin.

Everything is kept in one folder that only its owner can open: the database, the log's key, the local engine's records
and `client.json` with the address and a token for the commands of the same user, renewed while the server runs.
"""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from gridhall.engines.clock import Clock, ScaledClock, WallClock
from gridhall.engines.local.host import discover
from gridhall.engines.protocol import Engine
from gridhall.errors import fault
from gridhall.fleet.load import load_fleet
from gridhall.fleet.models import Fleet
from gridhall.ledger.keys import load_key, make_key
from gridhall.ledger.note import SigningKey
from gridhall.money.rates import load_rates
from gridhall.scheduling.policy import load_policy
from gridhall.server.api.app import make_app
from gridhall.server.budget_watch import BudgetWatch
from gridhall.server.config import Config, load_config
from gridhall.server.engines_of import engines_of
from gridhall.server.host_fleet import host_fleet
from gridhall.server.identity.bootstrap import bootstrap
from gridhall.server.identity.register import open_register, wall_ms
from gridhall.server.live.fleet_map import FleetMap, map_fleet
from gridhall.server.live.loop import ReadOnly
from gridhall.server.live.service import Service, Settings, open_service
from gridhall.server.process import tune_process
from gridhall.server.targets.watch import TargetWatch
from gridhall.server.tidy import keep_tidy

RENEW_S, AGAIN_S = 6 * 3600, 10
GOODBYE_S = 3
"""How long open connections may go on when the server is told to end."""

BACKLOG = 2048
"""Connections that may wait to be taken."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """What `gridhall up` was asked for. `speed` is for a twin: how much faster than real time; `load` of its GPUs."""

    folder: Path
    fleet: Path | None = None
    config: Path | None = None
    host: str = "127.0.0.1"
    port: int = 7410
    twin: bool = False
    speed: float = 1.0
    load: float = 0.8
    seed: int = 1


class Server(uvicorn.Server):
    """uvicorn, which leaves signals to us: it would raise them again when it has ended, and the exit code with them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave them."""
        yield

    def end(self) -> None:
        """Take no more requests, finish those that are there, and return; at once when told again."""
        self.force_exit = self.should_exit
        self.should_exit = True


async def serve(wanted: Wanted, say: Say) -> None:
    """Run until told to end. Raises InputError for whatever keeps it from starting."""
    prepare_folder(wanted)
    fleet = read_fleet(wanted, say)
    config = load_config(wanted.config, fleet) if wanted.config else Config()
    async with opened(wanted, map_fleet(fleet), config) as service:
        register = await open_register(service)
        app = make_app(service, register)
        settings = uvicorn.Config(
            app,
            wanted.host,
            wanted.port,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=GOODBYE_S,
        )
        server = Server(settings)
        door = listen(wanted.host, wanted.port)
        for ending in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(ending, server.end)
        tune_process()
        helpers = [asyncio.create_task(each) for each in beside(service, wanted, say)]
        try:
            await server.serve(sockets=[door])
        finally:
            for helper in helpers:
                helper.cancel()
            (wanted.folder / "client.json").unlink(missing_ok=True)


def listen(host: str, port: int) -> socket.socket:
    """The socket of the API; from here on nobody is turned away. Raises InputError when the address cannot be had."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as problem:
        raise fault(f"{host}:{port}", "--port", problem.strerror or str(problem), "use another --port") from problem


def prepare_folder(wanted: Wanted) -> None:
    """The server's folder, closed to others. A twin's store does not outlive the server: its machines do not either."""
    wanted.folder.mkdir(parents=True, exist_ok=True)
    wanted.folder.chmod(0o700)
    if wanted.twin:
        shutil.rmtree(wanted.folder / "twin", ignore_errors=True)
        (wanted.folder / "twin").mkdir()


def read_fleet(wanted: Wanted, say: Say) -> Fleet:
    """The fleet file, or this machine as a fleet of one node, and a sentence that says so."""
    if wanted.fleet is not None:
        return load_fleet(wanted.fleet)
    host = discover()
    gpus = f"{len(host.gpus)} x {host.gpus[0].name}" if host.gpus else "no GPU: its cores are the units of allocation"
    say(f"no fleet file: this machine is the fleet ({host.name}, {host.cores} cores, {host.memory_mib:,} MiB, {gpus})")
    return host_fleet(host)


@contextlib.asynccontextmanager
async def opened(wanted: Wanted, fleet: FleetMap, config: Config) -> AsyncGenerator[Service]:
    """The controller, running, with somebody in it who may ask."""
    folder = wanted.folder / "twin" if wanted.twin else wanted.folder
    clock: Clock = ScaledClock(wall_ms(), wanted.speed) if wanted.twin else WallClock()
    engines, engine_of_site = _engines(wanted, fleet, config, clock)
    store = config.store or f"sqlite:///{folder / 'gridhall.db'}"
    rates = load_rates(config.rates) if config.rates else None
    settings = Settings(store, fleet, load_policy(), log_key(folder), clock, engines, engine_of_site, rates=rates)
    service = await open_service(settings)
    try:
        yield service
    finally:
        await service.close()


def _engines(
    wanted: Wanted, fleet: FleetMap, config: Config, clock: Clock
) -> tuple[Mapping[str, Engine], Mapping[str, str]]:
    if not wanted.twin:
        return engines_of(config, fleet, wanted.folder, log_key(wanted.folder).name)
    from gridhall.engines.twin.paced import PacedTwin  # half a second of imports that a real fleet does not need

    twin = PacedTwin(list(fleet.node_index), clock, wanted.seed)
    return {twin.name: twin}, dict.fromkeys(fleet.arrays.site_names, twin.name)


def log_key(folder: Path) -> SigningKey:
    """The key that signs the log, made at the first start."""
    path = folder / "log.key"
    return load_key(path) if path.exists() else make_key(path, f"gridhall.local/{secrets.token_hex(4)}")


def beside(service: Service, wanted: Wanted, say: Say) -> Sequence[Coroutine[Any, Any, None]]:
    """What runs beside the API."""
    helpers: list[Coroutine[Any, Any, None]] = [
        renew_token(service, wanted, say),
        BudgetWatch(service).watch(),
        keep_tidy(service),
        TargetWatch(service).watch(),
    ]
    if wanted.twin and wanted.load > 0:
        from gridhall.server.background import keep_busy

        helpers.append(keep_busy(service, wanted.load, wanted.seed))
    return helpers


async def renew_token(service: Service, wanted: Wanted, say: Say) -> None:
    """Keep a token for the commands of the same user in `client.json`; its first writing says that we are ready."""
    path = wanted.folder / "client.json"
    say_once = [f"ready: http://{wanted.host}:{wanted.port}/v1 (a token for you is in {path})"]
    while True:
        try:
            token = await bootstrap(service, wall_ms())
        except ReadOnly:
            await asyncio.sleep(AGAIN_S)
            continue
        draft = path.with_name(".client.json")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump({"url": f"http://{wanted.host}:{wanted.port}", "token": token}, file)
        draft.replace(path)
        while say_once:
            say(say_once.pop())
        await asyncio.sleep(RENEW_S)
