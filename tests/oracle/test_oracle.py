"""The compiled `step` against the slow reference, on random fleets, tenancies, policies and worlds.

`make test` runs 2,000 cases, `make oracle` 100,000; GRIDHALL_ORACLE_CASES sets any number.
"""

import os
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridhall.controller import events as ev
from tests.oracle.cases import calm_case, random_case
from tests.oracle.pair import Pair
from tests.oracle.world import World

CASES = int(os.environ.get("GRIDHALL_ORACLE_CASES", "2000"))
PARTS = 4
"""The cases are cut into parts, so that they can run side by side."""
CALM_CASES = max(1, CASES // 10)
MOST_EVENTS = 90

structures = st.randoms(use_true_random=False)
seeds = st.integers(0, (1 << 32) - 1)
slow = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("part", range(PARTS))
def test_same_effects_and_invariants_after_every_event(part: int) -> None:
    @settings(slow, max_examples=-(-CASES // PARTS))
    @given(structures, seeds, st.integers(1, MOST_EVENTS))
    def run(structure: Random, seed: int, events: int) -> None:
        case = random_case(structure)
        world, pair = World(case, Random(seed), live=seed % 4 > 0), Pair(case)
        while events > 0 and (event := world.next_event()) is not None:
            world.carry_out(pair.step(event))
            events -= event[0] != ev.NODE_UP

    run()


@settings(slow, max_examples=CALM_CASES)
@given(structures, seeds, st.integers(1, 40))
def test_every_job_that_is_accepted_is_done_in_a_world_without_faults(structure: Random, seed: int, jobs: int) -> None:
    case = calm_case(structure)
    world, pair = World(case, Random(seed), calm=True, jobs=jobs, live=seed % 2 > 0), Pair(case)
    for _ in range(20_000):
        event = world.next_event()
        if event is None or not (world.jobs_left or pair.s.jobs):
            break
        world.carry_out(pair.step(event))
    assert not pair.s.jobs, f"still waiting: {pair.s.jobs}"
