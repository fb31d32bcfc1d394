"""`gridhall energy targets` against a server: set, list, clear, refuse, and what is left after a kill."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.up import Up


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("GRIDHALL_COMPILE", "0")
    with Up(tmp_path) as server:
        yield server


def targets(up: Up, *words: str) -> Any:
    return json.loads(up.gridhall("energy", "targets", *words, "--json"))


def test_a_target_is_set_listed_kept_over_a_kill_and_cleared(up: Up) -> None:
    (made,) = targets(up, "set", "socket", "0.06kW", "--until", "2h", "--firm", "--id", "reserve")
    assert (made["load_constraint"]["value"], made["strategy"], made["feed_tags"]) == (60, "firm", ["here:socket"])
    later = targets(up, "set", "here:socket", "65W", "--from", "3h", "--until", "1h")
    assert [each["load_constraint"]["value"] for each in later] == [60, 65]
    up.kill()
    up.start()
    listed = targets(up, "list", "--feed", "socket")
    (feed,) = listed["feeds"]
    assert (feed["status"]["limit_w"], feed["status"]["target"]["correlation_id"]) == (60, "reserve")
    assert listed["targets"] == later
    assert "here:socket" in up.gridhall("energy", "targets", "list")
    up.gridhall("energy", "targets", "clear", "socket", code=1)
    assert targets(up, "clear", "socket", "--id", "reserve") == []
    (feed,) = targets(up, "list")["feeds"]
    assert feed["status"]["limit_w"] == feed["spec"]["maximum_w"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("socket", "60"), 2, "write it as 750kW"),
        (("socket", "60W", "--until", "tomorrow"), 2, "--until"),
        (("socket", "60W", "--until", "2020-01-01"), 2, "not after the target begins"),
        (("socket", "5W"), 1, "the nearest is 50 W"),
        (("plug", "60W"), 1, "there is no feed plug"),
    ],
)
def test_what_cannot_be_is_refused_with_the_mend(words: tuple[str, ...], code: int, said: str, refusing: Up) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gridhall.cli", "energy", "targets", "set", *words],
        env=refusing.around,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert targets(refusing, "list")["targets"] == []


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRIDHALL_COMPILE", "0")
        with Up(tmp_path_factory.mktemp("refusing")) as server:
            yield server
