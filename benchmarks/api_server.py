"""The server that `benchmarks.api` talks to: the real one over 60,000 GPUs, whose engine takes orders and says nothing.

    python -m benchmarks.api_server STORE_URL PORT

Prints one line when it is ready: a token. `POST /noop` is the cheapest possible write of the same stack.
"""

import asyncio
import sys
from collections.abc import Sequence

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.restart import KEY, fleet_of
from gridhall.engines.clock import WallClock
from gridhall.engines.protocol import Ability, AttemptKey, NodeSeen, OnReport, StartOrder, StopOrder
from gridhall.scheduling.policy import load_policy
from gridhall.server.api.app import make_app
from gridhall.server.identity.bootstrap import bootstrap
from gridhall.server.identity.register import open_register, wall_ms
from gridhall.server.live.service import Settings, open_service
from gridhall.server.process import tune_process

RACKS = 1875
"""Of four nodes with eight GPUs: 7,500 nodes, 60,000 GPUs."""


class SilentEngine:
    """Takes every order on and never reports an end."""

    name = "silent"
    abilities: frozenset[Ability] = frozenset()

    def __init__(self, nodes: Sequence[tuple[str, str]]) -> None:
        self._nodes = nodes
        self._held: set[AttemptKey] = set()

    async def open(self, on_report: OnReport) -> None:
        """Every node is up."""
        for site, node in self._nodes:
            on_report(NodeSeen(site, node, 0, True))

    async def start(self, order: StartOrder) -> None:
        """Hold the attempt."""
        self._held.add(order.key)

    async def stop(self, order: StopOrder) -> None:
        """Let it be."""

    async def pause(self, key: AttemptKey, epoch: int) -> None:
        """Let it be."""

    async def resume(self, key: AttemptKey, epoch: int) -> None:
        """Let it be."""

    async def forget(self, key: AttemptKey, epoch: int) -> None:
        """Hold it no more."""
        self._held.discard(key)

    async def running(self) -> Sequence[AttemptKey]:
        """What it holds."""
        return tuple(self._held)

    async def read_log(self, key: AttemptKey, rank: int, offset: int, most: int) -> bytes:
        """Nothing."""
        return b""

    async def close(self) -> None:
        """Nothing to close."""


async def noop(request: Request) -> Response:
    """Read the body and answer."""
    await request.body()
    return Response(status_code=204)


async def serve(url: str, port: int) -> None:
    """Run until killed."""
    fleet = fleet_of(RACKS)
    engine = SilentEngine(list(fleet.node_index))
    settings = Settings(url, fleet, load_policy(), KEY, WallClock(), {"silent": engine}, {"site": "silent"})
    service = await open_service(settings)
    while int(service.world.state.node_up[:].sum()) < len(fleet.nodes):
        await asyncio.sleep(0.1)
    token = await bootstrap(service, wall_ms())
    app = make_app(service, await open_register(service))
    app.router.routes.append(Route("/noop", noop, methods=["POST"]))
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_config=None, access_log=False, lifespan="off"))
    tune_process()
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(token, flush=True)
    await running


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
