"""The report of an end: useful work saved, and reports that come back from disk as they were."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridhall.engines.local import verdict
from gridhall.engines.protocol import AttemptKey, Ended, Lost, Stopped

KEY = AttemptKey(3, 2)
MS = st.integers(0, 10**13)


@given(MS, MS, MS, MS)
def test_saved_work_is_never_more_than_what_ran(before: int, began: int, ran: int, newest: int):
    saved = verdict.saved_in_all(before, began, ran, newest)
    assert before <= saved <= before + ran
    assert (saved == before) == (newest <= began or ran == 0)


@pytest.mark.parametrize(
    "report", [Ended(KEY, 1, -9, 5, timed_out=True), Stopped(KEY, 1, 2), Lost(KEY, 1, 2, "gone")], ids=type
)
def test_report_comes_back_as_it_was(report: verdict.End):
    assert verdict.report_of(KEY, verdict.report_words(report)) == report


def test_newest_file_counts_at_any_depth_and_links_are_not_followed(tmp_path: Path):
    kept, outside = tmp_path / "kept", tmp_path / "outside"
    (kept / "a" / "b").mkdir(parents=True)
    outside.mkdir()
    assert verdict.newest_ms(kept) == 0
    for path, seconds in ((kept / "one", 1_000), (kept / "a" / "b" / "two", 2_000), (outside / "late", 9_000)):
        path.touch()
        os.utime(path, (seconds, seconds))
    (kept / "folder").symlink_to(outside)
    (kept / "file").symlink_to(outside / "late")
    os.utime(kept / "file", (1_500, 1_500), follow_symlinks=False)
    os.utime(kept / "folder", (1_500, 1_500), follow_symlinks=False)
    assert verdict.newest_ms(kept) == 2_000_000


def test_reason_of_a_loss():
    assert "before the gang began" in verdict.reason(None, "boot")
    assert "restarted" in verdict.reason({"boot": "old"}, "boot")
    assert "killed" in verdict.reason({"boot": "boot"}, "boot")
