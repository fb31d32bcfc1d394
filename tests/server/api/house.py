"""The API over a small live controller, called in this process."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from gridhall.engines.clock import Clock, WallClock
from gridhall.money.rates import load_rates
from gridhall.server.api.app import make_app
from gridhall.server.identity.bootstrap import bootstrap
from gridhall.server.identity.register import Register, open_register, wall_ms
from gridhall.server.identity.tokens import IssueToken, Token, new_token
from gridhall.server.live.changes import Delivered
from gridhall.server.live.draft import Draft
from gridhall.server.live.service import Service
from gridhall.server.live.world import Resource
from tests.server.live.hand_engine import HandEngine
from tests.server.live.house import hand_engine, running, settings, small_fleet, store_in, until

RATES = Path(__file__).parents[3] / "examples" / "rates.yaml"


@dataclass
class House:
    """A running server, with a token of its first user."""

    service: Service
    register: Register
    engine: HandEngine
    app: FastAPI
    admin: httpx.AsyncClient

    def client(self, secret: str = "", address: str = "127.0.0.1") -> httpx.AsyncClient:
        """Somebody who calls it."""
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        transport = httpx.ASGITransport(self.app, client=(address, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://house", headers=headers)

    async def settled(self) -> None:
        """Wait until everything that was told so far is durable."""
        await self.service.loop.happen(Delivered(()))

    async def somebody(self, organisation: str, role: str, project: str = "") -> httpx.AsyncClient:
        """A new user of an organisation with a role there, or in one of its projects."""
        name, now_ms = f"{role}-of-{organisation}{project}", self.register.now_ms()
        user = Resource(name, "user", name, organisation, "", now_ms, "test", now_ms, {})
        binding: dict[str, object] = {"principal": name, "role": role}
        bound = Resource(f"rb-{name}", "role-binding", name, organisation, project, now_ms, "test", now_ms, binding)
        token, secret = new_token(name, 60_000, now_ms)
        new = [user, bound]
        if self.service.world.directory.get("organisation", organisation) is None:
            new.append(Resource(organisation, "organisation", name, organisation, "", now_ms, "test", now_ms, {}))
        await self.service.loop.happen(_Appears(tuple(new), token))
        return self.client(secret)


@dataclass(frozen=True)
class _Appears:
    """Resources and a token come to be."""

    resources: tuple[Resource, ...]
    token: Token

    def decide(self, draft: Draft) -> None:
        for each in self.resources:
            draft.put(each)
        IssueToken(self.token).decide(draft)


@asynccontextmanager
async def open_house(
    folder: Path,
    nodes: int = 2,
    now_ms: Callable[[], int] = wall_ms,
    clock: Clock | None = None,
    store_url: str = "",
) -> AsyncGenerator[House]:
    """A house whose nodes are up, until the block is left."""
    fleet = small_fleet(nodes)
    engine = hand_engine(fleet)
    chosen = replace(
        settings(store_url or store_in(folder), fleet, engine), clock=clock or WallClock(), rates=load_rates(RATES)
    )
    async with running(chosen) as service:
        register = await open_register(service, now_ms)
        await until(lambda: int(service.world.state.node_up[:].sum()) == nodes)
        app = make_app(service, register)
        house = House(service, register, engine, app, httpx.AsyncClient())
        house.admin = house.client(await bootstrap(service, now_ms()))
        yield house


def in_house(folder: Path, story: Callable[[House], Awaitable[Any]], **chosen: Any) -> None:
    """Run a story in a house of its own."""

    async def run() -> None:
        async with open_house(folder, **chosen) as house:
            await story(house)

    asyncio.run(run())
