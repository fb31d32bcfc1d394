"""The loop: changes in, one decision after another, durable together, then carried out.

Changes that arrive while a transaction is on its way are taken together into the next one: the busier the server, the
larger the groups, and the disk's full sync is shared. A transaction that fails leaves a world in memory that nobody
may act on: the loop stops, everyone who waits is told, and the server only answers reads until the world was rebuilt
from the store (`service`) and the loop resumes with it.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gridhall.controller.state import ControllerState
from gridhall.engines.clock import Clock
from gridhall.ledger.log import Log
from gridhall.ledger.note import SigningKey
from gridhall.server.live.changes import Change, WakeUp
from gridhall.server.live.commit import write_draft
from gridhall.server.live.draft import Draft, OrderRow, Refusal
from gridhall.server.live.world import World
from gridhall.server.store import Database, in_short

log = logging.getLogger("gridhall.live")

MOST_CHANGES = 512
"""Most changes in one transaction."""

OnDurable = Callable[[Draft], None]


class ReadOnly(Exception):
    """The loop does not decide any more; the text says why."""


@dataclass(slots=True)
class _Waiting:
    change: Change
    answer: asyncio.Future[Any]


@dataclass
class Loop:
    """`carry` is told of every order that has become durable, `on_durable` of every draft."""

    world: World
    database: Database
    log: Log
    key: SigningKey
    clock: Clock
    carry: Callable[[Sequence[OrderRow]], None]
    on_durable: list[OnDurable] = field(default_factory=list[OnDurable])
    stopped: str = ""
    """Why it does not decide any more; empty while it does."""
    failed: bool = False
    """Whether it stopped because a transaction failed: what is in memory is not what is durable."""
    groups: int = 0
    """Transactions so far."""
    _waiting: deque[_Waiting] = field(default_factory=deque[_Waiting])
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _decided: asyncio.Event = field(default_factory=asyncio.Event)
    _still: asyncio.Lock = field(default_factory=asyncio.Lock)
    _last_ms: int = 0
    _woken_ms: int = 0

    async def happen(self, change: Change) -> Any:
        """Decide on a change; its answer, once it is durable. Raises Refusal, or ReadOnly when the loop has stopped."""
        return await self.send(change)

    def send(self, change: Change) -> "asyncio.Future[Any]":
        """Put a change in line; the future has its answer."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.stopped:
            answer.set_exception(ReadOnly(self.stopped))
        else:
            self._waiting.append(_Waiting(change, answer))
            self._arrived.set()
        return answer

    def tell(self, change: Change) -> None:
        """Put a change in line whose answer nobody waits for."""
        self.send(change).add_done_callback(_look_at)

    async def run(self) -> None:
        """Decide until `close`, or until a transaction fails."""
        waker = asyncio.create_task(self._wake())
        try:
            while not self.stopped:
                await self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    async with self._still:
                        await self._group()
        except Exception as problem:
            self.fail(in_short(problem))
            raise
        finally:
            waker.cancel()

    def close(self) -> None:
        """Decide on what is in line already, then nothing more."""
        self.stopped = self.stopped or "the server is shutting down"
        self._arrived.set()

    def fail(self, reason: str) -> None:
        """Decide no more: what is in memory may not be what is durable. Everyone who waits is told."""
        self.failed, self.stopped = True, reason
        while self._waiting:
            answer = self._waiting.popleft().answer
            if not answer.done():
                answer.set_exception(ReadOnly(self.stopped))
        self._arrived.set()

    def resume(self, world: World, log: Log) -> None:
        """Take changes again, on a world that was read from the store; `run` then decides on them."""
        self.world, self.log = world, log
        self.failed, self.stopped, self._woken_ms = False, "", 0

    async def frozen(self) -> tuple[ControllerState, int, int]:
        """A copy of the durable state, with the numbers of entries and decisions that led to it. Raises ReadOnly."""
        async with self._still:
            if self.failed:
                raise ReadOnly(self.stopped)
            return self.world.state.fork(), self.log.size, self.world.decisions

    async def settled(self) -> None:
        """Wait until the transaction that is on its way has ended."""
        async with self._still:
            return

    def now_ms(self) -> int:
        """The clock's time, never earlier than before."""
        self._last_ms = max(self._last_ms, self.clock.now_ms())
        return self._last_ms

    async def _group(self) -> None:
        taken = [self._waiting.popleft() for _ in range(min(MOST_CHANGES, len(self._waiting)))]
        draft = Draft(self.world, self.now_ms(), self.log.size)
        answers: list[object] = []
        try:
            for each in taken:
                answers.append(_decide(each.change, draft))
            await self._make_durable(draft)
        except BaseException as problem:
            for each in taken:
                if not each.answer.done():
                    each.answer.set_exception(ReadOnly(f"this was perhaps not written: {in_short(problem)}"))
            raise
        for each, answer in zip(taken, answers, strict=True):
            if not each.answer.done():
                each.answer.set_exception(answer) if isinstance(answer, Refusal) else each.answer.set_result(answer)
        if draft.orders:
            self.carry(draft.orders)
        for told in self.on_durable:
            told(draft)
        self._decided.set()

    async def _make_durable(self, draft: Draft) -> None:
        if draft.empty:
            return
        append = self.log.prepare(draft.entries)
        note = self.log.checkpoint(self.key)
        began_s = time.perf_counter()
        await self.database.write(lambda connection: write_draft(connection, draft, append, note))
        draft.commit_s = time.perf_counter() - began_s
        self.log.commit(append)
        self.groups += 1

    async def _wake(self) -> None:
        """Bring the core each wake-up that it asks for."""
        while True:
            asked_ms = self._asked_ms()
            if asked_ms and await self._reaches(asked_ms):
                self._woken_ms = asked_ms
                answer = self.send(WakeUp())
                answer.add_done_callback(_look_at)
                await asyncio.wait([answer])
            elif not asked_ms:
                self._decided.clear()
                await self._decided.wait()

    def _asked_ms(self) -> int:
        """The next wake-up that the queue or the energy desk asks for; 0 = none."""
        asked = int(self.world.state.wake_ms[0]), int(self.world.state.desk_wake_ms[0])
        return min((each for each in asked if each > self._woken_ms), default=0)

    async def _reaches(self, asked_ms: int) -> bool:
        """Whether the clock comes to a wake-up before a decision asks for a sooner one."""
        due = asyncio.ensure_future(self.clock.wait_until(asked_ms))
        try:
            while not due.done() and self._asked_ms() == asked_ms:
                self._decided.clear()
                decided = asyncio.ensure_future(self._decided.wait())
                await asyncio.wait((due, decided), return_when=asyncio.FIRST_COMPLETED)
                decided.cancel()
            return due.done()
        finally:
            due.cancel()


def _decide(change: Change, draft: Draft) -> object:
    try:
        return change.decide(draft)
    except Refusal as refusal:
        return refusal


def _look_at(answer: "asyncio.Future[Any]") -> None:
    problem = None if answer.cancelled() else answer.exception()
    if problem is not None and not isinstance(problem, ReadOnly):
        log.warning("change refused: %s", problem)
