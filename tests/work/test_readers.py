"""Traces become workloads; bad rows are named with their cure."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gridhall.errors import InputError
from gridhall.fleet.synthetic import uniform_fleet
from gridhall.work import ANYWHERE, JobTable, TraceWorkload, read_jobs
from gridhall.work.readers import FORMATS, Format
from tests.shared import shared

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "traces"
MAPPING = EXAMPLES / "jobs.mapping.yaml"
NEEDED = "JobID|User|Account|JobName|Submit|Start|End|Elapsed|Timelimit|State|AllocTRES"


def only(made: TraceWorkload) -> JobTable:
    (table,) = made.chunks()
    return table


def sacct(tmp_path: Path, *rows: str, heading: str = NEEDED) -> Path:
    path = tmp_path / "jobs.txt"
    path.write_text("\n".join((heading, *rows)) + "\n")
    return path


def row(**changes: str) -> str:
    plain = {
        "JobID": "7",
        "User": "ana",
        "Account": "vision",
        "JobName": "train",
        "Submit": "2026-01-05T08:00:00",
        "Start": "2026-01-05T08:10:00",
        "End": "2026-01-06T10:10:30",
        "Elapsed": "1-02:00:30",
        "Timelimit": "2-00:00:00",
        "State": "COMPLETED",
        "AllocTRES": "billing=8,cpu=96,gres/gpu:h100=8,gres/gpu=8,node=1",
    }
    return "|".join({**plain, **changes}.values())


def faults(path: Path, kind: Format, **options: object) -> list[str]:
    with pytest.raises(InputError) as error:
        read_jobs(path, kind, **options)  # type: ignore[arg-type]
    return [str(one) for one in error.value.faults]


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


# sacct


def test_sacct_reads_one_job_in_full(tmp_path: Path) -> None:
    made = read_jobs(sacct(tmp_path, row()), "sacct")
    table = only(made)
    assert made.projects == ("vision",)
    assert table.job_id.tolist() == [7]
    assert table.submit_ms.tolist() == [1_767_600_000_000]
    assert table.duration_ms.tolist() == [(26 * 3600 + 30) * 1000]
    assert table.limit_ms.tolist() == [48 * 3_600_000]
    assert table.gpus.tolist() == [8]


@pytest.mark.parametrize(
    ("tres", "gpus"),
    [
        ("cpu=4,gres/gpu=3,node=1", 3),
        ("cpu=4,gres/gpu:a100=2,gres/gpu:v100=1,node=1", 3),
        ("gres/gpu=16", 16),
        ("cpu=4,gres/gpu:h100=8,gres/gpu=8,node=1", 8),
    ],
)
def test_sacct_counts_gpus_of_tres(tmp_path: Path, tres: str, gpus: int) -> None:
    assert only(read_jobs(sacct(tmp_path, row(AllocTRES=tres)), "sacct")).gpus.tolist() == [gpus]


def test_sacct_drops_steps_waiting_jobs_and_earlier_attempts(tmp_path: Path) -> None:
    path = sacct(
        tmp_path,
        row(State="NODE_FAIL", Elapsed="00:05:00", End="2026-01-05T08:15:00"),
        row(JobID="7.batch"),
        row(Submit="2026-01-05T08:15:00", Start="2026-01-05T09:00:00"),
        row(JobID="8", State="PENDING", Start="Unknown", End="Unknown", Elapsed="00:00:00"),
        row(JobID="9", AllocTRES="cpu=4,node=1"),
        row(JobID="10_3", State="CANCELLED by 1000"),
    )
    made = read_jobs(path, "sacct")
    table = only(made)
    assert table.duration_ms.tolist() == [93_630_000, 93_630_000]
    assert table.submit_ms.tolist() == [1_767_600_000_000] * 2, "a requeued job was submitted when it first was"
    assert sorted(table.outcome.tolist()) == [0, 2]
    said = " / ".join(made.notes)
    assert "1 records of job steps" in said
    assert "1 jobs left out that had not started" in said
    assert "1 records of earlier attempts" in said
    assert "1 jobs without a GPU" in said


def test_sacct_tolerates_missing_optional_columns(tmp_path: Path) -> None:
    path = sacct(
        tmp_path,
        "1|2026-01-05T08:00:00|00:10:00|COMPLETED|gres/gpu=2",
        heading="JobID|Submit|Elapsed|State|ReqTRES",
    )
    table = only(read_jobs(path, "sacct"))
    assert table.limit_ms.tolist() == [0]
    assert table.gpus.tolist() == [2]
    assert table.hardware.tolist() == [ANYWHERE]


def test_sacct_qos_sets_the_priority(tmp_path: Path) -> None:
    rows = [f"{k}|2026-01-05T08:00:00|00:10:00|COMPLETED|gres/gpu=2|{qos}" for k, qos in enumerate(("low", "", "high"))]
    table = only(read_jobs(sacct(tmp_path, *rows, heading="JobID|Submit|Elapsed|State|AllocTRES|QOS"), "sacct"))
    assert table.priority.tolist() == [0, 1, 2]
    assert table.preemptible.tolist() == [1, 0, 0]


def test_names_become_indexes_within_their_user(tmp_path: Path) -> None:
    path = sacct(
        tmp_path,
        row(JobID="1", JobName="b"),
        row(JobID="2", JobName="a"),
        row(JobID="3", User="ben", JobName="z"),
        row(JobID="4", Account="llm", JobName="z"),
    )
    table = only(read_jobs(path, "sacct"))
    assert table.name.tolist() == [1, 0, 0, 0]
    assert table.project.tolist() == [1, 1, 1, 0]
    assert len(set(table.user.tolist())) == 3, "one user in two accounts is two users"


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"Submit": "yesterday"}, "Submit", "'yesterday' is not a time"),
        ({"Elapsed": "NaN"}, "Elapsed", "'NaN' is not a span"),
        ({"Elapsed": "-00:10:00"}, "Elapsed", "is not a span"),
        ({"State": "DONE"}, "State", "'DONE' is not a state"),
        ({"Timelimit": "long"}, "Timelimit", "'long' is not a span"),
        ({"Start": "2026-01-05T07:00:00"}, "Start", "before Submit"),
        ({"End": "2026-01-05T08:09:00"}, "End", "before Start"),
    ],
)
def test_sacct_names_the_row_the_field_and_the_cure(
    tmp_path: Path, change: dict[str, str], field: str, words: str
) -> None:
    path = sacct(tmp_path, row(JobID="1"), row(**change))
    (said,) = faults(path, "sacct")
    assert said.startswith(f"{path}:3: {field}: ")
    assert words in said
    assert "\n    -> " in said


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    (said,) = faults(sacct(tmp_path, "1|x", heading="JobID|Submit"), "sacct")
    assert "State: the column is missing" in said
    assert "--format" in said


def test_the_first_twenty_faults_and_a_count(tmp_path: Path) -> None:
    said = faults(sacct(tmp_path, *(row(JobID=str(k), State="?") for k in range(50))), "sacct")
    assert len(said) == 21
    assert ":2: State" in said[0]
    assert ":21: State" in said[19]
    assert "30 more faults" in said[20]


def test_a_truncated_dump_is_refused(tmp_path: Path) -> None:
    path = sacct(tmp_path, row(JobID="1"), row(JobID="2"))
    path.write_text(path.read_text()[:-60])
    (said,) = faults(path, "sacct")
    assert said.startswith(f"{path}:3: ")
    assert "cut off" in said


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00\x01" * 20])
def test_empty_and_foreign_files_are_refused(tmp_path: Path, kind: Format, content: bytes) -> None:
    path = tmp_path / ("jobs.parquet" if kind in ("m100", "parquet") else "jobs.txt")
    path.write_bytes(content)
    assert str(path) in faults(path, kind, mapping=MAPPING)[0]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_is_not_there_is_refused(tmp_path: Path, kind: Format) -> None:
    assert "no such file" in faults(tmp_path / "nowhere", kind, mapping=MAPPING)[0]


def test_a_dump_without_jobs_says_what_was_left_out(tmp_path: Path) -> None:
    (said,) = faults(sacct(tmp_path, row(AllocTRES="cpu=1")), "sacct")
    assert "no job is left to run" in said
    assert "1 jobs without a GPU" in said


def test_a_job_larger_than_the_fleet_is_refused(tmp_path: Path) -> None:
    path = sacct(tmp_path, row(AllocTRES="gres/gpu=5000"))
    (said,) = faults(path, "sacct", fleet=uniform_fleet(2_000))
    assert f"{path}:2: gpus" in said
    assert "5000" in said
    assert read_jobs(path, "sacct", uniform_fleet(60_000)).jobs == 1


def test_a_gpu_model_that_the_fleet_has_becomes_a_mask(tmp_path: Path) -> None:
    fleet = uniform_fleet(10_000, hardware=("gb300-nvl72", "h100"), shares=(1, 1))
    rows = (row(JobID="1"), row(JobID="2", AllocTRES="gres/gpu:tpu=8"), row(JobID="3", AllocTRES="gres/gpu=8"))
    masks = only(read_jobs(sacct(tmp_path, *rows), "sacct", fleet)).hardware.tolist()
    h100 = next(index for index, name in enumerate(fleet.hw_names) if "h100" in name)
    assert masks == [1 << h100, ANYWHERE, ANYWHERE]


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


def test_a_heading_that_names_a_column_twice_is_refused(tmp_path: Path) -> None:
    path = sacct(tmp_path, "1|1|x", heading="JobID|JobID|State")
    assert ":1: JobID: the column is named twice" in faults(path, "sacct")[0]
