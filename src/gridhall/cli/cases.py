"""The cases of a sweep, how they are run, and what they have in common.

An `Executor` has one method, `map`; here the standard library's processes stand behind it, and a cluster's workers can.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path
from typing import Any, Protocol, TypeVar

from gridhall.cli.running import Request, carry_out, ready
from gridhall.engines.twin.scenario_file import parse_overrides
from gridhall.engines.twin.summary import figure
from gridhall.engines.twin.tables import run_folder
from gridhall.errors import fault

Item = TypeVar("Item")
Result = TypeVar("Result")
MOST_CASES = 10_000


class Executor(Protocol):
    """Runs a function over items somewhere, results in the order of the items."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results as they come, in order."""
        ...


class LocalProcesses:
    """The cores of this machine."""

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or cpu_count() or 1

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results in order; fresh processes, so that nothing of this one leaks into a run."""
        with ProcessPoolExecutor(self._workers, mp_context=get_context("spawn")) as pool:
            yield from pool.map(function, items)


@dataclass(frozen=True)
class Case:
    """One run of a sweep."""

    scenario: Path
    seed: int
    settings: tuple[tuple[str, str], ...]
    name: str

    def overrides(self) -> dict[str, str]:
        """What is laid over the scenario."""
        return {**dict(self.settings), "seed": str(self.seed)}


@dataclass(frozen=True)
class Outcome:
    """The headline of one run."""

    case: Case
    headline: Mapping[str, Mapping[str, Any]]
    digest: str

    def document(self) -> dict[str, Any]:
        """As JSON."""
        said = {"name": self.case.name, "seed": self.case.seed, "set": dict(self.case.settings)}
        return {**said, "decision_digest": self.digest, "figures": self.headline}


def cases(scenario: Path, seeds: str, settings: Sequence[str], folder: Path) -> list[Case]:
    """Every combination of seeds and settings. Raises InputError for what cannot be read."""
    numbers = _seeds(seeds)
    choices = [[(key, value) for value in _values(text)] for key, text in parse_overrides(list(settings)).items()]
    combinations = list(itertools.product(*choices))
    if len(combinations) * len(numbers) > MOST_CASES:
        problem = f"{len(combinations) * len(numbers):,} runs"
        raise fault("sweep", "--seeds, --set", problem, f"ask for at most {MOST_CASES:,} at once")
    return [
        Case(scenario, seed, combination, _name(seed, combination)) for combination in combinations for seed in numbers
    ]


def _seeds(text: str) -> list[int]:
    try:
        if ".." in text:
            first, last = (int(part) for part in text.split(".."))
            numbers = list(range(first, last + 1))
        else:
            numbers = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise fault("--seeds", "", f"{text!r} is no list of seeds", "write 1..8 or 1,5,9") from error
    if not numbers or len(set(numbers)) < len(numbers) or min(numbers) < 0:
        raise fault("--seeds", "", f"{text!r} names no seeds, or one twice", "write 1..8 or 1,5,9")
    return numbers


def _values(text: str) -> list[str]:
    """Values between commas; a list or mapping in brackets is one value."""
    return [text] if text[:1] in "[{" else text.split(",")


def _name(seed: int, combination: Sequence[tuple[str, str]]) -> str:
    words = [f"{key.rsplit('.', 1)[-1]}={value}" for key, value in combination]
    safe = "".join(letter if letter.isalnum() or letter in "=.,-+" else "_" for letter in ",".join(words))
    return f"{safe}_seed={seed}" if words else f"seed={seed}"


def check(wanted: Sequence[Case]) -> None:
    """Read every combination of settings once, so that no run begins where another would be refused."""
    for case in {case.settings: case for case in wanted}.values():
        ready(Request(case.scenario, Path(), case.overrides()))


def run_all(wanted: Sequence[Case], folder: Path, executor: Executor, done: Callable[[Outcome], None]) -> list[Outcome]:
    """Run all cases into `folder`, which appears only when all have ended well."""
    outcomes: list[Outcome] = []
    with run_folder(folder) as partial:
        for outcome in executor.map(_run, [(case, partial / case.name) for case in wanted]):
            done(outcome)
            outcomes.append(outcome)
    return outcomes


def _run(work: tuple[Case, Path]) -> Outcome:
    case, out = work
    summary = carry_out(Request(case.scenario, out, case.overrides()))
    return Outcome(case, summary["headline"], summary["provenance"]["decision_digest"])


def spread(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Mean, lowest and highest over the seeds of each combination of settings, in the order asked for."""
    groups: dict[tuple[tuple[str, str], ...], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.case.settings, []).append(outcome)
    return [
        {
            "settings": ", ".join(f"{key}={value}" for key, value in settings),
            "runs": len(group),
            "figures": {name: _over([outcome.headline[name] for outcome in group]) for name in group[0].headline},
        }
        for settings, group in groups.items()
    ]


def _over(same: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    values = [entry["value"] for entry in same if entry["value"] is not None]
    unit, basis = same[0]["unit"], same[0]["basis"]
    found = {"mean": sum(values) / len(values), "low": min(values), "high": max(values)} if values else {}
    return {key: figure(found.get(key), unit, basis) for key in ("mean", "low", "high")}
