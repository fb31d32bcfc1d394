"""A recording, fed to `step` again, gives the recorded effects and state; what was altered is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from gridhall.controller.events import GROW
from gridhall.controller.replay import replay, state_at
from gridhall.engines.twin import run as twin
from gridhall.engines.twin.settings import Plan, Totals
from gridhall.errors import InputError
from gridhall.units import DAY_MS
from tests.engines.small import small_plan


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Totals]:
    plan = small_plan(record=tmp_path_factory.mktemp("run") / "recording")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(twin, "new_state", lambda *args, **more: new_state(*args, **more, slots=64))
        return plan, twin.run(plan, None)


new_state = twin.new_state


def folder(recorded: tuple[Plan, Totals]) -> Path:
    path = recorded[0].record
    assert path is not None
    return path


def test_a_replay_arrives_at_the_recorded_effects_and_state(recorded: tuple[Plan, Totals]) -> None:
    seen: list[tuple[int, int]] = []
    result = replay(folder(recorded), lambda done, total: seen.append((done, total)))
    assert result.verdict == "same"
    assert (result.digest, result.state_hash) == (recorded[1].digest, recorded[1].state_hash)
    assert seen[-1] == (result.events, result.events)


def test_the_recording_went_on_while_the_state_grew(recorded: tuple[Plan, Totals]) -> None:
    kinds = np.concatenate([np.load(path)[:, 0] for path in folder(recorded).glob("events-*.npy")])
    assert (kinds == GROW).sum() >= 1


def test_the_state_at_a_time_is_the_twins(recorded: tuple[Plan, Totals]) -> None:
    other = twin.start(small_plan())
    other.controller = new_state(other.plan.fleet, other.plan.tenancy, other.plan.policy, slots=64)
    other.world = twin.new_world(other.plan, other.controller, False)
    other.advance(2 * DAY_MS, None)
    assert state_at(folder(recorded), 2 * DAY_MS).digest() == other.controller.digest()


def copy_of(recorded: tuple[Plan, Totals], to: Path) -> Path:
    to.mkdir()
    for path in folder(recorded).iterdir():
        (to / path.name).write_bytes(path.read_bytes())
    return to


def test_an_altered_event_is_refused(recorded: tuple[Plan, Totals], tmp_path: Path) -> None:
    copy = copy_of(recorded, tmp_path / "copy")
    path = min(copy.glob("events-*.npy"))
    rows = np.load(path)
    rows[0, 2] += 1
    np.save(path, rows)
    with pytest.raises(InputError, match="was changed"):
        replay(copy)


def test_a_lost_batch_is_refused(recorded: tuple[Plan, Totals], tmp_path: Path) -> None:
    copy = copy_of(recorded, tmp_path / "copy")
    max(copy.glob("events-*.npy")).unlink()
    with pytest.raises(InputError, match="a file is lost"):
        replay(copy)


def test_an_unfinished_recording_is_refused(recorded: tuple[Plan, Totals], tmp_path: Path) -> None:
    copy = copy_of(recorded, tmp_path / "copy")
    (copy / "end.json").unlink()
    with pytest.raises(InputError, match="no part of a finished recording"):
        replay(copy)


@pytest.mark.parametrize(("kernels", "verdict"), [(None, "different"), ("others", "not comparable")])
def test_another_result_counts_only_under_the_same_kernels(
    recorded: tuple[Plan, Totals], tmp_path: Path, kernels: str | None, verdict: str
) -> None:
    copy = copy_of(recorded, tmp_path / "copy")
    end = json.loads((copy / "end.json").read_text())
    (copy / "end.json").write_text(json.dumps(end | {"digest": "0" * 16}))
    if kernels is not None:
        header = json.loads((copy / "header.json").read_text())
        (copy / "header.json").write_text(json.dumps(header | {"kernels": kernels}))
    assert replay(copy).verdict == verdict
