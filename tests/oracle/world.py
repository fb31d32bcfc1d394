"""A simple world: it carries out effects and makes the events of engines, hardware and people, late, twice or never.

A live world has all that a control plane can tell the core; one that is not live draws as it did before there was one.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from gridhall.controller import events as ev
from gridhall.scheduling import decisions as d
from tests.oracle.cases import Case
from tests.oracle.clerk import Clerk

MINUTE_MS = 60_000
STRANGENESS = {"calm": 0.0, "crowded": 0.1, "mixed": 0.3, "failing": 0.6}
"""How often something other than a submission comes, by the world's mood."""
Event = tuple[int, ...]


@dataclass
class Truth:
    """What the world knows of a job: its run time and checkpoints, and where its current attempt is."""

    job_id: int
    duration_ms: int
    checkpoint_ms: int
    saved_ms: int = 0
    begin_saved_ms: int = 0
    slot: int = -1
    attempt: int = 0
    running: bool = False
    start_ms: int = 0
    nodes: set[int] = field(default_factory=set)


class World:
    """Events one by one; `carry_out` tells it what the core decided. Everything follows from the random stream."""

    def __init__(self, case: Case, rng: Random, calm: bool = False, jobs: int = 10_000, live: bool = False) -> None:
        self.rng, self.calm, self.jobs_left = rng, calm, jobs
        self.fleet, self.projects = case.fleet, len(case.tenancy.projects)
        self.clerk = Clerk(case, rng) if live else None
        self.node0 = [int(node) for node in case.fleet.rack_node0]
        self.now_ms = rng.choice([0, 1_700_000_000_000])
        self.planned: list[tuple[int, int, Event]] = []
        self.sequence = 0
        self.by_slot: dict[int, Truth] = {}
        self.past: list[Event] = []
        self.submitted: list[tuple[Event, Truth]] = []
        self.pace_ms = rng.choice([1, 10, 60]) * MINUTE_MS
        self.mood = "calm" if calm else rng.choice(["mixed", "mixed", "crowded", "failing"])
        for node in range(self.node0[-1]):
            if calm or rng.random() < 0.9:
                self.plan(self.now_ms, ev.NODE_UP, node)
        for cell in range(len(case.fleet.cell_site) if live else 0):
            self.plan(self.now_ms, ev.ABILITY, cell, rng.choice([0, 1, 1, 1]))
        self.strange_ms = self.now_ms

    def plan(self, time_ms: int, kind: int, *fields: int) -> None:
        """Something will happen."""
        self.sequence += 1
        heapq.heappush(self.planned, (time_ms, self.sequence, (kind, time_ms, *fields)))

    def next_event(self) -> Event | None:
        """What happens next; None when nothing more will."""
        if self.planned and (self.planned[0][0] <= self.strange_ms or not self.jobs_left):
            event = heapq.heappop(self.planned)[2]
        elif self.jobs_left:
            event = self.submit() if self.rng.random() >= STRANGENESS[self.mood] else self.strange()
            self.strange_ms = max(self.strange_ms, self.now_ms) + self.gap_ms()
        else:
            return None
        self.now_ms = max(self.now_ms, event[1])
        self.past.append(event)
        return event

    def gap_ms(self) -> int:
        """Time to the next thing that nobody planned."""
        return self.rng.choice([0, self.rng.randint(0, 4 * self.pace_ms)])

    # --- what people and hardware do --------------------------------------------------------------------------------

    def submit(self) -> Event:
        """A job; its sizes, limits and names are few, so that things repeat."""
        rng = self.rng
        self.jobs_left -= 1
        crowded = self.mood == "crowded"
        duration = rng.choice([1_000, 5 * MINUTE_MS, 40 * MINUTE_MS, 400 * MINUTE_MS][2 * crowded :])
        limit = rng.choice([0, duration, 2 * duration, 20 * duration])
        checkpoint = rng.choice([0, 0, 10 * MINUTE_MS])
        gpus = rng.choice([1, 2, 3, 4, 4, 8, 8, 12, 16, 24, 32, 48, 80][6 * crowded :])
        cells = rng.choice([(1 << 60) - 1, (1 << 60) - 1, rng.getrandbits(6), 1])
        job_id = len(self.submitted)
        who = (rng.randrange(self.projects), rng.randint(0, 2), rng.randint(0, 2))
        kind = (rng.choice([0, 1, 1, 1, 2, 3]), rng.randint(0, 1), rng.randint(0, 5))
        shape = (gpus, rng.choice([0, 1, 4, 4, 8]), 1000, 0, 0, cells)
        rest = (limit, rng.choice([100, 500, 1000]), checkpoint, rng.choice([0, 30_000]), 0)
        if self.clerk is not None and rng.random() < 0.5:
            rest = (*rest[:-1], self.now_ms + rng.choice([0, 1, 2, 20]) * max(duration, limit))
        if self.clerk is not None and rng.random() < 0.4:
            together = rng.choice([(0, 0), (1, 0), (2, 0), (2, 0), (3, 0), (4, 0), (0, 2), (0, 3), (2, 2), (3, 3)])
            rest = (*rest, *together, rng.choice([0, 0, 1, 2]), rng.choice([0, 0, 1]))
        event = (ev.SUBMIT, self.now_ms, job_id, *who, *kind, *shape, *rest)
        truth = Truth(job_id, duration, checkpoint)
        self.submitted.append((event, truth))
        return event

    def strange(self) -> Event:
        """Anything that a calm day does not have."""
        kinds = [self.fail, self.fail, self.retire, self.limit, self.reserve, self.cancel, self.repeat, self.late_tick]
        if self.clerk is not None and self.rng.random() < 0.5:
            clerk = self.clerk.next_event
            others = [self.cordon, self.fail_to_start, self.target, self.target, self.target]
            return self.rng.choice([clerk, clerk, clerk, *others])(self.now_ms)
        return self.fail() if self.mood == "failing" else self.rng.choice(kinds)()

    def fail(self) -> Event:
        """A node is lost; its gangs are told so, sometimes late, and it is repaired."""
        node = self.rng.randrange(self.node0[-1])
        busy = sorted(node for truth in self.by_slot.values() if truth.running for node in truth.nodes)
        if busy and self.mood == "failing":
            node = self.rng.choice(busy[:8])
        for truth in self.by_slot.values():
            if truth.running and node in truth.nodes and self.rng.random() < 0.95:
                late_ms = self.rng.choice([0, 0, 0, 5_000, 30 * MINUTE_MS])
                saved = self.saved_ms(truth)
                self.plan(self.now_ms + late_ms, ev.LOST, truth.slot, truth.attempt, saved, 0, truth.job_id)
        repairs = [1] if self.mood == "failing" else [1, 30, 600]
        self.plan(self.now_ms + self.rng.choice(repairs) * MINUTE_MS, ev.NODE_UP, node)
        return ev.NODE_DOWN, self.now_ms, node

    def retire(self) -> Event:
        node = self.rng.randrange(self.node0[-1])
        self.plan(self.now_ms + self.rng.choice([10, 600]) * MINUTE_MS, ev.NODE_UP, node)
        return ev.NODE_OUT, self.now_ms, node

    def limit(self) -> Event:
        """A power limit changes, and is put back later."""
        power = self.rng.randrange(len(self.fleet.power_limit_w))
        usual = int(self.fleet.power_limit_w[power])
        self.plan(self.now_ms + self.rng.choice([10, 300]) * MINUTE_MS, ev.LIMIT, power, usual)
        return ev.LIMIT, self.now_ms, power, round(usual * self.rng.choice([0.0, 0.5, 0.9, 1.2]))

    def reserve(self) -> Event:
        start_ms = self.now_ms + self.rng.choice([-5, 0, 20, 300]) * MINUTE_MS
        until_ms = start_ms + self.rng.choice([0, 60, 600]) * MINUTE_MS
        cells = self.rng.choice([(1 << 60) - 1, self.rng.getrandbits(6)])
        return (
            ev.RESERVE,
            self.now_ms,
            self.rng.randrange(self.projects),
            cells,
            self.rng.randint(1, 8),
            start_ms,
            until_ms,
        )

    def cancel(self) -> Event:
        """Somebody cancels a job, perhaps one that is gone."""
        slot = self.rng.choice([*self.by_slot, 0])
        known = self.by_slot.get(slot)
        job_id = known.job_id if known is not None and self.rng.random() < 0.9 else self.rng.randint(0, 50)
        return ev.CANCEL, self.now_ms, slot, job_id

    def repeat(self) -> Event:
        """Something is told again, long after."""
        again = [event for event in self.past if event[0] not in (ev.SUBMIT, ev.RESERVE)]
        return self.rng.choice(again) if again else self.late_tick()

    def late_tick(self) -> Event:
        return ev.TICK, self.now_ms

    def cordon(self, now_ms: int) -> Event:
        """An operator takes a node out of use, with or without its work, or gives it back, now or later."""
        node = self.rng.randrange(self.node0[-1])
        self.plan(now_ms + self.rng.choice([1, 30, 600]) * MINUTE_MS, ev.CORDON, node, 0)
        return self.rng.choice(
            [(ev.CORDON, now_ms, node, 1), (ev.CORDON, now_ms, node, 0), (ev.DRAIN, now_ms, node, 0)]
        )

    def target(self, now_ms: int) -> Event:
        """A load target on a power node: of what it could draw, or gone; most end later."""
        power = self.rng.randrange(len(self.fleet.power_limit_w))
        usual = int(self.fleet.power_limit_w[power])
        if self.rng.random() < 0.8:
            self.plan(now_ms + self.rng.choice([1, 10, 300]) * MINUTE_MS, ev.TARGET, power, -1)
        share = self.rng.choice([0.0, 0.2, 0.4, 0.6, 0.8])
        return ev.TARGET, now_ms, power, self.rng.choice([-1, *[round(usual * share)] * 6])

    def fail_to_start(self, now_ms: int) -> Event:
        """An engine could not start an attempt, or lost it, though every node is up."""
        running = [truth for truth in self.by_slot.values() if truth.running]
        if not running:
            return self.late_tick()
        truth = self.rng.choice(running)
        return (
            ev.LOST,
            now_ms,
            truth.slot,
            truth.attempt,
            self.rng.choice([0, 0, self.saved_ms(truth)]),
            0,
            truth.job_id,
        )

    # --- what engines do --------------------------------------------------------------------------------------------

    def carry_out(self, effects: Sequence[Sequence[int]]) -> None:
        """Begin and end attempts as told."""
        for effect in effects:
            kind, time_ms, job_id, slot, attempt, a, b, _ = effect
            if kind == d.ACCEPT:
                self.by_slot[slot] = self.submitted[job_id][1]
                self.by_slot[slot].slot = slot
            elif kind == d.START:
                self.begin(self.by_slot[slot], attempt, time_ms)
            elif kind == d.PLACE:
                self.by_slot[slot].nodes |= {self.node0[a] + bit for bit in range(60) if b >> bit & 1}
            elif kind == d.RELEASE:
                self.by_slot[slot].running = False
            elif kind == d.STOP:
                self.answer_stop(self.by_slot[slot])
            elif kind == d.DONE:
                del self.by_slot[slot]
            elif kind == d.WAKE:
                self.answer_wake(a)
            elif kind in (d.PAUSE, d.RESUME):
                self.answer_stillness(self.by_slot[slot], ev.PAUSED if kind == d.PAUSE else ev.RESUMED)
            elif kind in (d.SET, d.UNSET) and self.clerk is not None:
                self.clerk.read(self.past[-1], effect)
                self.projects = self.clerk.known[1]

    def begin(self, truth: Truth, attempt: int, time_ms: int) -> None:
        """An attempt runs; its end is planned, and comes true even if the attempt is long gone by then."""
        truth.attempt, truth.running, truth.start_ms, truth.nodes = attempt, True, time_ms, set()
        truth.begin_saved_ms = truth.saved_ms
        left_ms = max(0, truth.duration_ms - truth.saved_ms) + 1_000
        state = d.S_COMPLETED if self.calm else self.rng.choice([d.S_COMPLETED] * 3 + [d.S_FAILED, d.S_TIMEOUT])
        fields = (truth.slot, attempt, state, truth.duration_ms, truth.job_id)
        self.plan(time_ms + left_ms, ev.ENDED, *fields)
        if not self.calm and self.rng.random() < 0.2:  # told twice, perhaps when the slot is another job's
            self.plan(time_ms + left_ms + self.rng.choice([1_000, 10 * MINUTE_MS]), ev.ENDED, *fields)

    def answer_stop(self, truth: Truth) -> None:
        """Most engines stop soon, some late, some never, some say it twice."""
        delays = [[2_000]] if self.calm else [[2_000], [2_000], [40 * MINUTE_MS], [], [1_000, 90_000]]
        for delay_ms in self.rng.choice(delays):
            fields = (truth.slot, truth.attempt, self.saved_ms(truth), 0, truth.job_id)
            self.plan(self.now_ms + delay_ms, ev.STOPPED, *fields)

    def answer_stillness(self, truth: Truth, kind: int) -> None:
        """Most engines pause and resume in seconds, some late, some never, some say it twice."""
        for delay_ms in self.rng.choice([[1_000], [10_000], [10_000], [], [1_000, 90_000], [20 * MINUTE_MS]]):
            self.plan(self.now_ms + delay_ms, kind, truth.slot, truth.attempt, 0, 0, truth.job_id)

    def answer_wake(self, at_ms: int) -> None:
        """Most wake-ups come in time, some late, few never."""
        delays = [0] if self.calm else [0] * 16 + [90_000, -1]
        delay_ms = self.rng.choice(delays)
        if delay_ms >= 0:
            self.plan(at_ms + delay_ms, ev.TICK)

    def saved_ms(self, truth: Truth) -> int:
        """Work that the last checkpoint saved, were the attempt to stop now."""
        if truth.checkpoint_ms > 0:
            ran = (self.now_ms - truth.start_ms) // truth.checkpoint_ms * truth.checkpoint_ms
            truth.saved_ms = min(truth.duration_ms, truth.begin_saved_ms + ran)
        return truth.saved_ms
