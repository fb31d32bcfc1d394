"""The paced twin: an engine whose machines are simulated, at the pace of the clock that it is given.

A live controller drives it as it drives any engine, so that a whole fleet can be tried on a laptop. Nodes are up from
the start, fail and are mended as `faults` draws it; a gang starts after a delay, works, saves and ends as its `script`
says, and dies with any of its nodes. The same orders at the same times give the same reports for the same seed.

Everything is held in memory: what ran when the server stopped is gone, as if its machines had restarted with it, and
the controller reports it lost. No process is ever started, and everything that the twin says is simulated.
"""

import asyncio
import contextlib
import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from gridhall.engines.clock import Clock
from gridhall.engines.protocol import (
    Ability,
    AttemptKey,
    Ended,
    EngineFault,
    Lost,
    NodeSeen,
    OnReport,
    Paused,
    Resumed,
    StaleEpoch,
    Started,
    StartOrder,
    StopOrder,
    Stopped,
)
from gridhall.engines.twin.faults import fault_windows
from gridhall.engines.twin.script import Script, script
from gridhall.engines.twin.settings import WorldSettings
from gridhall.units import YEAR_MS

Node = tuple[str, str]
"""A site and the name of a node in it."""
End = Ended | Stopped | Lost
Happening = Callable[[int], None]
"""What is to come; called with the time at which it was due."""
SIMULATED = b"simulated: this gang runs on a twin; no process was started, and nothing was printed by one\n"
HORIZON_MS = 100 * YEAR_MS
SIGTERM = -15


@dataclass(slots=True, eq=False)
class Attempt:
    """A gang on the twin; `began_ms` None = still starting up, `end` what the controller has yet to forget.

    `still` is whether it was last told to pause, `still_ms` since when it stands still (None = it does not), `stood_ms`
    how long it did so before that.
    """

    key: AttemptKey
    nodes: frozenset[Node]
    script: Script
    began_ms: int | None = None
    stopping: bool = False
    still: bool = False
    still_ms: int | None = None
    stood_ms: int = 0
    end: End | None = None

    def saved_ms(self, now_ms: int, wanted: bool) -> int:
        """Useful work that is saved if it stops now."""
        return self.script.saved_after(self.ran_ms(now_ms), wanted)

    def ran_ms(self, now_ms: int) -> int:
        """How long its processes have run, pauses left out."""
        until_ms = now_ms if self.still_ms is None else self.still_ms
        return 0 if self.began_ms is None else until_ms - self.began_ms - self.stood_ms

    def left_ms(self, now_ms: int) -> int:
        """How long its processes still run, until its work is done or its time limit comes."""
        run_ms, limit_ms = self.script.run_ms, self.script.limit_ms
        return (min(run_ms, limit_ms) if limit_ms else run_ms) - self.ran_ms(now_ms)


class PacedTwin:
    """The engine `twin`, for nodes named by site and name. `settings` are those of the twin that runs scenarios."""

    name = "twin"
    abilities = frozenset({Ability.PAUSE, Ability.CHECKPOINT})

    def __init__(self, nodes: Sequence[Node], clock: Clock, seed: int, settings: WorldSettings | None = None) -> None:
        self._nodes = tuple(nodes)
        self._clock, self._seed, self._settings = clock, seed, settings or WorldSettings()
        self._down: set[Node] = set()
        self._on_node: dict[Node, set[Attempt]] = {node: set() for node in self._nodes}
        self._attempts: dict[AttemptKey, Attempt] = {}
        self._epoch = 0
        self._to_come: list[tuple[int, int, Happening]] = []
        self._planned = 0
        self._sooner = asyncio.Event()
        self._failures = self._fail_one_by_one()
        self._running: asyncio.Task[None] | None = None
        self._on_report: OnReport = lambda report: None

    async def open(self, on_report: OnReport) -> None:
        """Tell of every node and of ends that are not forgotten, and let time pass from now on."""
        self._on_report = on_report
        now_ms = self._clock.now_ms()
        for site, node in self._nodes:
            on_report(NodeSeen(site, node, now_ms, (site, node) not in self._down, "simulated"))
        for attempt in self._attempts.values():
            if attempt.end is not None:
                on_report(attempt.end)
        if self._planned == 0:
            next(self._failures, None)
        self._running = asyncio.create_task(self._pass_time())

    async def start(self, order: StartOrder) -> None:
        """Start a gang; what is known is not started again, and what has ended tells its end again."""
        self._lead(order.epoch)
        known = self._attempts.get(order.key)
        if known is not None:
            self._tell_end(known)
            return
        nodes = frozenset((place.site, place.node) for place in order.places)
        strange = sorted(node for node in nodes if node not in self._on_node)
        if strange:
            raise EngineFault(f"node {strange[0][1]!r} of site {strange[0][0]!r} is not one of the twin's")
        attempt = Attempt(order.key, nodes, script(order, self._seed, self._settings))
        self._attempts[order.key] = attempt
        for node in nodes:
            self._on_node[node].add(attempt)
        now_ms = self._clock.now_ms()
        if nodes & self._down:
            self._finish(attempt, Lost(order.key, now_ms, attempt.script.saved_ms, "simulated: a node of it is down"))
        else:
            self._plan(now_ms + attempt.script.delay_ms, partial(self._begin, attempt))

    async def stop(self, order: StopOrder) -> None:
        """Begin to stop a gang: it writes a checkpoint if its grace is long enough. One that is unknown is lost."""
        self._lead(order.epoch)
        now_ms = self._clock.now_ms()
        attempt = self._attempts.get(order.key)
        if attempt is None:
            end = Lost(order.key, now_ms, 0, "simulated: the twin does not know it; it holds attempts in memory only")
            self._attempts[order.key] = Attempt(order.key, frozenset(), NOTHING, end=end)
            self._on_report(end)
        elif attempt.end is not None:
            self._tell_end(attempt)
        elif not attempt.stopping:
            self._go_on(attempt, now_ms)
            attempt.stopping = True
            needs_ms = self._settings.stop_delay_ms + (attempt.script.cost_ms if attempt.began_ms is not None else 0)
            saved_ms = attempt.saved_ms(now_ms, wanted=needs_ms <= order.grace_ms)
            self._plan(now_ms + min(needs_ms, order.grace_ms), partial(self._stopped, attempt, saved_ms))

    async def pause(self, key: AttemptKey, epoch: int) -> None:
        """Let a gang stand still; one that is still starting up does as soon as it has begun."""
        self._lead(epoch)
        attempt = self._attempts.get(key)
        if attempt is not None and attempt.end is None and not attempt.stopping:
            attempt.still = True
            self._stand(attempt, self._clock.now_ms())

    async def resume(self, key: AttemptKey, epoch: int) -> None:
        """Let a paused gang go on."""
        self._lead(epoch)
        attempt = self._attempts.get(key)
        if attempt is not None and attempt.end is None and not attempt.stopping:
            now_ms = self._clock.now_ms()
            attempt.still = False
            self._go_on(attempt, now_ms)
            self._on_report(Resumed(key, now_ms))

    async def forget(self, key: AttemptKey, epoch: int) -> None:
        """Drop an attempt that has ended."""
        self._lead(epoch)
        if key in self._attempts and self._attempts[key].end is not None:
            del self._attempts[key]

    async def running(self) -> Sequence[AttemptKey]:
        """Every attempt that is not forgotten."""
        return tuple(self._attempts)

    async def read_log(self, key: AttemptKey, rank: int, offset: int, most: int) -> bytes:
        """The one line that every log of a twin has."""
        return SIMULATED[max(0, offset) : max(0, offset) + max(0, most)]

    async def close(self) -> None:
        """Let no more time pass; what runs stays as it is until it is opened again."""
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
            self._running = None

    # --- time -------------------------------------------------------------------------------------------------------

    async def _pass_time(self) -> None:
        """Let happen what is due, then wait for the next thing, or for a sooner one to be planned."""
        while True:
            self._sooner.clear()
            now_ms = self._clock.now_ms()
            while self._to_come and self._to_come[0][0] <= now_ms:
                due_ms, _, happening = heapq.heappop(self._to_come)
                happening(due_ms)
            await self._wait()

    async def _wait(self) -> None:
        waits: list[asyncio.Task[object]] = [asyncio.create_task(self._sooner.wait())]
        if self._to_come:
            waits.append(asyncio.create_task(self._clock.wait_until(self._to_come[0][0])))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    def _plan(self, time_ms: int, happening: Happening) -> None:
        """Something is to happen; at one time, what was planned first comes first."""
        self._planned += 1
        heapq.heappush(self._to_come, (time_ms, self._planned, happening))
        if self._to_come[0][1] == self._planned:
            self._sooner.set()

    # --- gangs ------------------------------------------------------------------------------------------------------

    def _begin(self, attempt: Attempt, now_ms: int) -> None:
        if attempt.end is not None or attempt.stopping:
            return
        attempt.began_ms = now_ms
        self._on_report(Started(attempt.key, now_ms))
        self._plan(now_ms + attempt.left_ms(now_ms), partial(self._run_out, attempt))
        if attempt.still:
            self._stand(attempt, now_ms)

    def _stand(self, attempt: Attempt, now_ms: int) -> None:
        """A gang that has begun stands still from now on, if it does not already."""
        if attempt.began_ms is None:
            return
        if attempt.still_ms is None:
            attempt.still_ms = now_ms
        self._on_report(Paused(attempt.key, attempt.still_ms))

    def _go_on(self, attempt: Attempt, now_ms: int) -> None:
        if attempt.still_ms is not None:
            attempt.stood_ms += now_ms - attempt.still_ms
            attempt.still_ms = None
            self._plan(now_ms + attempt.left_ms(now_ms), partial(self._run_out, attempt))

    def _run_out(self, attempt: Attempt, now_ms: int) -> None:
        """The work is done, or the time limit has come first; if it was paused, it is not yet."""
        if attempt.still_ms is not None or attempt.left_ms(now_ms) > 0:
            return
        ran_ms = attempt.ran_ms(now_ms)
        timed_out = ran_ms < attempt.script.run_ms
        exit_code = SIGTERM if timed_out else attempt.script.exit_code
        self._finish(attempt, Ended(attempt.key, now_ms, exit_code, ran_ms, timed_out))

    def _stopped(self, attempt: Attempt, saved_ms: int, now_ms: int) -> None:
        self._finish(attempt, Stopped(attempt.key, now_ms, saved_ms))

    def _finish(self, attempt: Attempt, end: End) -> None:
        """The gang is gone, unless it went before."""
        if attempt.end is None:
            attempt.end = end
            for node in attempt.nodes:
                self._on_node[node].discard(attempt)
            self._on_report(end)

    def _tell_end(self, attempt: Attempt) -> None:
        if attempt.end is not None:
            self._on_report(attempt.end)

    def _lead(self, epoch: int) -> None:
        if epoch < self._epoch:
            raise StaleEpoch(f"epoch {epoch} is over, {self._epoch} leads")
        self._epoch = epoch

    # --- nodes ------------------------------------------------------------------------------------------------------

    def _fail_one_by_one(self) -> Iterator[None]:
        """Each step plans the next failure of the stream, which begins when the twin is opened first."""
        start_ms = self._clock.now_ms()
        for window in fault_windows(self._settings, len(self._nodes), start_ms, start_ms + HORIZON_MS, self._seed):
            columns = (window.time_ms.tolist(), window.node.tolist(), window.repair_ms.tolist())
            for time_ms, node, repair_ms in zip(*columns, strict=True):
                self._plan(time_ms, partial(self._fail, self._nodes[node], repair_ms))
                yield

    def _fail(self, node: Node, repair_ms: int, now_ms: int) -> None:
        """A node is lost with every gang on it; one that is down already is spared."""
        next(self._failures, None)
        if node in self._down:
            return
        self._down.add(node)
        self._plan(now_ms + repair_ms, partial(self._mend, node))
        self._on_report(NodeSeen(*node, now_ms, False, "simulated: it failed"))
        for attempt in sorted(self._on_node[node], key=lambda each: each.key):
            saved_ms = attempt.saved_ms(now_ms, wanted=False)
            self._finish(attempt, Lost(attempt.key, now_ms, saved_ms, f"simulated: node {node[1]} failed"))

    def _mend(self, node: Node, now_ms: int) -> None:
        self._down.discard(node)
        self._on_report(NodeSeen(*node, now_ms, True, "simulated: it was repaired"))


NOTHING = Script(delay_ms=0, total_ms=0, saved_ms=0, exit_code=0, checkpoint_ms=0, cost_ms=0, limit_ms=0)
"""The script of an attempt that was never started here."""
