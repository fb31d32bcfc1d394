"""The engine's folder after a kill at a bad moment."""

import os
from pathlib import Path

import pytest

from gridhall.engines.local.folder import Folder


class Killed(BaseException):
    pass


def test_a_folder_made_just_before_a_kill_is_given_to_its_job_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[str, int]] = []

    def killed(path: Path, uid: int, gid: int, follow_symlinks: bool) -> None:
        raise Killed

    def give(path: Path, uid: int, gid: int, follow_symlinks: bool) -> None:
        given.append((path.name, uid))

    folder = Folder(tmp_path)
    os.close(folder.prepare())
    monkeypatch.setattr(os, "chown", killed)
    with pytest.raises(Killed):
        folder.job_folder(7, 200_000)
    monkeypatch.setattr(os, "chown", give)
    folder.job_folder(7, 200_000)
    assert given == [("work", 200_000), ("checkpoints", 200_000)]
