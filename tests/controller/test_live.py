"""Event rows by name, effects read back, and recorded effects compared with what the core decides again."""

import numpy as np
import pytest

from gridhall.controller.events import ENDED, EVENT_WIDTH, GROW, NODE_UP
from gridhall.controller.feed import feed_and_compare
from gridhall.controller.live import Effect, Started, Submit, effects_of, is_full, row, starts_of
from gridhall.controller.state import ControllerState, grow_state, new_state
from gridhall.controller.step import step
from gridhall.fleet.synthetic import uniform_fleet
from gridhall.kernel import Ints
from gridhall.scheduling.decisions import ACCEPT, EFFECT_WIDTH, S_COMPLETED
from gridhall.scheduling.policy import load_policy
from gridhall.tenancy import even_tenancy


def fresh() -> ControllerState:
    """Eight nodes of eight GPUs in two racks, none of them up, with room for four jobs."""
    fleet = uniform_fleet(64, shares=(100,), hardware="h100", nodes_per_rack=4)
    return new_state(fleet, even_tenancy(("us",), ("project",), (0,)), load_policy(), slots=4)


class Told:
    """What an edge keeps: every event, its effects and their number."""

    def __init__(self) -> None:
        self.w = fresh()
        self.events: list[Ints] = []
        self.effects: list[Effect] = []
        self.counts: list[int] = []

    def happen(self, event: Ints) -> list[Effect]:
        if event[0] == GROW:
            self.w, effects = grow_state(self.w, int(event[2])), []
        else:
            self.w.event[:] = event
            effects = effects_of(self.w, step(self.w.handle))
        self.events.append(event)
        self.effects += effects
        self.counts.append(len(effects))
        return effects

    def compare(self, effects: Ints) -> tuple[ControllerState, int]:
        return feed_and_compare(fresh(), np.array(self.events), effects, np.array(self.counts))

    @property
    def rows(self) -> Ints:
        return np.array(self.effects, dtype=np.int64).reshape(-1, EFFECT_WIDTH)


@pytest.fixture
def told() -> Told:
    """A day at the edge: nodes, jobs that run and wait, a state that grows, an end."""
    told = Told()
    for node in range(8):
        told.happen(row(NODE_UP, 0, node))
    for job in range(12):
        if is_full(told.w):
            told.happen(row(GROW, 0, 2 * told.w.sizes["slots"]))
        told.happen(Submit(job, 0, 0, 0, gpus=16, limit_ms=3_600_000).row(1000 * job))
    told.happen(row(ENDED, 60_000, 0, 1, S_COMPLETED, 60_000, 0))
    return told


def test_a_job_that_was_submitted_by_name_starts_on_named_nodes() -> None:
    told = Told()
    for node in range(8):
        told.happen(row(NODE_UP, 0, node))
    effects = told.happen(Submit(job_id=7, project=0, user=0, name=0, gpus=40).row(5))
    assert effects[0] == (ACCEPT, 5, 7, 0, 0, 0, 0, 0)
    whole = 0xFF
    nodes = tuple((node, whole) for node in range(5))
    assert starts_of(effects, told.w.view("rack_node0")) == [Started(7, 0, 1, 0, nodes)]


def test_the_recorded_effects_come_out_again_also_where_the_state_grew(told: Told) -> None:
    assert GROW in {int(event[0]) for event in told.events}
    w, differs = told.compare(told.rows)
    assert differs == -1
    assert w.digest() == told.w.digest()


@pytest.mark.parametrize("event", [8, 13, -1])
def test_the_first_event_with_other_effects_is_named(told: Told, event: int) -> None:
    place = range(len(told.events))[event]
    effects = told.rows
    effects[sum(told.counts[:place]) :, 7] += 1
    assert told.counts[place] > 0
    assert told.compare(effects)[1] == place


def test_an_effect_that_is_missing_from_the_record_is_noticed(told: Told) -> None:
    last = len(told.events) - 1
    told.counts[last] -= 1
    assert told.compare(told.rows[:-1])[1] == last


def test_events_of_a_narrower_row_are_taken_as_they_were(told: Told) -> None:
    told.events = [event[: EVENT_WIDTH - 4] for event in told.events]
    assert told.compare(told.rows)[1] == -1
