"""Usage is what was allocated: the intervals add up to the integral of allocation over the real `step`."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridhall.controller import events as ev
from gridhall.controller.events import EVENT_WIDTH
from gridhall.controller.state import ControllerState, new_state
from gridhall.controller.step import step
from gridhall.fleet.synthetic import uniform_fleet
from gridhall.money.intervals import UsageInterval
from gridhall.scheduling import decisions as d
from gridhall.scheduling.policy import load_policy
from gridhall.scheduling.starts import AGAIN, FRESH, SWAPPED
from gridhall.tenancy import Organisation, Project, Tenancy
from tests.money import meter as m
from tests.money.meter import CellFacts, JobFacts, Meter
from tests.oracle.cases import Case, random_case
from tests.oracle.world import Event, World

CELL = CellFacts("harlow", "GB", "h100", gpus_per_node=8, node_idle_w=1_600, gpu_span_w=600)
GANG = JobFacts("acme", "vision", "on-demand", gpus=16, gpu_milli=1_000, power_milli=500)
SHARE = JobFacts("acme", "vision", "on-demand", gpus=1, gpu_milli=250, power_milli=1_000)
JOBS = {1: GANG, 2: SHARE}


def start(job: int, attempt: int, time_ms: int, cause: int, nodes: int = 0b11, gpus: int = 0xFF) -> list[list[int]]:
    return [
        [d.START, time_ms, job, 0, attempt, 0, nodes.bit_count(), cause],
        [d.PLACE, time_ms, job, 0, attempt, 3, nodes, gpus],
    ]


def release(job: int, attempt: int, time_ms: int) -> list[int]:
    return [d.RELEASE, time_ms, job, 0, attempt, 0, 16, 0]


def test_kinds_and_causes_are_the_cores() -> None:
    assert (m.START, m.PLACE, m.RELEASE) == (d.START, d.PLACE, d.RELEASE)
    assert [m.CAUSES[cause] for cause in (FRESH, AGAIN, SWAPPED)] == ["start", "restart", "swap"]


def test_a_gang_is_one_interval_from_start_to_release() -> None:
    (closed,) = Meter([CELL]).take([*start(1, 1, 1_000, FRESH), release(1, 1, 61_000)], JOBS)
    assert (closed.start_ms, closed.end_ms, closed.gpu_milli) == (1_000, 61_000, 16_000)
    assert (closed.organisation, closed.site, closed.sku, closed.cause) == ("acme", "harlow", "h100", "start")
    assert closed.gpu_milli_ms == 16_000 * 60_000
    assert closed.draw_w == 2 * (1_600 + 8 * 600 // 2)


def test_a_share_of_a_gpu_is_a_share_of_its_node() -> None:
    (closed,) = Meter([CELL]).take([*start(2, 1, 0, FRESH, 0b1, 0b100), release(2, 1, 1)], JOBS)
    assert closed.gpu_milli == 250
    assert closed.draw_w == 1_600 * 250 // 8_000 + 600 // 4


def test_a_swapped_node_closes_one_interval_and_opens_the_next() -> None:
    meter = Meter([CELL])
    closed = meter.take([*start(1, 1, 0, FRESH), *start(1, 2, 500, SWAPPED), release(1, 2, 900)], JOBS)
    assert [(each.attempt, each.start_ms, each.end_ms, each.cause) for each in closed] == [
        (1, 0, 500, "start"),
        (2, 500, 900, "swap"),
    ]


def test_an_attempt_without_length_is_no_interval() -> None:
    assert Meter([CELL]).take([*start(1, 1, 5, FRESH), release(1, 1, 5), release(1, 1, 6)], JOBS) == []


def test_a_meter_goes_on_from_what_another_had_open() -> None:
    first = Meter([CELL])
    first.take(start(1, 1, 0, FRESH), JOBS)
    (closed,) = Meter([CELL], first.open_at(300)).take([release(1, 1, 900)], JOBS)
    assert (closed.start_ms, closed.end_ms) == (0, 900)


def test_reading_the_same_effects_again_gives_the_same_ids() -> None:
    effects = [*start(1, 1, 0, FRESH), *start(2, 1, 0, FRESH), release(2, 1, 50), release(1, 1, 70)]
    ids = [[each.id for each in Meter([CELL]).take(effects, JOBS)] for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


# --- against the core -----------------------------------------------------------------------------------------------


def feed(w: ControllerState, event: Event) -> list[list[int]]:
    """One step; its effects."""
    w.event[:] = np.zeros(EVENT_WIDTH, dtype=np.int64)
    w.event[: len(event)] = event
    count = int(step(w.handle))
    return w.view("effects")[: count * d.EFFECT_WIDTH].reshape(count, d.EFFECT_WIDTH).tolist()


def allocated_milli(w: ControllerState) -> int:
    """GPUs in use by the core's own counters, which are kept node by node."""
    return int(w.view("cell_used_gpus").sum()) * 1000 + int(w.view("cell_shared_milli").sum())


class Metered:
    """A core with a meter beside it, and the integral of its allocation taken after every event."""

    def __init__(self, case: Case) -> None:
        fleet = case.fleet
        self.core = new_state(fleet, case.tenancy, case.policy)
        self.meter = Meter(
            [
                CellFacts(fleet.site_names[site], "GB", fleet.hw_names[hw], int(fleet.hw_gpus_per_node[hw]), 1_000, 600)
                for site, hw in zip(fleet.cell_site.tolist(), fleet.cell_hw.tolist(), strict=True)
            ]
        )
        self.jobs: dict[int, JobFacts] = {}
        self.closed: list[UsageInterval] = []
        self.integral = 0
        self.now_ms = 0
        self.in_use_milli = 0

    def feed(self, event: Event) -> list[list[int]]:
        """One event."""
        if event[0] == ev.SUBMIT:
            self.jobs[event[2]] = JobFacts(f"o-{event[3]}", f"p-{event[3]}", "on-demand", event[9], event[11], 1_000)
        effects = feed(self.core, event)
        now_ms = int(self.core.now_ms[0])
        self.integral += self.in_use_milli * (now_ms - self.now_ms)
        self.now_ms, self.in_use_milli = now_ms, allocated_milli(self.core)
        self.closed += self.meter.take(effects, self.jobs)
        return effects

    def check(self) -> None:
        """Every interval once, and all of them the integral."""
        every = self.closed + self.meter.open_at(self.now_ms)
        assert sum(each.gpu_milli_ms for each in every) == self.integral
        assert len({each.id for each in every}) == len(every)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1 << 32), cut_every=st.integers(2, 60))
def test_intervals_add_up_to_the_integral_of_allocation(seed: int, cut_every: int) -> None:
    """Any fleet and policy, engines that are late, failures, swaps, stops, cancels; cut at any time."""
    rng = Random(seed)
    case = random_case(rng)
    world, metered = World(case, rng, jobs=60), Metered(case)
    for number in range(400):
        event = world.next_event()
        if event is None:
            break
        world.carry_out(metered.feed(event))
        if number % cut_every == 0:
            metered.closed += metered.meter.cut(metered.now_ms)
        metered.check()


SHARED_CASE = Case(
    uniform_fleet(64, shares=(100,), hardware="h100", nodes_per_rack=2, sharing_milli=500),
    Tenancy((Organisation("o"),), (Project("p", "o"),)),
    load_policy(),
)


@settings(max_examples=40, deadline=None)
@given(
    asks=st.lists(
        st.tuples(st.sampled_from([100, 250, 500, 1_000]), st.integers(1, 60_000), st.integers(0, 20_000)), max_size=40
    )
)
def test_shares_of_gpus_add_up_too(asks: list[tuple[int, int, int]]) -> None:
    metered = Metered(SHARED_CASE)
    ends: list[tuple[int, Event]] = []
    for node in range(metered.core.sizes["nodes"]):
        metered.feed((ev.NODE_UP, 0, node))
    now_ms = 0
    for job, (milli, run_ms, gap_ms) in enumerate(asks):
        now_ms += gap_ms
        for _, event in sorted(each for each in ends if each[0] <= now_ms):
            ends += attempts(metered.feed(event), 1_000)
        ends = [each for each in ends if each[0] > now_ms]
        submit = (ev.SUBMIT, now_ms, job, 0, 0, 0, 1, 0, 0, 1, 0, milli, 0, 0, 1, 0, 1_000, 0, 0, 0)
        ends += attempts(metered.feed(submit), run_ms)
        metered.check()
    started = {each.job for each in metered.closed + metered.meter.open_at(metered.now_ms + 1)}
    assert asks == [] or 0 in started


def attempts(effects: list[list[int]], run_ms: int) -> list[tuple[int, Event]]:
    """The ends of what starts, by time."""
    return [
        (row[1] + run_ms, (ev.ENDED, row[1] + run_ms, row[3], row[4], d.S_COMPLETED, run_ms, row[2]))
        for row in effects
        if row[0] == d.START
    ]
