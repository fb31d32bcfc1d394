"""Marginals of workloads, with the published ones beside."""

from collections.abc import Iterator

import numpy as np
import pytest

from gridhall.fleet.synthetic import uniform_fleet
from gridhall.units import DAY_MS, HOUR_MS
from gridhall.work import PROFILES, JobTable, Workload, describe, generate
from tests.work.jobs import jobs


def workload(*tables: JobTable) -> Workload:
    def chunks() -> Iterator[JobTable]:
        return iter(tables)

    return Workload("hand-made", "this test", ("a", "b"), ("x",), np.zeros(2, np.int64), chunks)


def test_figures_worked_out_by_hand() -> None:
    first = jobs([0, HOUR_MS], gpus=[1, 3], duration_ms=[HOUR_MS, 2 * HOUR_MS], gpu_milli=[500, 1000])
    second = jobs([2 * HOUR_MS], gpus=[8], duration_ms=[3 * HOUR_MS], project=[1], outcome=[3], priority=[2])
    said = describe(workload(first, second))
    assert said.jobs == 3
    assert said.mean_run_s == said.median_run_s == 7200
    assert said.mean_gpus == pytest.approx(11.5 / 3)
    assert said.max_gpus == 8
    assert said.gpu_hours == pytest.approx(0.5 + 6 + 24)
    assert [(part.label, part.jobs) for part in said.by_size] == [("1", 1), ("3-4", 1), ("5-8", 1)]
    assert [(part.label, part.gpu_hours) for part in said.by_outcome] == [("completed", 6.5), ("timeout", 24.0)]
    assert [part.label for part in said.by_project] == ["b", "a"]
    assert [(part.label, part.jobs) for part in said.by_organisation] == [("x", 3)]
    assert said.shared_gpu == pytest.approx(1 / 3)
    assert (said.first_submit_ms, said.last_submit_ms) == (0, 2 * HOUR_MS)
    assert said.load is None
    assert said.marginals == ()


def test_load_is_measured_against_the_fleet() -> None:
    fleet = uniform_fleet(2_000)
    table = jobs([0, DAY_MS], gpus=[fleet.gpus, fleet.gpus], duration_ms=[DAY_MS // 4, DAY_MS // 4])
    assert describe(workload(table), fleet).load == pytest.approx(0.5)


def test_no_jobs_cannot_be_described() -> None:
    with pytest.raises(ValueError, match="no jobs"):
        describe(workload())


@pytest.mark.parametrize("name", ["acme-seren", "acme-kalos", "philly", "helios"])
def test_generated_marginals_stand_beside_the_published_ones_and_meet_them(name: str) -> None:
    law = PROFILES[name]
    made = generate(law, seed=4, start_ms=0, end_ms=180 * DAY_MS, fleet=uniform_fleet(8_000, shares=(1,)), jobs=400_000)
    said = describe(made)
    assert said.published_source == law.published.source
    assert said.stretch == pytest.approx(1, abs=1e-6)
    by_label = {row.label: row for row in said.marginals}
    assert by_label["mean run, unstretched"].published == law.published.mean_run_s
    for label, tolerance in (("mean run, unstretched", 0.03), ("median run, unstretched", 0.05), ("mean GPUs", 0.03)):
        row = by_label[label]
        if row.published is not None:
            assert row.reached == pytest.approx(row.published, rel=tolerance)
    for outcome in ("completed", "failed", "cancelled"):
        row = by_label[f"GPU-time {outcome}"]
        assert row.reached == pytest.approx(row.published, abs=4)
    if law.published.max_gpus:
        assert said.max_gpus == law.published.max_gpus
