"""The clock that a live controller and its engines go by: the real one, or one that runs faster over a twin."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Milliseconds UTC, and a way to wait for them."""

    def now_ms(self) -> int:
        """The time now."""
        ...

    async def wait_until(self, time_ms: int) -> None:
        """Return once the clock has reached a time."""
        ...


class WallClock:
    """Real time."""

    def now_ms(self) -> int:
        """The time now."""
        return time.time_ns() // 1_000_000

    async def wait_until(self, time_ms: int) -> None:
        """Return once the clock has reached a time."""
        await asyncio.sleep(max(0, time_ms - self.now_ms()) / 1000)


class ScaledClock:
    """Begins at `start_ms` and runs `speed` times faster than real time."""

    def __init__(self, start_ms: int, speed: float) -> None:
        self._start_ms, self._speed = start_ms, speed
        self._began_ns = time.monotonic_ns()

    def now_ms(self) -> int:
        """The time now."""
        return self._start_ms + int((time.monotonic_ns() - self._began_ns) * self._speed) // 1_000_000

    async def wait_until(self, time_ms: int) -> None:
        """Return once the clock has reached a time."""
        await asyncio.sleep(max(0, time_ms - self.now_ms()) / 1000 / self._speed)
