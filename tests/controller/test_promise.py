"""Why a job waits and when it could start, read off a state without touching it."""

import numpy as np
import pytest

from gridhall.controller.events import NODE_UP, SUBMIT
from gridhall.controller.promise import promise
from gridhall.controller.state import ControllerState, new_state
from gridhall.controller.step import step
from gridhall.fleet.synthetic import uniform_fleet
from gridhall.scheduling.jobs import QUEUED, R_CAPACITY, R_NOT_READY, R_QUOTA, REASONS
from gridhall.scheduling.policy import load_policy
from gridhall.tenancy import Organisation, Project, Tenancy
from gridhall.units import HOUR_MS

LIMIT_MS = 2 * HOUR_MS
TENANCY = Tenancy(
    (Organisation("us", quota_gpus=32),),
    (Project("free", "us", quota_gpus=24), Project("bound", "us", quota_gpus=8, borrow_gpus=0)),
)


def happen(w: ControllerState, *fields: int) -> None:
    w.event[:] = 0
    w.event[: len(fields)] = np.array(fields)
    step(w.handle)


def submit(w: ControllerState, at_ms: int, job: int, project: int, gpus: int) -> int:
    """A gang of whole nodes with a limit of two hours; its slot."""
    happen(w, SUBMIT, at_ms, job, project, 0, 0, 1, 0, 0, gpus, 8, 1000, 0, 0, 1, LIMIT_MS, 800, 0, 0, 0)
    return int(np.flatnonzero(w.view("job_id") == job)[0])


@pytest.fixture
def w() -> ControllerState:
    """Four H100 nodes in one rack, up, and no history of run times."""
    fleet = uniform_fleet(32, shares=(100,), hardware="h100", nodes_per_rack=4)
    state = new_state(fleet, TENANCY, load_policy())
    for node in range(4):
        happen(state, NODE_UP, 0, node)
    return state


def test_a_job_behind_others_is_promised_their_predicted_end(w: ControllerState) -> None:
    submit(w, 0, 1, 0, 24)
    slot = submit(w, 60_000, 2, 0, 16)
    assert w.job_state[slot] == QUEUED
    before = w.digest()
    found = promise(w, slot, 60_000)
    assert (found.job_id, found.reason, found.words) == (2, R_CAPACITY, REASONS[R_CAPACITY])
    # Without history a run is expected to take half its limit; plans are made to the minute.
    assert found.start_ms == pytest.approx(LIMIT_MS // 2, abs=60_000)
    assert found.basis == "plan"
    assert w.digest() == before


def test_nobody_can_promise_a_start_that_quota_decides(w: ControllerState) -> None:
    submit(w, 0, 1, 1, 8)
    found = promise(w, submit(w, 60_000, 2, 1, 8), 60_000)
    assert (found.reason, found.start_ms, found.basis) == (R_QUOTA, None, "none")
    assert "quota" in found.words


def test_nobody_can_promise_a_start_at_a_site_that_is_not_there_yet() -> None:
    state = new_state(uniform_fleet(32, shares=(100,), hardware="h100", nodes_per_rack=4), TENANCY, load_policy())
    found = promise(state, submit(state, 0, 1, 0, 8), 0)
    assert (found.reason, found.start_ms) == (R_NOT_READY, None)


def test_a_job_that_runs_has_no_promise(w: ControllerState) -> None:
    with pytest.raises(ValueError, match="no job waits"):
        promise(w, submit(w, 0, 1, 0, 8), 0)


def test_quota_used_since_the_last_look_is_what_it_waits_for(w: ControllerState) -> None:
    submit(w, 0, 1, 0, 32)
    slot = submit(w, 60_000, 2, 1, 8)
    assert promise(w, slot, 60_000).reason == R_CAPACITY
    w.quota_used[1 + 1 + 1] = 8  # what another job of the project would take
    assert promise(w, slot, 60_000).reason == R_QUOTA
