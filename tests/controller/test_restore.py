"""A snapshot taken before columns existed is taken over with their stated defaults, and decides the same from there."""

from random import Random

import numpy as np
import pytest

from gridhall.controller import events as ev
from gridhall.controller.restore import restore
from gridhall.controller.state import ControllerState, Room, new_state, snapshot
from gridhall.kernel import Ints
from tests.oracle.cases import Case, random_case
from tests.oracle.pair import run_compiled
from tests.oracle.world import World

NEW = (
    *("job_pack_level", "job_min_domains", "job_max_skew", "job_best_effort", "node_cordoned", "rack_could"),
    *("project_standing", "project_room", "fleet_gpus", "quota_nominal", "quota_lend", "quota_version", "quota_most"),
    *("node_shares", "rack_idle_held", "idle_held", "hold_lacks", "nodes_lacking", "job_least_gpus"),
    *("ceiling_kinds", "ceiling_bound", "ceiling_used", "ceiling_version", "ceilings_set"),
)
"""Columns that the version before had not."""


CASES = [case for case in map(random_case, map(Random, range(40))) if case.fleet.cell_hw.max() == 1][:12]
"""Worlds in which every hardware type is in use, so that all kinds of ceilings can be told from the cells."""


def before_the_columns(w: ControllerState) -> tuple[dict[str, int], dict[str, Ints]]:
    """Sizes and columns of a state as the version before would have written them."""
    columns = {name: values for name, values in snapshot(w).items() if name not in NEW}
    columns["event"] = columns["event"][:20]
    columns["project_most"] = w.view("quota_most")[int(w.quota_project0[0]) :].copy()
    return {name: size for name, size in w.sizes.items() if name != "ceilings"}, columns


@pytest.mark.parametrize("case", CASES)
def test_a_snapshot_of_the_version_before_gives_the_same_facts_and_decisions(case: Case) -> None:
    world, w = World(case, Random(1)), new_state(case.fleet, case.tenancy, case.policy, slots=256)
    old: ControllerState | None = None
    for number in range(150):
        event = world.next_event()
        assert event is not None
        effects = run_compiled(w, event)
        world.carry_out(effects)
        if old is not None:
            assert run_compiled(old, event) == effects
        elif number == 80:
            old = restore(*before_the_columns(w))
            differ = {name for name, values in old.facts().items() if not np.array_equal(values, w.view(name))}
            # more than it has to lend is as good as no limit; free slots keep what their last job left
            assert differ <= {"quota_lend", "job_least_gpus"}


def test_a_snapshot_of_this_version_comes_back_as_it_was() -> None:
    case = CASES[0]
    w = new_state(case.fleet, case.tenancy, case.policy, room=Room(5, 9))
    run_compiled(w, (ev.NODE_UP, 0, 0))
    run_compiled(w, (ev.CEILING, 0, 1, 0, -1, 0, 5_000))
    assert restore(w.sizes, snapshot(w)).digest() == w.digest()
