"""A clock that goes where the test says, stopping wherever somebody waits."""

import asyncio


class ManualClock:
    """Time stands still until `advance`."""

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        return self._now_ms

    async def wait_until(self, time_ms: int) -> None:
        if time_ms > self._now_ms:
            reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((time_ms, reached))
            await reached

    async def advance(self, by_ms: int) -> None:
        """Let time pass, from one moment that somebody waits for to the next."""
        until_ms = self._now_ms + by_ms
        await settle()
        while due := self._next(until_ms):
            self._now_ms = due
            for _, reached in [each for each in self._waiting if each[0] <= due]:
                if not reached.done():
                    reached.set_result(None)
            await settle()
        self._now_ms = until_ms

    def _next(self, until_ms: int) -> int | None:
        self._waiting = [each for each in self._waiting if not each[1].done()]
        due = [time_ms for time_ms, _ in self._waiting if time_ms <= until_ms]
        return min(due, default=None)


async def settle() -> None:
    """Let every task run that can."""
    for _ in range(8):
        await asyncio.sleep(0)
