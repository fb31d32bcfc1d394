"""A clock that stands still until the test moves it."""

import asyncio


class HandClock:
    """Begins at a Monday in 2026."""

    def __init__(self, now_ms: int = 1_780_272_000_000) -> None:
        self._now_ms = now_ms
        self._moved = asyncio.Condition()

    def now_ms(self) -> int:
        return self._now_ms

    async def move(self, by_ms: int) -> None:
        async with self._moved:
            self._now_ms += by_ms
            self._moved.notify_all()

    async def wait_until(self, time_ms: int) -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: self._now_ms >= time_ms)
