"""Every benchmark's last line says what it measured, where, and under which policy."""

import json

import pytest

from benchmarks.common import emit
from gridhall.scheduling.policy import load_policy


def test_the_result_is_one_json_line_with_its_circumstances(capsys: pytest.CaptureFixture[str]) -> None:
    policy = load_policy()
    emit({"jobs": 3}, policy)
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    said = json.loads(line)
    assert said["jobs"] == 3
    assert said["policy"] == policy.hash
    assert said["machine"]["cores"] >= 1
    assert said["revision"]
