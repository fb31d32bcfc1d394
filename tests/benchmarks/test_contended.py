"""Arrivals are pressed together until it matters who goes first, and no further."""

from collections.abc import Iterator

import numpy as np

from benchmarks.contended import contended, openb_part, press
from gridhall.work.table import JobTable, Workload
from tests.benchmarks.jobs import jobs, nodes
from tests.shared import shared


def workload(table: JobTable) -> Workload:
    def chunks() -> Iterator[JobTable]:
        return iter([table])

    return Workload("by hand", "synthetic", ("project",), ("organisation",), np.zeros(1, np.int64), chunks)


LONG_THEN_SHORT = jobs(
    submit_ms=[60_000 * i for i in range(20)],
    duration_ms=[50_000] * 3 + [1_000] * 17,
    gpus=[4] * 20,
    checkpoint_cost_ms=[60_000] * 20,
)


def test_arrivals_come_closer_until_fifo_waits_twice_as_long_as_sjf() -> None:
    case = press(nodes(1), workload(LONG_THEN_SHORT), (1.0, 2.0, 60.0, 600.0))
    assert not case.void
    assert contended(case.fifo, case.sjf)
    assert case.pressed == 60.0
    assert case.table.submit_ms.tolist() == [1_000 * i for i in range(20)]


def test_a_case_without_contention_is_void() -> None:
    case = press(nodes(30), workload(LONG_THEN_SHORT), (1.0, 2.0))
    assert case.void
    assert case.pressed == 2.0


def test_the_twin_gets_the_pressed_jobs_without_the_cost_of_writing_checkpoints() -> None:
    case = press(nodes(30), workload(LONG_THEN_SHORT), (2.0,))
    (table,) = case.workload.chunks()
    assert table.submit_ms.tolist() == case.table.submit_ms.tolist()
    assert table.checkpoint_cost_ms.max() == 0


def test_every_eighth_node_of_openb_has_an_eighth_of_its_gpus() -> None:
    shared("traces/openb/openb_node_list_gpu_node.csv")
    assert abs(openb_part(8).gpus - 6_212 / 8) < 30
