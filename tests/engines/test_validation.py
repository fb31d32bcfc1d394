"""The validation table and the independent schedule simulator behind it."""

import pytest

from gridhall.engines.twin.validation import Row, rows
from gridhall.engines.twin.validation.goodput import Gang, meta_ettr, renewal_ettr, sampled_ettr
from gridhall.engines.twin.validation.schedules import AccaSimEasy, Rule, easy, fifo, simulate
from gridhall.engines.twin.validation.traces import FRONTIER_DAY, SETH_LIKE, SeededTrace, TraceJob
from gridhall.engines.twin.validation.twin import twin_ettr
from gridhall.scheduling.policy import load_policy


@pytest.fixture(scope="module")
def found() -> list[Row]:
    return rows()


def test_every_figure_is_met(found: list[Row]) -> None:
    assert [(row.name, row.published, row.ours) for row in found if not row.passed] == []


def test_the_published_figures_that_matter_are_there(found: list[Row]) -> None:
    published = {row.published for row in found}
    assert {7.3065, 28.2279, 22.70, 22.79, 305.7, 14_553.84, 825.5252, 792.65, 90_000, 0.411294} <= published


@pytest.mark.parametrize(
    ("published", "ours", "error", "passed"),
    [(100.0, 101.0, 0.01, True), (100.0, 98.9, -0.011, False), (0.0, 0.02, 0.02, False)],
)
def test_a_row_passes_within_its_tolerance(published: float, ours: float, error: float, passed: bool) -> None:
    row = Row("s", "n", published, ours, "s", 0.0101, "source", "us")
    assert row.error == pytest.approx(error)
    assert row.passed is passed


@pytest.mark.parametrize(
    ("trace", "last_submit", "submits", "node_seconds"),
    [(SETH_LIKE, 1_312_797, 3_281_397_793, 479_979_004 // 4), (FRONTIER_DAY, 87_250, 218_084_401, 208_446_072)],
)
def test_the_traces_have_their_check_sums(
    trace: SeededTrace, last_submit: int, submits: int, node_seconds: int
) -> None:
    jobs = trace.draw()
    assert jobs[-1].submit_s == last_submit
    assert sum(job.submit_s for job in jobs) == submits
    assert sum(job.run_s for job in jobs) == 19_385_862
    assert sum(job.requested_s for job in jobs) == 38_167_861
    assert sum(job.nodes * job.run_s for job in jobs) == node_seconds


@pytest.mark.parametrize(
    ("rule", "mean_wait_s", "makespan_s"),
    [(fifo, 14_553.8352, 1_356_634), (easy, 825.5252, 1_356_634), (AccaSimEasy(), 792.6454, 1_362_623)],
)
def test_waits_on_the_seth_like_trace(rule: Rule, mean_wait_s: float, makespan_s: int) -> None:
    schedule = simulate(SETH_LIKE.draw(), SETH_LIKE.machine_nodes, rule)
    assert schedule.mean_wait_s == pytest.approx(mean_wait_s, abs=5e-5)
    assert schedule.makespan_s == makespan_s


def test_easy_passes_the_head_only_with_jobs_that_do_not_delay_it() -> None:
    jobs = [
        TraceJob(0, 6, 100, 100),
        TraceJob(1, 8, 100, 100),  # head: waits for the first job's end
        TraceJob(2, 4, 50, 98),  # ends by then: passes
        TraceJob(3, 4, 50, 99),  # no nodes left
    ]
    assert simulate(jobs, 10, easy).start_s == [0, 100, 2, 200]
    assert simulate(jobs, 10, fifo).start_s == [0, 100, 200, 200]


def test_meta_is_the_first_order_of_the_exact_ratio() -> None:
    small = Gang("RSC-2", 64, 3600, 60, 600)
    large = Gang("RSC-1", 16_384, 3600, 60, 600)
    assert meta_ettr(small) == pytest.approx(renewal_ettr(small), rel=1e-4)
    assert meta_ettr(large) / renewal_ettr(large) < 0.93


def test_sampling_confirms_the_exact_ratio() -> None:
    gang = Gang("RSC-1", 16_384, 300, 6, 120)
    assert sampled_ettr(gang, lives=200_000, seed=7) == pytest.approx(renewal_ettr(gang), rel=0.01)


def test_the_twin_loses_what_the_closed_form_says_under_other_rates_and_checkpoints() -> None:
    gang = Gang("RSC-1", 4_096, 900, 30, 300)
    twin = twin_ettr(gang, load_policy(), lives=3_000, seed=5)
    assert twin.failures == pytest.approx(3_000, rel=0.1)
    assert twin.ettr == pytest.approx(renewal_ettr(gang), rel=0.01)
