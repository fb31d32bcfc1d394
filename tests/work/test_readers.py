"""Traces become workloads, the same work in every format; missing, empty and foreign files are named."""

from pathlib import Path

import numpy as np
import pytest

from gridhall.fleet.synthetic import uniform_fleet
from gridhall.work import read_jobs
from gridhall.work.readers import FORMATS, Format
from tests.work.traces import EXAMPLES, MAPPING, faults, only


@pytest.mark.parametrize(
    ("name", "kind"),
    [("jobs.sacct.txt", "sacct"), ("jobs.swf", "swf"), ("openb_pods.csv", "openb"), ("jobs.csv", "csv")],
)
def test_every_example_trace_reads(name: str, kind: Format) -> None:
    made = read_jobs(EXAMPLES / name, kind, uniform_fleet(2_000), mapping=MAPPING)
    table = only(made)
    assert made.jobs == len(table) == 40
    assert (np.diff(table.submit_ms) >= 0).all()
    assert table.duration_ms.mean() == pytest.approx(6_003_000, rel=0.001), "the same forty jobs in every format"


def test_the_same_jobs_in_three_formats_are_the_same_work() -> None:
    slurm = only(read_jobs(EXAMPLES / "jobs.sacct.txt", "sacct"))
    swf = only(read_jobs(EXAMPLES / "jobs.swf", "swf"))
    mapped = only(read_jobs(EXAMPLES / "jobs.csv", "csv", mapping=MAPPING))
    for column in ("submit_ms", "duration_ms", "gpus"):
        assert (getattr(slurm, column) == getattr(swf, column)).all()
        assert (getattr(slurm, column) == getattr(mapped, column)).all()
    assert (slurm.outcome == mapped.outcome).all()


def test_align_moves_the_first_submission() -> None:
    made = read_jobs(EXAMPLES / "jobs.swf", "swf", align_ms=5_000)
    plain = read_jobs(EXAMPLES / "jobs.swf", "swf")
    assert made.start_ms == 5_000
    assert (np.diff(only(made).submit_ms) == np.diff(only(plain).submit_ms)).all()


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00\x01" * 20])
def test_empty_and_foreign_files_are_refused(tmp_path: Path, kind: Format, content: bytes) -> None:
    path = tmp_path / ("jobs.parquet" if kind in ("m100", "parquet") else "jobs.txt")
    path.write_bytes(content)
    assert str(path) in faults(path, kind, mapping=MAPPING)[0]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_is_not_there_is_refused(tmp_path: Path, kind: Format) -> None:
    assert "no such file" in faults(tmp_path / "nowhere", kind, mapping=MAPPING)[0]
