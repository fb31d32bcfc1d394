"""Dumps of Slurm's accounting; bad rows are named with their cure."""

from pathlib import Path

import pytest

from gridhall.fleet.synthetic import uniform_fleet
from gridhall.work import ANYWHERE, read_jobs
from tests.work.traces import faults, only

NEEDED = "JobID|User|Account|JobName|Submit|Start|End|Elapsed|Timelimit|State|AllocTRES"


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


def test_a_heading_that_names_a_column_twice_is_refused(tmp_path: Path) -> None:
    path = sacct(tmp_path, "1|1|x", heading="JobID|JobID|State")
    assert ":1: JobID: the column is named twice" in faults(path, "sacct")[0]
