"""The timer of load targets: when a stretch begins or ends, the value in force goes to the core.

It waits for exactly that moment, or for a schedule to change. Its first look, at a start, tells the core what came into
force while nobody looked.
"""

import asyncio
import logging
from dataclasses import dataclass, field

from gridhall.server.live.draft import Draft
from gridhall.server.live.loop import ReadOnly
from gridhall.server.live.service import Service
from gridhall.server.targets.changes import PutInForce, next_change_ms
from gridhall.server.targets.kept import KIND

log = logging.getLogger("gridhall.targets")

AGAIN_S = 1.0
"""How soon to try again while nothing is decided."""


@dataclass
class TargetWatch:
    """Watches the schedules of a service."""

    service: Service
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self) -> None:
        """Look at every beginning and end, for ever."""
        self.service.loop.on_durable.append(self._heard)
        self.service.on_rebuilt.append(self._rebuilt)
        while True:
            self._changed.clear()
            try:
                looked_ms: int = await self.service.loop.happen(PutInForce())
            except ReadOnly as problem:
                log.warning("load targets wait: %s", problem)
                await asyncio.sleep(AGAIN_S)
                continue
            await self._wait(next_change_ms(self.service.world, looked_ms))

    async def _wait(self, until_ms: int | None) -> None:
        """Until a time or until a schedule changes, whichever is first."""
        waits: list[asyncio.Task[object]] = [asyncio.create_task(self._changed.wait())]
        if until_ms is not None:
            waits.append(asyncio.create_task(self.service.settings.clock.wait_until(until_ms)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    def _heard(self, draft: Draft) -> None:
        if any(each.kind == KIND for each in draft.resources.values()):
            self._changed.set()

    async def _rebuilt(self) -> None:
        self._changed.set()
