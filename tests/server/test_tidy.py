"""What only mattered for a while leaves the store: tokens that ended long ago, idempotency keys of another day."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, Table, insert, select

from gridhall.server.identity.register import REMEMBER_MS
from gridhall.server.live.service import Service
from gridhall.server.store.leadership import LostLead
from gridhall.server.store.tables import idempotency, token
from gridhall.server.tidy import KEY_MS, MOST_ROWS, keep_tidy, tidy
from tests.server.live.house import hand_engine, running, settings, small_fleet

NOW_MS = 100 * REMEMBER_MS


def a_token(id: str, expires_ms: int) -> dict[str, Any]:
    return {"id": id, "secret_sha256": id, "principal": "a", "created_ms": 0, "expires_ms": expires_ms, "revoked_ms": 0}


def a_key(key: str, time_ms: int) -> dict[str, Any]:
    return {"principal": "a", "key": key, "request_sha256": "", "status": 200, "answer": "{}", "time_ms": time_ms}


async def fill(service: Service, table: Table, rows: list[dict[str, Any]]) -> None:
    await service.database.write(lambda connection: connection.execute(insert(table), rows))


async def left(service: Service, table: Table, column: str) -> set[str]:
    def work(connection: Connection) -> set[str]:
        return set(connection.execute(select(table.c[column])).scalars())

    return await service.database.fetch(work)


def test_only_what_is_too_old_goes(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        async with running(settings(store_url, fleet, hand_engine(fleet))) as service:
            ended, old = NOW_MS - REMEMBER_MS, NOW_MS - KEY_MS
            await fill(service, token, [a_token("old", ended - 1), a_token("late", ended), a_token("good", NOW_MS)])
            await fill(service, idempotency, [a_key("old", old - 1), a_key("late", old)])
            assert await tidy(service, NOW_MS) == 1
            assert await left(service, token, "id") == {"late", "good"}
            assert await left(service, idempotency, "key") == {"late"}
            assert await tidy(service, NOW_MS) == 0

    asyncio.run(story())


def test_many_rows_go_a_part_at_a_time_the_oldest_first(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        async with running(settings(store_url, fleet, hand_engine(fleet))) as service:
            await fill(service, idempotency, [a_key(f"{time_ms:04d}", time_ms) for time_ms in range(MOST_ROWS + 2)])
            assert await tidy(service, NOW_MS) == MOST_ROWS
            assert await left(service, idempotency, "key") == {f"{MOST_ROWS:04d}", f"{MOST_ROWS + 1:04d}"}
            tidying = asyncio.create_task(keep_tidy(service, lambda: NOW_MS))
            async with asyncio.timeout(10):
                while await left(service, idempotency, "key"):
                    await asyncio.sleep(0.01)
            tidying.cancel()

    asyncio.run(story())


def test_who_lost_the_lead_deletes_nothing(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        async with running(settings(store_url, fleet, hand_engine(fleet))) as service:
            await fill(service, token, [a_token("old", 0)])
            service.lead.epoch -= 1
            with pytest.raises(LostLead):
                await tidy(service, NOW_MS)
            assert await left(service, token, "id") == {"old"}

    asyncio.run(story())
