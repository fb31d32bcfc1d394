"""What random cases found, or rarely meet, as plain stories; each runs through the reference and all invariants too."""

from gridhall.controller import events as ev
from gridhall.fleet.arrays import FleetArrays
from gridhall.fleet.synthetic import uniform_fleet
from gridhall.scheduling.decisions import ACCEPT, HOLD, PLACE, REFUSE, S_COMPLETED, START, STOP, WAKE, WHY_DRAIN
from gridhall.scheduling.jobs import R_BACKOFF, R_CAPACITY, R_POWER, R_QUOTA
from gridhall.scheduling.policy import Policy
from gridhall.scheduling.queue import P_REPLAN_MS
from gridhall.scheduling.starts import AGAIN
from gridhall.tenancy import Organisation, Project, Tenancy
from tests.oracle.cases import SHIPPED, Case, changed
from tests.oracle.pair import Pair

HOUR_MS = 3_600_000
EVERYWHERE = (1 << 60) - 1


def pair_on(fleet: FleetArrays, quota_gpus: int | None = None, policy: Policy = SHIPPED) -> Pair:
    """Both cores with every node up; project 0 may have a quota beyond which it borrows nothing, project 1 has none."""
    bounded = Project("bounded", "o", quota_gpus=quota_gpus, borrow_gpus=None if quota_gpus is None else 0)
    pair = Pair(Case(fleet, Tenancy((Organisation("o"),), (bounded, Project("free", "o"))), policy))
    for node in range(int(fleet.rack_node0[-1])):
        pair.step((ev.NODE_UP, 0, node))
    return pair


def submit(
    pair: Pair,
    time_ms: int,
    job: int,
    gpus: int,
    project: int = 1,
    cells: int = EVERYWHERE,
    priority: int = 1,
    preemptible: int = 0,
    power_milli: int = 1000,
) -> list[int]:
    """Submit a job with a limit of one hour; returns the kinds of effects."""
    who = (job, project, 0, 0, priority, preemptible, 0)
    effects = pair.step((ev.SUBMIT, time_ms, *who, gpus, 0, 1000, 0, 0, cells, HOUR_MS, power_milli, 0, 0, 0))
    return [effect[0] for effect in effects]


def test_an_end_that_is_told_again_leaves_the_next_job_in_the_slot_alone() -> None:
    pair = pair_on(uniform_fleet(16, shares=(1,), hardware="h100", nodes_per_rack=1))
    end_of_first = (ev.ENDED, 1000, 0, 1, S_COMPLETED, 1000, 7)
    assert submit(pair, 0, job=7, gpus=16) == [ACCEPT, START, PLACE, PLACE]
    pair.step(end_of_first)
    assert submit(pair, 2000, job=8, gpus=16) == [ACCEPT, START, PLACE, PLACE]
    assert pair.s.jobs[0].attempt == 1
    assert pair.step(end_of_first) == []


def test_back_fill_in_a_hold_stays_within_the_quota() -> None:
    fleet = uniform_fleet(64, shares=(1, 1), hardware=["gb300-nvl72", "h100"], nodes_per_rack=4)
    four, eight = (
        1 << int(cell) for cell in sorted(range(2), key=lambda cell: fleet.hw_gpus_per_node[fleet.cell_hw[cell]])
    )
    pair = pair_on(fleet, quota_gpus=12)
    nodes = fleet.rack_nodes[fleet.rack_cell == eight.bit_length() - 1].sum()
    submit(pair, 0, job=0, gpus=4 * int(fleet.rack_nodes[fleet.rack_cell == four.bit_length() - 1].sum()), cells=four)
    held = pair.step((ev.RESERVE, 0, 1, eight, int(nodes) - 1, 10 * HOUR_MS, 20 * HOUR_MS))
    assert held[0][0] == HOLD
    assert START not in submit(pair, 0, job=1, gpus=12, project=0, cells=four | eight)
    assert START in submit(pair, 0, job=2, gpus=12, project=1, cells=four | eight)


def test_a_gang_has_one_piece_a_rack_however_often_its_nodes_are_swapped() -> None:
    pair = pair_on(uniform_fleet(64, shares=(1,), hardware="h100", nodes_per_rack=4))
    submit(pair, 0, job=0, gpus=24)
    for turn in range(1, 9):
        job = pair.s.jobs[0]
        lost = job.nodes()[turn % 3].number
        pair.step((ev.NODE_DOWN, turn * HOUR_MS, lost))
        effects = pair.step((ev.LOST, turn * HOUR_MS, 0, job.attempt, turn * 1000, 0, 0))
        assert effects[0][0] == START
        racks = [effect[5] for effect in effects if effect[0] == PLACE]
        assert len(racks) == len(set(racks))
        pair.step((ev.NODE_UP, turn * HOUR_MS, lost))


def test_a_gang_that_could_not_be_started_is_never_swapped_and_is_braked() -> None:
    pair = pair_on(uniform_fleet(64, shares=(1,), hardware="h100", nodes_per_rack=4))
    submit(pair, 0, job=0, gpus=24)
    lost = [pair.step((ev.LOST, turn * 1000, 0, turn, 0, 0, 0)) for turn in (1, 2)]
    starts = [[effect[7] % 8 for effect in effects if effect[0] == START] for effects in lost]
    assert starts == [[AGAIN], []]
    assert pair.s.jobs[0].reason == R_BACKOFF
    assert pair.s.jobs[0].not_before_ms > 2000


def test_a_drained_node_keeps_its_watts_and_gets_no_work_until_it_is_given_back() -> None:
    pair = pair_on(uniform_fleet(16, shares=(1,), hardware="h100", nodes_per_rack=1))
    submit(pair, 0, job=0, gpus=16)
    before_w = pair.w.view("power_committed_w").max()
    stops = pair.step((ev.DRAIN, 1000, 0))
    assert [(effect[0], effect[5]) for effect in stops] == [(STOP, WHY_DRAIN)]
    pair.step((ev.STOPPED, 2000, 0, 1, 0, 0, 0))
    pair.step((ev.NODE_DOWN, 3000, 0))
    pair.step((ev.NODE_UP, 4000, 0))
    assert pair.s.jobs[0].state == "queued"
    assert START in submit(pair, 4000, job=1, gpus=8)
    assert START not in submit(pair, 4000, job=2, gpus=8)
    assert START in [effect[0] for effect in pair.step((ev.CORDON, 6000, 0, 0))]
    assert pair.w.view("power_committed_w").max() <= before_w


def test_a_reservation_that_begins_at_once_may_spread_over_halls() -> None:
    pair = pair_on(uniform_fleet(64, shares=(1,), hardware="h100", nodes_per_rack=2, pod_racks=1, hall_pods=1))
    effects = pair.step((ev.RESERVE, 0, 1, EVERYWHERE, 5, 0, HOUR_MS))
    assert [effect[0] for effect in effects] == [HOLD, WAKE]
    assert pair.step((ev.RESERVE, 0, 1, EVERYWHERE, 5, 0, HOUR_MS))[0][0] == REFUSE


def test_a_tick_that_is_told_twice_asks_for_one_wake_up() -> None:
    pair = pair_on(uniform_fleet(16, shares=(1,), hardware="h100", nodes_per_rack=1))
    submit(pair, 0, job=0, gpus=16)
    due_ms = next(
        effect[5] for effect in pair.step((ev.RESERVE, 0, 1, 1, 1, HOUR_MS, 2 * HOUR_MS)) if effect[0] == WAKE
    )
    assert [effect[0] for effect in pair.step((ev.TICK, due_ms))] == [WAKE]
    assert pair.step((ev.TICK, due_ms)) == []


def test_a_node_that_comes_back_breaks_no_limit() -> None:
    pair = pair_on(uniform_fleet(24, shares=(1,), hardware="h100", nodes_per_rack=3))
    pair.step((ev.NODE_DOWN, 0, 0))
    for power, watts in enumerate(pair.w.view("power_committed_w").tolist()):
        pair.step((ev.LIMIT, 0, power, watts))
    assert START not in submit(pair, 1000, job=0, gpus=16, power_milli=1), "its idle watts are not given away"
    assert START not in [effect[0] for effect in pair.step((ev.NODE_UP, 2000, 0))]
    pair.step((ev.NODE_OUT, 3000, 0))
    assert pair.s.jobs[0].reason == R_POWER
    assert START in [effect[0] for effect in pair.step((ev.TICK, HOUR_MS))], "a retired node's watts are"


def test_a_retired_node_leaves_when_its_work_is_done() -> None:
    pair = pair_on(uniform_fleet(16, shares=(1,), hardware="h100", nodes_per_rack=2))
    submit(pair, 0, job=0, gpus=16)
    pair.step((ev.NODE_OUT, 1000, 1))
    assert pair.w.view("cell_nodes_up").tolist() == [2]
    before_w = pair.s.committed_w(0)
    pair.step((ev.ENDED, 2000, 0, 1, S_COMPLETED, 1000, 0))
    assert pair.w.view("cell_nodes_up").tolist() == [1]
    assert pair.s.committed_w(0) < before_w - pair.s.cells[0].node_idle_w
    pair.step((ev.NODE_UP, 3000, 1))
    assert pair.w.view("cell_nodes_up").tolist() == [2]


def test_a_job_whose_whole_nodes_pass_its_quota_is_refused() -> None:
    pair = pair_on(uniform_fleet(64, shares=(1,), hardware="h100", nodes_per_rack=2), quota_gpus=10)
    assert submit(pair, 0, job=0, gpus=9, project=0) == [REFUSE], "nine GPUs are two nodes: sixteen"
    assert START in submit(pair, 0, job=0, gpus=8, project=0)


def test_a_full_fleet_does_not_hide_that_quota_is_what_binds() -> None:
    pair = pair_on(uniform_fleet(24, shares=(1,), hardware="h100", nodes_per_rack=3), quota_gpus=8)
    submit(pair, 0, job=0, gpus=8, project=0)
    submit(pair, 0, job=1, gpus=16, project=1)
    submit(pair, 0, job=2, gpus=8, project=0)
    submit(pair, 0, job=3, gpus=8, project=1)
    pair.step((ev.TICK, HOUR_MS))
    assert [pair.s.jobs[slot].reason for slot in (2, 3)] == [R_QUOTA, R_CAPACITY]


def test_a_reservation_gets_other_nodes_for_those_that_fail_or_says_what_it_lacks() -> None:
    pair = pair_on(uniform_fleet(32, shares=(1,), hardware="h100", nodes_per_rack=2))
    pair.step((ev.RESERVE, 0, 1, EVERYWHERE, 3, HOUR_MS, 9 * HOUR_MS))
    (hold,) = pair.s.holds.values()
    lost = [node.number for node in hold.nodes()][:2]
    assert reserved(pair.step((ev.NODE_DOWN, 1000, lost[0]))) == [(3, 0)], "the fourth node takes its place"
    assert reserved(pair.step((ev.NODE_OUT, 2000, lost[1]))) == [(2, 1)], "there is no fifth"
    assert reserved(pair.step((ev.NODE_UP, 3000, lost[0]))) == [(3, 0)]
    pair.step((ev.TICK, HOUR_MS))
    assert START in submit(pair, HOUR_MS, job=0, gpus=24, project=1)


def reserved(effects: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Nodes that a reservation is said to have and to lack."""
    return [(effect[7], effect[4]) for effect in effects if effect[0] == HOLD and effect[2] == -1]


def test_a_hold_stops_work_on_parts_of_nodes_too() -> None:
    changes = {"holds": {"share": 1.0, "after_hours": 0.0, "large_after_hours": 0.0}}
    pair = pair_on(uniform_fleet(16, shares=(1,), hardware="h100", nodes_per_rack=2), policy=changed(SHIPPED, changes))
    submit(pair, 0, job=0, gpus=4, preemptible=1, priority=0)
    submit(pair, 1000, job=1, gpus=16)
    assert pair.s.jobs[1].hold is not None
    assert STOP in [effect[0] for effect in pair.step((ev.TICK, HOUR_MS))]


def test_a_gang_for_which_no_hold_is_within_bounds_is_not_looked_at_again_at_once() -> None:
    changes = {"holds": {"per_cell": 0, "after_hours": 0.0, "large_after_hours": 0.0}}
    pair = pair_on(uniform_fleet(64, shares=(1,), hardware="h100", nodes_per_rack=2), policy=changed(SHIPPED, changes))
    submit(pair, 0, job=0, gpus=64)
    submit(pair, 1000, job=1, gpus=16)
    assert pair.w.view("job_plan_ms")[1] == 1000 + SHIPPED.numbers()[P_REPLAN_MS]
