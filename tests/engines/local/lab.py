"""A local engine with its reports collected, and orders for it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gridhall.engines.local.engine import LocalEngine
from gridhall.engines.protocol import AttemptKey, Ended, Lost, Place, Report, StartOrder, Stopped

PYTHON = "/usr/bin/python3"
SITES = {"lab": ("n0", "n1"), "annex": ("n2",)}
END = (Ended, Stopped, Lost)


@dataclass
class Lab:
    engine: LocalEngine
    reports: "asyncio.Queue[Report]"

    async def next(self, *kinds: type, seconds: float = 10) -> Any:
        """The next report of these kinds."""
        async with asyncio.timeout(seconds):
            while not isinstance(report := await self.reports.get(), kinds):
                pass
            return report

    async def end_of(self, order: StartOrder, seconds: float = 10) -> Any:
        """Start, and wait for the end."""
        await self.engine.start(order)
        while (end := await self.next(*END, seconds=seconds)).key != order.key:
            pass
        return end

    async def log(self, order: StartOrder, rank: int = 0) -> str:
        return (await self.engine.read_log(order.key, rank, 0, 1 << 20)).decode()

    async def says(self, order: StartOrder, words: str, rank: int = 0, seconds: float = 10) -> None:
        """Until a rank has written some words."""
        async with asyncio.timeout(seconds):
            while words not in await self.log(order, rank):
                await asyncio.sleep(0.02)


@asynccontextmanager
async def lab(root: Path, **settings: Any) -> AsyncIterator[Lab]:
    reports: asyncio.Queue[Report] = asyncio.Queue()
    engine = LocalEngine(root, SITES, **settings)
    await engine.open(reports.put_nowait)
    try:
        yield Lab(engine, reports)
    finally:
        await engine.close()


def order(code: str = "", job: int = 1, attempt: int = 1, **changes: Any) -> StartOrder:
    """One process on one node that runs Python code."""
    command = (PYTHON, "-c", code)
    places = (Place("lab", "n0", ()),)
    plain = StartOrder(AttemptKey(job, attempt), 1, "a job", "org", "project", "user", command, places, grace_ms=2_000)
    return replace(plain, **changes)


def open_folder() -> Path:
    """A new folder that other users can pass, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="gridhall-"))
    folder.chmod(0o711)
    return folder
