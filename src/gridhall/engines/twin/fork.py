"""What if: a recorded run again up to a time, then on with other settings.

A fork of the twin needs the world as well, which a recording of events does not hold. The plan that was recorded is run
again; that it is the same run is proven by the controller's state at the fork, which must equal the recording's.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gridhall.controller.replay import state_at
from gridhall.controller.revise import revise
from gridhall.engines.twin.faults import fault_windows, later_than
from gridhall.engines.twin.run import Twin, load_faults, run_on, set_behaviour, start
from gridhall.engines.twin.settings import OnProgress, Plan, Totals
from gridhall.engines.twin.tables import Sink
from gridhall.errors import fault
from gridhall.units import iso_utc

MEND = "a fork keeps what has happened; simulate a new run instead"


def run_fork(
    before: Plan, after: Plan, at_ms: int, recording: Path, sink: Sink | None, on_progress: OnProgress | None = None
) -> Totals:
    """Run `before` to `at_ms`, prove that it is the recorded run, and go on as `after` to its end.

    Policy, quotas and weights, failures, delays and draw may differ; fleet, work, load targets, span and
    seed may not. Raises InputError when they do, when `at_ms` lies outside the run, or when the recording is of another
    run.
    """
    _check(before, after, at_ms)
    twin = start(before)
    run_on(twin, at_ms, sink, on_progress)
    if twin.controller.digest() != state_at(recording, at_ms).digest():
        problem = f"the scenario does not lead to the recorded state at {iso_utc(at_ms)}: a file has changed since"
        raise fault(str(recording), "", problem, "restore the scenario, fleet and data of the run, or record it again")
    change(twin, after, at_ms)
    run_on(twin, after.end_ms, sink, on_progress)
    return twin.close(sink)


def change(twin: Twin, after: Plan, at_ms: int) -> None:
    """Give a twin other settings from a time on."""
    if after.world != twin.plan.world:
        faults = fault_windows(after.world, twin.controller.sizes["nodes"], after.start_ms, after.end_ms, after.seed)
        twin.faults = later_than(faults, at_ms)
        load_faults(twin.world, next(twin.faults, None))
        set_behaviour(twin.world, after.world)
    revise(twin.controller, after.tenancy, after.policy)
    twin.plan = after


def _check(before: Plan, after: Plan, at_ms: int) -> None:
    if not before.start_ms < at_ms < before.end_ms:
        span = f"{iso_utc(before.start_ms)} to {iso_utc(before.end_ms)}"
        raise fault("--fork-at", "", f"{iso_utc(at_ms)} is not within {span}", "give a time within the recorded run")
    if (before.start_ms, before.end_ms, before.seed) != (after.start_ms, after.end_ms, after.seed):
        raise fault("--set", "start, end, seed", "would be other ones than the recorded run's", MEND)
    if before.targets != after.targets:
        raise fault("--set", "targets", "would be other ones than the recorded run's", MEND)
    if not same(vars(before.fleet), vars(after.fleet)):
        raise fault("--set", "fleet", "would be another one than the recorded run's", MEND)
    if not same_work(before, after):
        raise fault("--set", "work", "would be other work than the recorded run's", MEND)


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two sets of columns are equal, column by column."""
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def same_work(before: Plan, after: Plan) -> bool:
    """Whether two plans begin with the same jobs, from the same source and owners."""
    mine, other = before.workload, after.workload
    if (mine.origin, mine.projects, mine.organisations) != (other.origin, other.projects, other.organisations):
        return False
    first = [next(iter(work.chunks()), None) for work in (mine, other)]
    return same(*({} if table is None else vars(table) for table in first))
