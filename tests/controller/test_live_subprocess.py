"""The contract, live: real processes and the real clock behind the very `step` that the twin and replay call."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from gridhall.controller.events import CANCEL, ENDED, EVENT_WIDTH, NODE_UP, STOPPED, SUBMIT
from gridhall.controller.record import Recorder
from gridhall.controller.replay import replay
from gridhall.controller.state import ControllerState, new_state
from gridhall.controller.step import step
from gridhall.fleet.synthetic import uniform_fleet
from gridhall.scheduling.decisions import (
    ACCEPT,
    DONE,
    EFFECT_WIDTH,
    RELEASE,
    S_CANCELLED,
    S_COMPLETED,
    S_FAILED,
    START,
    STOP,
)
from gridhall.scheduling.policy import load_policy
from gridhall.tenancy import even_tenancy

Effect = list[int]


class Live:
    """A few lines of an engine: START begins a process, STOP ends it, a process that is over becomes an event."""

    def __init__(self, w: ControllerState, recorder: Recorder, commands: dict[int, list[str]]) -> None:
        self.w, self.recorder, self.commands = w, recorder, commands
        self.running: dict[tuple[int, int], subprocess.Popen[str]] = {}
        self.began_ms: dict[tuple[int, int], int] = {}
        self.said: dict[int, str] = {}
        self.effects: list[Effect] = []

    def happen(self, kind: int, *fields: int) -> None:
        now_ms = time.time_ns() // 1_000_000
        row = np.zeros((1, EVENT_WIDTH), np.int64)
        row[0, : 2 + len(fields)] = (kind, now_ms, *fields)
        self.w.event[:] = row[0]
        count = step(self.w.handle)
        self.recorder.write(row)  # written down first, then done
        for effect in self.w.view("effects")[: count * EFFECT_WIDTH].reshape(count, EFFECT_WIDTH).tolist():
            self.effects.append(effect)
            self.carry_out(effect)

    def carry_out(self, effect: Effect) -> None:
        kind, time_ms, job, slot, attempt = effect[:5]
        if kind == START:
            process = subprocess.Popen(self.commands[job], stdout=subprocess.PIPE, text=True)
            self.running[slot, attempt], self.began_ms[slot, attempt] = process, time_ms
        elif kind == STOP:
            self.running[slot, attempt].terminate()

    def reap(self, job: int, slot: int, attempt: int, stopped: bool = False) -> int:
        """Wait for a process; its end is an event."""
        process = self.running.pop((slot, attempt))
        self.said[job] = process.communicate(timeout=60)[0]
        if stopped:
            self.happen(STOPPED, slot, attempt, 0, 0, job)
        else:
            state = S_COMPLETED if process.returncode == 0 else S_FAILED
            ran_ms = time.time_ns() // 1_000_000 - self.began_ms[slot, attempt]
            self.happen(ENDED, slot, attempt, state, ran_ms, job)
        return process.returncode

    def of(self, job: int, kind: int) -> list[Effect]:
        return [effect for effect in self.effects if effect[0] == kind and effect[2] == job]


def live(folder: Path, commands: dict[int, list[str]]) -> Live:
    """One node with eight GPUs, up."""
    fleet = uniform_fleet(8, shares=(100,), hardware="h100", nodes_per_rack=1)
    w = new_state(fleet, even_tenancy(("us",), ("project",), (0,)), load_policy())
    world = Live(w, Recorder(folder, w, {"engine": "local processes"}), commands)
    world.happen(NODE_UP, 0)
    return world


def submit(world: Live, job: int) -> tuple[int, int]:
    """A job of one GPU, an hour at most; where it runs: slot and attempt."""
    world.happen(SUBMIT, job, 0, 0, 0, 1, 0, 0, 1, 0, 1000, 0, 0, 1, 3_600_000, 800, 0, 0, 0)
    assert len(world.of(job, ACCEPT)) == 1
    start = world.of(job, START)[-1]
    return start[3], start[4]


def test_a_real_process_runs_through_step_and_its_recording_replays(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "print('hello from a gang of one')"]
    world = live(tmp_path / "recording", {7: words, 8: [sys.executable, "-c", "raise SystemExit(3)"]})

    assert world.reap(7, *submit(world, 7)) == 0
    assert world.said[7] == "hello from a gang of one\n"
    assert [effect[5] for effect in world.of(7, DONE)] == [S_COMPLETED]
    assert len(world.of(7, RELEASE)) == 1

    assert world.reap(8, *submit(world, 8)) == 3
    assert [effect[5] for effect in world.of(8, DONE)] == [S_FAILED]

    world.recorder.close(world.w)
    result = replay(tmp_path / "recording")
    assert result.verdict == "same"
    assert result.events == 5
    assert result.state_hash == world.w.digest()


def test_a_cancelled_process_is_told_to_stop(tmp_path: Path) -> None:
    world = live(tmp_path / "recording", {9: [sys.executable, "-c", "import time; time.sleep(600)"]})
    slot, attempt = submit(world, 9)
    world.happen(CANCEL, slot, 9)
    assert len(world.of(9, STOP)) == 1
    assert world.reap(9, slot, attempt, stopped=True) != 0
    assert [effect[5] for effect in world.of(9, DONE)] == [S_CANCELLED]
    world.recorder.close(world.w)
    assert replay(tmp_path / "recording").verdict == "same"
