"""Tidying: tokens that ended long ago and idempotency keys of another day leave the store, a few rows at a time."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, select, tuple_

from gridhall.server.identity.register import REMEMBER_MS, wall_ms
from gridhall.server.live.service import Service
from gridhall.server.store.leadership import stay_leader
from gridhall.server.store.tables import idempotency, token
from gridhall.units import HOUR_MS

log = logging.getLogger("gridhall.tidy")

KEY_MS = 24 * HOUR_MS
"""How long the answer to a write is kept under its idempotency key."""
MOST_ROWS = 500
"""Most rows of a table in one transaction, so that no submission waits long for it."""
TIDY_S, GO_ON_S = 60.0, 1.0
"""How long to wait when nothing is left to delete, and when something is."""


async def keep_tidy(service: Service, now_ms: Callable[[], int] = wall_ms) -> None:
    """Delete what is too old, for as long as the server runs; what cannot be deleted now is so later."""
    while True:
        full = False
        try:
            full = await tidy(service, now_ms()) >= MOST_ROWS
        except Exception as problem:  # the store is away, or another controller leads: the loop says so
            log.debug("nothing was tidied: %s", problem)
        await asyncio.sleep(GO_ON_S if full else TIDY_S)


async def tidy(service: Service, now_ms: int) -> int:
    """Delete some rows that are too old at a time of the wall clock; how many of the table with most."""
    epoch, beat_ms = service.lead.epoch, service.loop.now_ms()

    def work(connection: Connection) -> int:
        stay_leader(connection, epoch, beat_ms)
        tokens = _delete(connection, token, token.c.expires_ms, now_ms - REMEMBER_MS)
        return max(tokens, _delete(connection, idempotency, idempotency.c.time_ms, now_ms - KEY_MS))

    return await service.database.write(work)


def _delete(connection: Connection, table: Table, when: Column[Any], before_ms: int) -> int:
    key = tuple(table.primary_key)
    old = select(*key).where(when < before_ms).order_by(when).limit(MOST_ROWS)
    return connection.execute(delete(table).where(tuple_(*key).in_(old))).rowcount
