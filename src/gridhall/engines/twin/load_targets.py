"""A scenario's load targets as the twin takes them: feeds by index, megawatts at the meter as IT watts."""

from itertools import pairwise

import numpy as np

from gridhall.engines.twin.scenario import LoadTarget
from gridhall.engines.twin.scenario_file import LoadedScenario
from gridhall.engines.twin.settings import Target
from gridhall.errors import Fault, InputError
from gridhall.fleet.arrays import FleetArrays
from gridhall.units import W_PER_MW, iso_utc, utc_ms


def resolve_targets(loaded: LoadedScenario, fleet: FleetArrays) -> tuple[Target, ...]:
    """The scenario's targets in the order of their starts. Raises InputError with every fault."""
    feeds = {fleet.power_names[node]: int(node) for node in np.flatnonzero(fleet.power_parent < 0)}
    faults: list[Fault] = []
    found: list[tuple[Target, int]] = []
    for number, asked in enumerate(loaded.scenario.targets):
        faults += _time_faults(loaded, number, asked)
        if asked.feed not in feeds:
            mend = f"use one of {', '.join(sorted(feeds))}"
            faults.append(_fault(loaded, number, "feed", f"{asked.feed!r} is no feed of this fleet", mend))
            continue
        target = _target(fleet, feeds[asked.feed], asked)
        faults += _limit_faults(loaded, number, asked, target, fleet)
        found.append((target, number))
    found.sort(key=lambda pair: pair[0].from_ms)
    faults += _overlaps(loaded, found)
    if faults:
        raise InputError(faults)
    return tuple(target for target, _ in found)


def _target(fleet: FleetArrays, feed: int, asked: LoadTarget) -> Target:
    return Target(
        feed,
        round(asked.limit_mw * W_PER_MW) * 1000 // _pue_milli(fleet, feed),
        utc_ms(asked.start),
        utc_ms(asked.end),
    )


def _time_faults(loaded: LoadedScenario, number: int, asked: LoadTarget) -> list[Fault]:
    start_ms, end_ms = utc_ms(asked.start), utc_ms(asked.end)
    first_ms, last_ms = loaded.scenario.start_ms, loaded.scenario.end_ms
    if end_ms <= start_ms:
        problem = f"{iso_utc(end_ms)} is not after the start, {iso_utc(start_ms)}"
        return [_fault(loaded, number, "end", problem, "give a later `end`")]
    outside = [("start", start_ms)] if not first_ms <= start_ms < last_ms else []
    outside += [("end", end_ms)] if not first_ms < end_ms <= last_ms else []
    mend = f"give a time from {iso_utc(first_ms)} to {iso_utc(last_ms)}, or change the scenario's span"
    return [_fault(loaded, number, field, f"{iso_utc(time)} is outside the run", mend) for field, time in outside]


def _limit_faults(
    loaded: LoadedScenario, number: int, asked: LoadTarget, target: Target, fleet: FleetArrays
) -> list[Fault]:
    own_w = int(fleet.power_limit_w[target.power])
    if target.limit_w <= own_w:
        return []
    own_mw = own_w * _pue_milli(fleet, target.power) / 1000 / W_PER_MW
    problem = f"{asked.limit_mw:g} MW is above the feed's own limit of {own_mw:.6g} MW"
    return [_fault(loaded, number, "limit_mw", problem, "give a lower limit, or leave the target out")]


def _overlaps(loaded: LoadedScenario, found: list[tuple[Target, int]]) -> list[Fault]:
    faults: list[Fault] = []
    for (first, earlier), (second, later) in pairwise(sorted(found, key=lambda pair: (pair[0].power, pair[0].from_ms))):
        if first.power == second.power and second.from_ms < first.until_ms:
            start, end = iso_utc(second.from_ms), iso_utc(first.until_ms)
            problem = f"{start} is before the end of targets[{earlier}] of the same feed, {end}"
            faults.append(_fault(loaded, later, "start", problem, "let one end before the next begins"))
    return faults


def _pue_milli(fleet: FleetArrays, power: int) -> int:
    return int(fleet.site_pue_milli[fleet.power_site[power]])


def _fault(loaded: LoadedScenario, number: int, field: str, problem: str, mend: str) -> Fault:
    return Fault(str(loaded.path), f"targets[{number}].{field}", problem, mend)
