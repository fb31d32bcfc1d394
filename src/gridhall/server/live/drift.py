"""Drift: what the engines hold, compared with what was decided, every few seconds.

An attempt that was decided and that its engine does not know is reported lost. An attempt that an engine holds and
nobody decided is an orphan: it is reported, and left for people to look at. One whose end is known is forgotten.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gridhall.engines.clock import Clock
from gridhall.engines.protocol import AttemptKey, Engine, EngineFault, Lost
from gridhall.ledger.entries import Report
from gridhall.server.live.changes import Change, Reported
from gridhall.server.live.draft import Draft
from gridhall.server.live.world import World

log = logging.getLogger("gridhall.drift")

PERIOD_S = 10.0


@dataclass(frozen=True, slots=True)
class OrphanFound:
    """An engine holds an attempt that nobody decided."""

    engine: str
    key: AttemptKey

    def decide(self, draft: Draft) -> None:
        """Write it down."""
        draft.write(Report(draft.now_ms, self.engine, f"attempt:{self.key}", "orphan"))


@dataclass
class Drift:
    """`busy` says whether orders about a job are on their way.

    `orphans` are those found at the last look. What is seen once may be an order that is still on its way, however fast
    the clock runs; only what is seen twice counts.
    """

    world: Callable[[], World]
    engines: Mapping[str, Engine]
    clock: Clock
    tell: Callable[[Change], None]
    busy: Callable[[int], bool]
    orphans: set[tuple[str, AttemptKey]] = field(default_factory=set[tuple[str, AttemptKey]])
    _strange: dict[str, set[AttemptKey]] = field(default_factory=dict[str, set[AttemptKey]])
    _missing: dict[str, set[AttemptKey]] = field(default_factory=dict[str, set[AttemptKey]])

    async def watch(self) -> None:
        """Look again and again."""
        while True:
            for name, engine in self.engines.items():
                try:
                    await self.look(name, engine)
                except EngineFault as problem:
                    log.warning("%s cannot say what it runs: %s", name, problem)
            await asyncio.sleep(PERIOD_S)

    async def look(self, name: str, engine: Engine) -> None:
        """Compare one engine with the world."""
        held = set(await engine.running())
        world = self.world()
        decided = {
            job.open_attempt.key
            for job in world.jobs.values()
            if job.open_attempt and world.engine_of_site[job.open_attempt.places[0].site] == name
        }
        missing = {key for key in decided - held if not self.busy(key.job)}
        strange = {key for key in held - decided if not self.busy(key.job) and not _over(world, key)}
        for key in missing & self._missing.get(name, set()):
            self.tell(Reported(Lost(key, self.clock.now_ms(), 0, f"{name} does not know it")))
        self._report(name, strange & self._strange.get(name, set()))
        self._missing[name], self._strange[name] = missing, strange

    def _report(self, name: str, strange: set[AttemptKey]) -> None:
        found = {(name, key) for key in strange}
        for orphan in found - self.orphans:
            log.error("orphan: %s holds attempt %s, which nobody decided", *orphan)
            self.tell(OrphanFound(*orphan))
        self.orphans = {each for each in self.orphans if each[0] != name} | found


def _over(world: World, key: AttemptKey) -> bool:
    """Whether the attempt was decided once, as far as the world can tell: its job has begun a later one."""
    job = world.jobs.get(key.job)
    return job is not None and key.attempt < job.attempt
