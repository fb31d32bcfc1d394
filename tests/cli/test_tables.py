"""Results are streamed to parquet, and a folder appears only when its run has ended well."""

from pathlib import Path

import numpy as np
import pytest

from gridhall.engines.twin.tables import TABLES, ParquetSink, run_folder, scan_table
from gridhall.errors import InputError


def batch(first: int, count: int) -> dict[str, np.ndarray]:
    return {name: np.arange(first, first + count) for name in TABLES["fleet"]}


def test_rows_come_back_in_order_over_several_parts(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path, part_rows=25)
    for first in range(0, 100, 10):
        sink.write("fleet", batch(first, 10))
    sink.close()
    assert len(list((tmp_path / "fleet").iterdir())) == 4
    assert scan_table(tmp_path, "fleet").collect()["cell"].to_list() == list(range(100))


def test_a_batch_may_be_overwritten_by_its_writer_afterwards(tmp_path: Path) -> None:
    sink, rows = ParquetSink(tmp_path), batch(0, 3)
    sink.write("fleet", rows)
    rows["cell"][:] = -1
    sink.close()
    assert scan_table(tmp_path, "fleet").collect()["cell"].to_list() == [0, 1, 2]


def test_a_run_without_rows_still_has_every_table(tmp_path: Path) -> None:
    ParquetSink(tmp_path).close()
    assert {name: tuple(scan_table(tmp_path, name).collect().columns) for name in TABLES} == TABLES


def test_a_finished_run_takes_its_name(tmp_path: Path) -> None:
    with run_folder(tmp_path / "deep" / "run") as folder:
        (folder / "file").write_text("x")
    assert (tmp_path / "deep" / "run" / "file").read_text() == "x"


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError, SystemExit])
def test_a_run_that_does_not_end_well_leaves_nothing(tmp_path: Path, stop: type[BaseException]) -> None:
    def interrupted() -> None:
        with run_folder(tmp_path / "run") as folder:
            (folder / "file").write_text("x")
            raise stop

    with pytest.raises(stop):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(InputError, match="exists already"), run_folder(tmp_path / "run"):
        pass


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such table"):
        scan_table(tmp_path, "jobs")
