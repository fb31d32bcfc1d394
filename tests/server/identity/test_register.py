"""What the store keeps of tokens, and what the register knows after a restart."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from gridhall.server.identity.bootstrap import bootstrap
from gridhall.server.identity.register import NotKnown, Register, open_register, wall_ms
from gridhall.server.identity.tokens import RevokeTokens, hash_of
from gridhall.server.live.service import Service
from gridhall.server.store import tables
from tests.server.live.house import hand_engine, running, settings, small_fleet, store_in


async def opened(service: Service) -> tuple[Register, str]:
    register = await open_register(service)
    return register, await bootstrap(service, wall_ms())


def test_the_store_has_the_hash_and_not_the_secret(tmp_path: Path) -> None:
    async def story() -> None:
        fleet = small_fleet()
        async with running(settings(store_in(tmp_path), fleet, hand_engine(fleet))) as service:
            _, secret = await opened(service)
            async with service.database.read() as connection:
                row = (await connection.execute(select(tables.token))).mappings().one()
            assert row["secret_sha256"] == hash_of(secret)
            assert secret not in str(dict(row))
        for file in tmp_path.iterdir():
            assert secret.encode() not in file.read_bytes()

    asyncio.run(story())


def test_tokens_and_their_revocation_survive_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        fleet = small_fleet()
        chosen = settings(store_in(tmp_path), fleet, hand_engine(fleet))
        async with running(chosen) as service:
            register, kept = await opened(service)
            gone = await bootstrap(service, wall_ms())
            token = register.tokens_of("admin")[-1]
            await service.loop.happen(RevokeTokens((token,), wall_ms()))
        async with running(chosen) as service:
            register = await open_register(service)
            principal, grants = register.recognise(kept)
            assert (principal.id, grants[0].verb) == ("admin", "*")
            with pytest.raises(NotKnown) as refused:
                register.recognise(gone)
            assert refused.value.reason == "revoked-token"

    asyncio.run(story())


def test_the_first_start_makes_its_user_once(tmp_path: Path) -> None:
    async def story() -> None:
        fleet = small_fleet()
        async with running(settings(store_in(tmp_path), fleet, hand_engine(fleet))) as service:
            first, second = [await bootstrap(service, wall_ms()) for _ in range(2)]
            assert first != second
            directory = service.world.directory
            assert [each.id for each in directory.all("user")] == ["admin"]
            assert [(each.id, each.number) for each in directory.all("project")] == [("default", 0)]
            assert [(each.id, each.number) for each in directory.all("organisation")] == [("home", 0)]
            assert len(list(directory.all("role-binding"))) == 1

    asyncio.run(story())
