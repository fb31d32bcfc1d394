"""SWF logs, openb's pods, Marconi100's jobs and mapped tables; bad rows are named with their cure."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gridhall.work import read_jobs
from tests.shared import shared
from tests.work.traces import EXAMPLES, MAPPING, faults, only

# SWF


def swf(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "log.swf"
    path.write_text("; UnixStartTime: 1000\n" + "\n".join(rows) + "\n")
    return path


def test_swf_reads_fields_and_leaves_out_what_never_ran(tmp_path: Path) -> None:
    path = swf(
        tmp_path,
        "1 10 5 100 4 -1 -1 4 200 -1 1 3 2 7 1 1 -1 -1",
        "2 20 -1 -1 -1 -1 -1 8 200 -1 5 3 2 7 1 1 -1 -1",
        "3 30 5 50 -1 -1 -1 8 -1 -1 0 3 2 7 1 1 -1 -1",
        "4 40 5 50 8 -1 -1 8 -1 -1 2 3 2 7 1 1 -1 -1",
    )
    made = read_jobs(path, "swf")
    table = only(made)
    assert table.job_id.tolist() == [1, 3]
    assert table.submit_ms.tolist() == [1_010_000, 1_030_000]
    assert table.duration_ms.tolist() == [100_000, 50_000]
    assert table.limit_ms.tolist() == [200_000, 0]
    assert table.gpus.tolist() == [4, 8]
    assert table.outcome.tolist() == [0, 1]
    assert any("never ran" in note for note in made.notes)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ("2 5 5 100 4 -1 -1 4 200 -1 1 3 2 7 1 1 -1 -1", "submit: '5' is before the line above"),
        ("2 20 5 -100 4 -1 -1 4 200 -1 1 3 2 7 1 1 -1 -1", "run: '-100' is negative"),
        ("2 20 5 nan 4 -1 -1 4 200 -1 1 3 2 7 1 1 -1 -1", "run: 'nan' is not a whole number"),
        ("2 20 5 100 4 -1 -1 4 200 -1 9 3 2 7 1 1 -1 -1", "status: '9' is not a status"),
        ("2 20 5 100 4 -1 -1", "fields: 7 fields where 18 belong"),
    ],
)
def test_swf_names_bad_lines(tmp_path: Path, second: str, words: str) -> None:
    (said, *_) = faults(swf(tmp_path, "1 10 5 100 4 -1 -1 4 200 -1 1 3 2 7 1 1 -1 -1", second), "swf")
    assert ":3: " in said
    assert words in said


# openb


OPENB = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time"


def openb(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "pods.csv"
    path.write_text("\n".join((OPENB, *rows)) + "\n")
    return path


def test_openb_reads_shared_gpus_cores_and_memory(tmp_path: Path) -> None:
    path = openb(tmp_path, "a,4000,8192,1,460,,BE,Failed,10,110,20", "b,1000,1024,0,0,,LS,Running,20,40,30")
    table = only(read_jobs(path, "openb"))
    assert table.gpu_milli.tolist() == [460]
    assert table.cpu_milli.tolist() == [4000]
    assert table.mem_mib.tolist() == [8192]
    assert table.duration_ms.tolist() == [90_000]
    assert (table.priority[0], table.preemptible[0], table.outcome[0]) == (0, 1, 1)
    both = only(read_jobs(path, "openb", cpu_jobs=True))
    assert both.gpus.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("pod", "field"),
    [
        ("a,4000,8192,1,460,,BE,Failed,10,110,5", "scheduled_time"),
        ("a,4000,8192,1,460,,BE,Failed,10,15,20", "deletion_time"),
        ("a,4000,8192,x,460,,BE,Failed,10,110,20", "num_gpu"),
        ("a,4000,8192,-1,1000,,BE,Failed,10,110,20", "num_gpu"),
        ("a,4000,8192,2,460,,BE,Failed,10,110,20", "gpu_milli"),
        ("a,4000,8192,1,1460,,BE,Failed,10,110,20", "gpu_milli"),
    ],
)
def test_openb_names_bad_pods(tmp_path: Path, pod: str, field: str) -> None:
    assert f":2: {field}: " in faults(openb(tmp_path, pod), "openb")[0]


def test_openb_as_published() -> None:
    made = read_jobs(shared("traces/openb/openb_pod_list_default.csv"), "openb", cpu_jobs=True)
    table = only(made)
    assert made.jobs == 8_152
    assert (table.gpus * table.gpu_milli).sum() == 6_086_800
    assert "Weng et al." in made.origin
    assert np.bincount(table.gpus)[[0, 1, 2, 4, 8]].tolist() == [1_088, 6_989, 16, 15, 44]


def test_openb_without_times_stands_all_at_once() -> None:
    table = only(read_jobs(shared("traces/openb/openb_pod_list_multigpu20.csv"), "openb", cpu_jobs=True))
    assert len(table) == 8_324
    assert (table.gpus * table.gpu_milli).sum() == 7_086_800
    assert set(table.submit_ms.tolist()) == {0}


# Marconi100 and mapped tables


def test_marconi100_as_published() -> None:
    made = read_jobs(shared("traces/m100/m100_real_jobs.parquet"), "m100")
    assert made.jobs == 813
    assert "CC BY 4.0" in made.origin
    assert "1181 jobs without a GPU left out" in made.notes


def m100(tmp_path: Path, **changes: list[object]) -> Path:
    plain: dict[str, list[object]] = {
        "job_id": [1, 2],
        "submit_time": [1_000, 2_000],
        "run_time": [60, 70],
        "num_gpus_alloc": [4, 8],
        "time_limit": [10, 20],
        "user_id": [5, 6],
        "job_state": ["COMPLETED", "FAILED"],
    }
    path = tmp_path / "jobs.parquet"
    frame = pl.DataFrame({**plain, **changes}).with_columns(pl.col("submit_time").cast(pl.Datetime("ms", "UTC")))
    frame.write_parquet(path)
    return path


def test_marconi100_names_bad_rows(tmp_path: Path) -> None:
    assert ":2: run_time: -5" in faults(m100(tmp_path, run_time=[60, -5]), "m100")[0]
    assert ":1: num_gpus_alloc: None" in faults(m100(tmp_path, num_gpus_alloc=[None, 4]), "m100")[0]


def test_a_parquet_file_cut_off_is_refused(tmp_path: Path) -> None:
    path = m100(tmp_path)
    path.write_bytes(path.read_bytes()[:-40])
    assert "cannot be read" in faults(path, "m100")[0]


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        (",48,OK", ",NaN,OK", None),
        ("OK", "FINE", "ended_as"),
        ("2026-01-05T08", "yesterdayT08", "queued_at"),
        (",16,48", ",many,48", "gpus"),
        (",16,48", ",-16,48", "gpus"),
    ],
)
def test_a_mapped_table_names_its_own_columns(tmp_path: Path, before: str, after: str, field: str | None) -> None:
    path = tmp_path / "jobs.csv"
    path.write_text((EXAMPLES / "jobs.csv").read_text().replace(before, after, 1))
    if field is None:
        assert read_jobs(path, "csv", mapping=MAPPING).jobs == 40
    else:
        assert f": {field}: " in faults(path, "csv", mapping=MAPPING)[0]


def test_a_mapping_with_unknown_fields_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(MAPPING.read_text() + "colour: blue\n")
    (said,) = faults(EXAMPLES / "jobs.csv", "csv", mapping=path)
    assert "colour" in said
    path.write_text(MAPPING.read_text().replace("  end: ended_at\n", ""))
    assert "duration" in faults(EXAMPLES / "jobs.csv", "csv", mapping=path)[0]


def test_a_mapping_is_needed() -> None:
    assert "needs a mapping file" in faults(EXAMPLES / "jobs.csv", "csv")[0]


def test_not_a_number_in_a_table_is_refused(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        "title: t\nattribution: a\ncolumns: {submit: at, duration: run, gpus: g}\nunits: {time: s, duration: h}\n"
    )
    path = tmp_path / "jobs.parquet"
    pl.DataFrame({"at": [1.0, 2.0], "run": [1.5, float("nan")], "g": [1, 2]}).write_parquet(path)
    assert ":2: run: nan cannot be read" in faults(path, "parquet", mapping=mapping)[0]
    pl.DataFrame({"at": [1.0, 2.0], "run": [1.5, -1.0], "g": [1, 2]}).write_parquet(path)
    assert ":2: run: -1.0 is negative" in faults(path, "parquet", mapping=mapping)[0]
    pl.DataFrame({"at": [2.0, 1.0], "run": [1.5, 2.0], "g": [1, 2]}).write_parquet(path)
    table = only(read_jobs(path, "parquet", mapping=mapping))
    assert table.submit_ms.tolist() == [1_000, 2_000]
    assert table.duration_ms.tolist() == [7_200_000, 5_400_000]
