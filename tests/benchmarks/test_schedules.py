"""The peers' schedules: published waits on a seeded trace, small cases by hand, and rules that always hold."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.peers.schedules import Schedule, concat, easy, fifo, sjf, srtf
from gridhall.engines.twin.validation.traces import SETH_LIKE
from gridhall.work.table import JobTable
from tests.benchmarks.jobs import jobs, nodes


def seth_like() -> JobTable:
    trace = SETH_LIKE.draw()
    return jobs(
        submit_ms=[job.submit_s * 1000 for job in trace],
        duration_ms=[job.run_s * 1000 for job in trace],
        limit_ms=[job.requested_s * 1000 for job in trace],
        gpus=[job.nodes * 4 for job in trace],
    )


def test_fifo_and_easy_reproduce_the_published_waits() -> None:
    table, fleet = seth_like(), nodes(SETH_LIKE.machine_nodes)
    assert fifo(fleet, table).wait_ms.mean() / 1000 == pytest.approx(14_553.8352, abs=5e-5)
    assert easy(fleet, table).wait_ms.mean() / 1000 == pytest.approx(825.5252, abs=5e-5)


def test_oracles_wait_less_than_those_who_guess() -> None:
    table, fleet = seth_like(), nodes(SETH_LIKE.machine_nodes)
    plans = (srtf(fleet, table), sjf(fleet, table), easy(fleet, table), fifo(fleet, table))
    waits = [plan.wait_ms.mean() for plan in plans]
    assert waits == sorted(waits)


LINE = jobs(submit_ms=[0, 1, 2], duration_ms=[100, 50, 10], limit_ms=[100, 50, 10], gpus=[4, 4, 4])


def test_sjf_runs_the_shortest_waiting_job_next() -> None:
    assert sjf(nodes(1), LINE).start_ms.tolist() == [0, 110, 100]
    assert sjf(nodes(1), LINE, blocking=True).start_ms.tolist() == [0, 110, 100]


def test_srtf_stops_the_running_job_for_a_shorter_one() -> None:
    plan = srtf(nodes(1), LINE)
    assert plan.start_ms.tolist() == [0, 1, 2]
    assert plan.end_ms.tolist() == [160, 61, 12]
    assert plan.wait_ms.tolist() == [60, 10, 0]
    assert plan.stops == 2


def test_srtf_frees_whole_nodes_for_a_gang_and_leaves_alone_what_would_not_help() -> None:
    table = jobs(
        submit_ms=[0, 0, 0, 0, 5],
        duration_ms=[900, 25, 800, 700, 20],
        gpus=[2, 2, 4, 4, 8],  # the first two share a node, and the second one ends as soon as the gang would
    )
    plan = srtf(nodes(3), table)
    assert plan.start_ms[4] == 5
    assert plan.end_ms.tolist() == [900, 25, 820, 720, 25]
    assert plan.stops == 2


def test_only_blocking_sjf_holds_small_jobs_back_for_a_short_gang() -> None:
    table = jobs(submit_ms=[0, 1, 2], duration_ms=[100, 10, 50], gpus=[4, 8, 4])
    assert sjf(nodes(2), table).start_ms.tolist() == [0, 100, 2]
    assert sjf(nodes(2), table, blocking=True).start_ms.tolist() == [0, 100, 110]


def test_a_blocked_head_holds_up_only_jobs_with_the_same_places() -> None:
    table = jobs(submit_ms=[0, 1, 2, 3], duration_ms=[50] * 4, gpus=[4, 4, 4, 4], places=[1, 1, 1, 2])
    assert fifo(nodes(1, sites=2), table).start_ms.tolist() == [0, 50, 100, 3]


def test_easy_reserves_in_the_cell_that_promises_the_earliest_start() -> None:
    table = jobs(
        submit_ms=[0, 0, 1, 2, 2],
        duration_ms=[100, 300, 50, 90, 90],
        limit_ms=[100, 300, 50, 90, 200],
        gpus=[4, 4, 8, 4, 4],  # two nodes a site, one taken at each; the gang may go to either
        places=[1, 2, 3, 1, 3],
    )
    plan = easy(nodes(2, sites=2), table)
    assert plan.start_ms.tolist() == [0, 0, 100, 2, 2]


def test_easy_does_not_believe_a_job_without_a_limit() -> None:
    table = jobs(submit_ms=[0, 1, 2], duration_ms=[100, 50, 10], limit_ms=[100, 50, 0], gpus=[4, 8, 4])
    assert easy(nodes(2), table).start_ms.tolist() == [0, 100, 150]
    assert easy(nodes(2), table, no_limit_ms=98).start_ms.tolist() == [0, 100, 2]


def test_shares_join_the_tightest_gpu_and_give_it_back() -> None:
    table = jobs(
        submit_ms=[0, 1, 2, 3, 4, 5],
        duration_ms=[100, 100, 100, 100, 100, 10],
        gpus=[1, 1, 1, 1, 2, 4],
        gpu_milli=[500, 700, 300, 500, 1000, 1000],  # two GPUs shared by two jobs each, two taken whole
    )
    assert fifo(nodes(1), table).start_ms.tolist() == [0, 1, 2, 3, 4, 104]


def test_a_node_without_cpu_left_takes_no_more_jobs() -> None:
    fleet = nodes(1)
    whole_cpu = int(fleet.hw_cpu_milli[0])
    table = jobs(submit_ms=[0, 1], duration_ms=[10, 10], gpus=[1, 1], cpu_milli=[whole_cpu, 1])
    assert fifo(fleet, table).start_ms.tolist() == [0, 10]


@pytest.mark.parametrize("plan", [fifo, easy, sjf, srtf])
def test_a_job_that_fits_nowhere_never_starts_and_harms_nobody(plan: Callable[..., Any]) -> None:
    table = jobs(submit_ms=[0, 1], duration_ms=[10, 10], gpus=[12, 4])
    assert plan(nodes(2), table).start_ms.tolist() == [-1, 1]


def busy(seed: int) -> JobTable:
    rng = np.random.default_rng(seed)
    count = 400
    gpus = rng.choice([0, 1, 1, 1, 2, 4, 8, 16], count)
    return jobs(
        submit_ms=np.sort(rng.integers(0, 2000, count)).tolist(),
        duration_ms=rng.integers(1, 200, count).tolist(),
        limit_ms=rng.integers(0, 400, count).tolist(),
        gpus=gpus.tolist(),
        gpu_milli=np.where(gpus == 1, rng.choice([250, 400, 1000], count), 1000).tolist(),
        cpu_milli=np.where(gpus == 0, 20_000, 0).tolist(),
        places=rng.choice([1, 2, 3], count).tolist(),
    )


def used_milli(table: JobTable, plan: Schedule) -> NDArray[np.int64]:
    amount = table.gpus * table.gpu_milli
    changes = np.concatenate([np.column_stack([plan.end_ms, -amount]), np.column_stack([plan.start_ms, amount])])
    order = np.lexsort((changes[:, 1], changes[:, 0]))
    return np.cumsum(changes[order, 1])


@pytest.mark.parametrize("seed", range(5))
def test_no_schedule_uses_more_than_there_is_and_all_jobs_end(seed: int) -> None:
    table, fleet = busy(seed), nodes(5, sites=2)
    for plan in (fifo, easy, sjf):
        result = plan(fleet, table)
        assert result.wait_ms.min() >= 0
        assert used_milli(table, result).max() <= 1000 * fleet.gpus
    stopped = srtf(fleet, table)
    assert stopped.stops > 0
    assert stopped.wait_ms.min() >= 0
    assert stopped.start_ms.min() >= 0


@pytest.mark.parametrize("seed", range(5))
def test_srtf_is_best_where_every_job_takes_the_whole_machine(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = jobs(
        submit_ms=np.sort(rng.integers(0, 1000, 60)).tolist(),
        duration_ms=rng.integers(1, 40, 60).tolist(),
        gpus=[4] * 60,
    )
    best = srtf(nodes(1), table).wait_ms.mean()
    assert all(best <= plan(nodes(1), table).wait_ms.mean() for plan in (fifo, easy, sjf))


def test_tables_are_joined_in_their_order() -> None:
    whole = concat([LINE.take(slice(0, 1)), LINE.take(slice(1, 3))])
    assert whole.submit_ms.tolist() == [0, 1, 2]
