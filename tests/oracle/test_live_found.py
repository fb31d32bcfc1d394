"""What an operator tells the core, as plain stories; each runs through the reference and all invariants too."""

import pytest

from gridhall.controller import events as ev
from gridhall.controller.live import Submit
from gridhall.fleet.synthetic import uniform_fleet
from gridhall.scheduling import decisions as d
from gridhall.scheduling.jobs import R_BUDGET, R_CLOSED, R_CONSTRAINT, R_HELD, R_NEVER_MET, R_QUOTA
from gridhall.scheduling.starts import SWAPPED
from tests.oracle.pair import Pair
from tests.oracle.test_found import HOUR_MS, pair_on

RACK, POD = 1, 2
WATTS = -1


def racks_of_four(racks: int = 4) -> Pair:
    """Racks of four nodes with eight GPUs, two racks to a pod and a hall."""
    return pair_on(uniform_fleet(32 * racks, shares=(1,), hardware="h100", nodes_per_rack=4, pod_racks=2, hall_pods=1))


def submit(pair: Pair, time_ms: int, job: int, nodes: int, project: int = 1, **asked: int) -> list[tuple[int, ...]]:
    fields = {"limit_ms": HOUR_MS, **asked}
    return pair.step(Submit(job, project, 0, 0, gpus=8 * nodes, **fields).row(time_ms).tolist())


def nodes_by_rack(effects: list[tuple[int, ...]]) -> dict[int, int]:
    return {effect[5]: effect[6].bit_count() for effect in effects if effect[0] == d.PLACE}


def reason_of(effects: list[tuple[int, ...]]) -> int:
    return next(effect[5] for effect in effects if effect[0] == d.REFUSE)


# --- together or apart ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [4, 2]),
        ({"min_domains": 3}, [4, 1, 1]),
        ({"max_skew": 1}, [3, 3]),
        ({"min_domains": 4, "max_skew": 1}, [2, 2, 1, 1]),
        ({"pack_level": POD, "max_skew": 2}, [3, 3]),
    ],
)
def test_a_gang_is_cut_over_racks_as_it_asks(asked: dict[str, int], expected: list[int]) -> None:
    assert sorted(nodes_by_rack(submit(racks_of_four(), 0, 0, 6, **asked)).values(), reverse=True) == expected


@pytest.mark.parametrize(
    "asked",
    [{"pack_level": RACK}, {"min_domains": 7}, {"pack_level": POD, "min_domains": 3}, {"pack_level": POD, "nodes": 9}],
)
def test_what_no_place_could_ever_meet_is_refused_or_runs_as_usual_on_best_effort(asked: dict[str, int]) -> None:
    nodes = asked.pop("nodes", 6)
    assert reason_of(submit(racks_of_four(), 0, 0, nodes, **asked)) == R_NEVER_MET
    assert sum(nodes_by_rack(submit(racks_of_four(), 0, 0, nodes, **asked, best_effort=1)).values()) == nodes


def test_a_packed_gang_waits_while_the_free_nodes_lie_apart() -> None:
    pair = racks_of_four()
    for job in range(4):
        submit(pair, 0, job, 3, pack_level=RACK)
    assert len(nodes_by_rack(submit(pair, 0, 9, 2, pack_level=POD, priority=1))) == 2
    submit(pair, 0, 10, 2, pack_level=RACK)
    assert pair.s.jobs[5].reason == R_CONSTRAINT
    started = pair.step((ev.ENDED, 1000, 0, 1, d.S_COMPLETED, 1000, 0))
    assert [effect[2] for effect in started if effect[0] == d.START] == [10]


def test_a_packed_gang_is_given_a_hold_inside_one_pod_and_a_spread_one_none() -> None:
    pair = racks_of_four()
    for job in range(4):
        submit(pair, 0, job, 4, limit_ms=HOUR_MS // 6)
    submit(pair, 0, 8, 7, pack_level=POD, priority=3)
    submit(pair, 0, 9, 4, min_domains=4, priority=3)
    held = pair.s.jobs[4].hold
    assert pair.s.jobs[4].reason == R_HELD
    assert held is not None
    assert len({piece.rack.pod for piece in held.pieces}) == 1
    assert pair.s.jobs[5].hold is None


@pytest.mark.parametrize("best_effort", [0, 1])
def test_a_lost_node_is_swapped_only_for_one_that_leaves_the_gang_as_it_must_be(best_effort: int) -> None:
    pair = racks_of_four()
    racks = sorted(nodes_by_rack(submit(pair, 0, 0, 4, min_domains=4, best_effort=best_effort)))
    assert len(racks) == 4
    submit(pair, 0, 1, 3, pack_level=RACK)  # fills the rack in which a node will be lost
    full = next(iter(pair.s.jobs[1].pieces)).rack
    lost = next(piece.nodes[0].number for piece in pair.s.jobs[0].pieces if piece.rack is full)
    pair.step((ev.NODE_DOWN, 1000, lost))
    again = pair.step((ev.LOST, 1000, 0, 1, 1, 0, 0))
    swapped = [effect for effect in again if effect[0] == d.START and effect[7] % 8 == SWAPPED]
    assert len(swapped) == best_effort


# --- who may ask, and how much --------------------------------------------------------------------------------------


def test_a_new_project_runs_work_and_a_closed_one_is_refused() -> None:
    pair = racks_of_four()
    assert pair.step((ev.TENANT, 0, ev.PROJECT, 2, 0, 100))[0] == (d.SET, 0, -1, 2, ev.PROJECT, ev.TENANT, 0, 0)
    assert nodes_by_rack(submit(pair, 0, 1, 1, project=2))
    pair.step((ev.TENANT, 0, ev.PROJECT, 2, 0, 0))
    assert reason_of(submit(pair, 0, 2, 1, project=2)) == R_CLOSED


def test_a_quota_is_set_by_who_knows_the_last_version_and_not_below_what_is_in_use() -> None:
    pair = racks_of_four()
    quota = (ev.QUOTA, 0, ev.PROJECT, 1)
    assert pair.step((*quota, 0, 32, 0, -1))[0][6:] == (1, 0)
    assert pair.step((*quota, 0, 64, 0, -1))[0][6:] == (1, d.U_VERSION)
    submit(pair, 0, 0, 4)
    submit(pair, 0, 1, 1)
    assert pair.s.jobs[1].reason == R_QUOTA
    assert pair.step((*quota, 1, 24, 0, -1))[0][6:] == (1, d.U_IN_USE)
    effects = pair.step((*quota, 1, 40, 0, -1))
    assert [effect[0] for effect in effects] == [d.SET, d.START, d.PLACE]


def test_a_ceiling_on_watts_holds_for_all_projects_of_an_organisation_and_can_be_lifted() -> None:
    pair = racks_of_four()
    hw_w = int(pair.w.cell_gpu_span_w[0]) * 8
    pair.step((ev.CEILING, 0, ev.ORGANISATION, 0, WATTS, 0, 2 * hw_w))
    assert nodes_by_rack(submit(pair, 0, 0, 2, project=0))
    submit(pair, 0, 1, 1)
    assert pair.s.jobs[1].reason == R_QUOTA
    assert nodes_by_rack(submit(pair, 0, 2, 1, power_milli=0))
    assert reason_of(submit(pair, 0, 3, 3)) == R_QUOTA
    lifted = pair.step((ev.CEILING, 1000, ev.ORGANISATION, 0, WATTS, 1, -1))
    assert lifted[0][6:] == (2, 0)
    assert [effect[2] for effect in lifted if effect[0] == d.START] == [1]


def test_a_project_without_budget_starts_nothing_until_it_is_open_again() -> None:
    pair = racks_of_four()
    submit(pair, 0, 0, 1, preemptible=1)
    submit(pair, 0, 1, 1)
    stopped = pair.step((ev.STANDING, 1000, 1, ev.STOPPED_FOR_BUDGET))
    assert [(effect[2], effect[5]) for effect in stopped if effect[0] == d.STOP] == [(0, d.WHY_BUDGET)]
    pair.step((ev.STOPPED, 2000, 0, 1, 0, 0, 0))
    submit(pair, 2000, 2, 1)
    assert [pair.s.jobs[slot].reason for slot in (0, 2)] == [R_BUDGET, R_BUDGET]
    opened = pair.step((ev.STANDING, 3000, 1, ev.OPEN))
    assert [effect[2] for effect in opened if effect[0] == d.START] == [0, 2]
