"""How long one decision takes: `python -m benchmarks.placement`.

A fleet is filled to 90 % and kept there by churn: random work ends, other work of the year benchmark's generator takes
its place, under its masks of sites, its quotas and power limits (`year_plan`). In between, gangs of the sizes in
question end and others of the same size are submitted. Timed is one call of the compiled `step`, from Python, for a
SUBMIT event that starts its gang at once, and for the ENDED event that releases it; the measured cost of calling a
compiled function that does nothing is taken off. A figure is the larger of both 99th percentiles. Work that does not
start at once is cancelled, so that nothing waits: what a pass over a long queue costs is part of `benchmarks.year`.

`p99_us_64` is over sizes 1, 2, 4 ... 64 in equal numbers, `p99_us_4096` over that one size; `_600k` at 600,000 GPUs.
"""

import argparse
import gc
import sys
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import emit
from benchmarks.year_plan import year_plan
from gridhall.controller.events import CANCEL, ENDED, NODE_UP
from gridhall.controller.state import ControllerState, new_state
from gridhall.controller.step import step
from gridhall.engines.twin.run import event_rows
from gridhall.kernel import kernel
from gridhall.scheduling.decisions import DONE, EFFECT_WIDTH, S_COMPLETED, START
from gridhall.scheduling.policy import load_policy

Ints = NDArray[np.int64]

SMALL = (1, 2, 4, 8, 16, 32, 64)
LARGE = (4096,)
FULL = 0.9
TURNS = 4
"""Background jobs that end, and as many GPUs that are filled again, between two timed decisions."""
SLOTS = 1 << 17
SECOND_MS = 1000
E_TIME, E_JOB, E_PRIORITY, E_GPUS, E_CELLS = 1, 2, 6, 9, 14
"""Places in a SUBMIT row."""


@kernel
def nothing(address: int) -> int:
    """What a call costs by itself."""
    return address


@dataclass
class Running:
    """What runs, by size: (slot, attempt, job)."""

    by_size: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)
    gpus: int = 0

    def add(self, size: int, place: tuple[int, int, int]) -> None:
        """Note a start."""
        self.by_size.setdefault(size, []).append(place)
        self.gpus += size

    def take(self, chance: np.random.Generator, size: int) -> tuple[int, int, int] | None:
        """A random one of a size."""
        places = self.by_size.get(size)
        if not places:
            return None
        at = int(chance.integers(len(places)))
        places[at], places[-1] = places[-1], places[at]
        self.gpus -= size
        return places.pop()


class Bench:
    """A fleet under churn, and a stopwatch around `step`."""

    def __init__(self, gpus: int, seed: int = 1) -> None:
        plan, work = year_plan(gpus, 200_000, 365, seed)
        self.w: ControllerState = new_state(plan.fleet, plan.tenancy, plan.policy, SLOTS)
        self.total = plan.fleet.gpus
        self.chance = np.random.Generator(np.random.Philox(key=[seed, 1]))
        self.running = Running()
        self.now_ms = 0
        self.jobs = 0
        rows = np.concatenate([event_rows(work.chunk(number), plan) for number in range(2)])
        rows[:, E_PRIORITY] = np.minimum(rows[:, E_PRIORITY], 2)  # urgent work would stop others: another decision
        self.rows = rows[rows[:, E_GPUS] <= max(LARGE)]
        self.roomy = self.rows[self.rows[:, E_CELLS] & 1 == 1]  # the largest site is among those allowed
        for node in range(self.w.sizes["nodes"]):
            self.happen((NODE_UP, 0, node))

    def happen(self, event: Ints | tuple[int, ...]) -> int:
        """One step; nanoseconds."""
        self.w.event[: len(event)] = event
        handle = self.w.handle
        began = time.perf_counter_ns()
        step(handle)
        return time.perf_counter_ns() - began

    def effect(self, kind: int) -> list[int] | None:
        """The first effect of a kind that the last step had."""
        count = int(self.w.effect_count[0])
        rows = self.w.view("effects")[: count * EFFECT_WIDTH].reshape(count, EFFECT_WIDTH)
        found = rows[rows[:, 0] == kind]
        return found[0].tolist() if len(found) else None

    def submit(self, row: Ints, gpus: int) -> int | None:
        """Submit a job; nanoseconds, or None where it did not start at once."""
        self.now_ms += SECOND_MS
        self.jobs += 1
        event = row.copy()
        event[[E_TIME, E_JOB, E_GPUS]] = self.now_ms, self.jobs, gpus
        took = self.happen(event)
        begun = self.effect(START)
        if begun is not None:
            self.running.add(gpus, (begun[3], begun[4], begun[2]))
            return took
        slot = int(self.w.effects[3])
        if int(self.w.effects[0]) == 1:  # accepted, and waits
            self.happen((CANCEL, self.now_ms, slot, self.jobs))
        return None

    def end(self, gpus: int) -> int | None:
        """End a random job of a size; nanoseconds, or None where none runs."""
        place = self.running.take(self.chance, gpus)
        if place is None:
            return None
        self.now_ms += SECOND_MS
        slot, attempt, job = place
        took = self.happen((ENDED, self.now_ms, slot, attempt, S_COMPLETED, 3_600_000, job))
        assert self.effect(DONE) is not None
        return took

    def fill(self, most: float) -> None:
        """Submit generated work until the fleet is as full as asked."""
        while self.running.gpus < most * self.total:
            row = self.rows[int(self.chance.integers(len(self.rows)))]
            if self.running.gpus + int(row[E_GPUS]) <= (most + 0.01) * self.total:
                self.submit(row, int(row[E_GPUS]))

    def churn(self, most: float) -> None:
        """End a few random jobs and fill up again."""
        sizes = [size for size, places in self.running.by_size.items() if places]
        counts = np.array([len(self.running.by_size[size]) for size in sizes], dtype=float)
        for _ in range(TURNS):
            self.end(sizes[int(self.chance.choice(len(sizes), p=counts / counts.sum()))])
        self.fill(most)

    def measure(self, size: int, samples: int) -> tuple[list[int], list[int], int]:
        """Start and release times of gangs of one size at 90 %, and how many did not start at once."""
        begun: list[int] = []
        ended: list[int] = []
        late = 0
        while len(begun) < samples and late < 20 * samples:
            took = self.end(size)
            if took is not None:
                ended.append(took)
            self.churn(FULL - size / self.total)
            row = self.roomy if size in LARGE else self.rows
            started = self.submit(row[int(self.chance.integers(len(row)))], size)
            if started is None:
                late += 1
            else:
                begun.append(started)
        return begun, ended, late


def call_ns(bench: Bench) -> float:
    """The middle cost of a compiled call that does nothing."""
    handle = bench.w.handle
    nothing(handle)
    took: list[int] = []
    for _ in range(10_000):
        began = time.perf_counter_ns()
        nothing(handle)
        took.append(time.perf_counter_ns() - began)
    return float(np.median(took))


def percentiles(took: list[int], call: float) -> dict[str, float]:
    """Median and 99th percentile in microseconds."""
    us = (np.array(took) - call) / 1000
    return {"p50": round(float(np.median(us)), 2), "p99": round(float(np.quantile(us, 0.99)), 2)}


def measure_fleet(gpus: int, samples: int) -> dict[str, dict[str, object]]:
    """Both size classes on one fleet."""
    bench = Bench(gpus)
    bench.fill(FULL)
    call = call_ns(bench)
    found: dict[str, dict[str, object]] = {}
    for name, sizes in (("64", SMALL), ("4096", LARGE)):
        begun: list[int] = []
        ended: list[int] = []
        late = 0
        for size in sizes:
            some = bench.measure(size, max(1, samples // len(sizes)))
            begun, ended, late = begun + some[0], ended + some[1], late + some[2]
        start, release = percentiles(begun, call), percentiles(ended, call)
        full = round(bench.running.gpus / bench.total, 3)
        found[name] = {"start_us": start, "release_us": release, "starts": len(begun), "not_at_once": late}
        found[name] |= {"worst_us": max(start["p99"], release["p99"]), "full": full, "call_us": round(call / 1000, 3)}
        print(f"{gpus:,} GPUs, {name}: {found[name]}", flush=True)
    return found


def main(samples: int) -> int:
    """Print the measurements and the JSON line."""
    print("compiling first (about two minutes when nothing is cached), then filling the fleets", flush=True)
    gc.disable()
    figures: dict[str, object] = {}
    detail: dict[str, object] = {}
    for gpus, suffix in ((60_000, ""), (600_000, "_600k")):
        for name, found in measure_fleet(gpus, samples).items():
            figures[f"p99_us_{name}{suffix}"] = found["worst_us"]
            detail[f"{name}{suffix}"] = found
    emit({**figures, "detail": detail}, load_policy())
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Time of one placement decision.")
    parser.add_argument("--samples", type=int, default=4_000, help="timed starts of each size class and fleet")
    sys.exit(main(parser.parse_args().samples))
