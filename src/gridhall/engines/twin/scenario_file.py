"""Reading a scenario: the file, `--set key=value` laid over it, and every fault with its line and its mend."""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gridhall.engines.twin import scenario as models
from gridhall.engines.twin import series
from gridhall.engines.twin.scenario import Scenario
from gridhall.errors import Fault, InputError, fault
from gridhall.fleet.yamlfile import Document, Place, field_name, read_yaml

MENDS = {
    "missing": "add this field",
    "extra_forbidden": "remove it",
    "union_tag_invalid": "use one of the kinds that the message names",
    "union_tag_not_found": "say which one with `kind: constant`, `kind: file` or `kind: synthetic`",
    "value_error": "change the scenario accordingly",
}


@dataclass(frozen=True)
class LoadedScenario:
    """A checked scenario, the file it came from, what was laid over it, and the folder its paths are relative to."""

    scenario: Scenario
    path: Path
    overrides: dict[str, str]
    base: Path


def load_scenario(path: Path, overrides: dict[str, str] | None = None, base: Path | None = None) -> LoadedScenario:
    """Read and check a scenario; `overrides` maps dotted paths (`work.generator.load`) to YAML values.

    Its paths are relative to `base`, the file's own folder where none is given. Raises InputError with every fault.
    """
    document = read_yaml(path)
    data = cast("dict[str, Any]", document.data)
    if not isinstance(document.data, dict):
        raise fault(f"{path}:1", "", "is not a mapping", "start from one of the files in examples/scenarios")
    for key, value in (overrides or {}).items():
        _lay_over(data, key, value)
    _keep_one_end(data, overrides or {})
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        raise InputError([_fault(document, overrides or {}, detail) for detail in error.errors()]) from error
    return LoadedScenario(scenario, path, dict(overrides or {}), base or path.parent)


def parse_overrides(settings: list[str]) -> dict[str, str]:
    """`["seed=3", "work.generator.load=0.9"]` as a mapping. Raises InputError where there is no `=`."""
    pairs = [setting.partition("=") for setting in settings]
    faults = [
        Fault(f"--set {key}", "", "has no value", "write --set key=value, for example --set work.generator.load=0.9")
        for key, equals, _ in pairs
        if not (key and equals)
    ]
    if faults:
        raise InputError(faults)
    return {key: value for key, _, value in pairs}


def _lay_over(data: dict[str, Any], key: str, text: str) -> None:
    where = f"--set {key}={text}"
    *parents, last = key.split(".")
    at: Any = data
    for step in parents:
        at = _child(at, step)
        if at is None:
            raise fault(where, key, f"{step!r} holds no fields", "name a field of the scenario file")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise fault(where, key, f"{text!r} cannot be read", "write a number, a date, true, false or text") from error
    if isinstance(at, list):
        raise fault(where, key, "is an item of a list", "set fields only; edit lists in the file")
    at[last] = value


def _keep_one_end(data: dict[str, Any], overrides: dict[str, str]) -> None:
    """An `end` laid over a file that has `days` replaces them, and the other way round."""
    for key, other in (("end", "days"), ("days", "end")):
        if key in overrides and other not in overrides:
            data.pop(other, None)


def _child(at: Any, step: str) -> Any:
    """The mapping or list below `at`, else None; a field not written yet becomes an empty mapping."""
    if isinstance(at, dict):
        child = cast("dict[str, Any]", at).setdefault(step, {})
    else:
        items = cast("list[Any]", at)
        child = items[int(step)] if step.isdecimal() and int(step) < len(items) else None
    return cast("Any", child) if isinstance(child, dict | list) else None


def _fault(document: Document, overrides: dict[str, str], detail: ErrorDetails) -> Fault:
    place = _written(document.data, detail["loc"])
    name = field_name(place)
    laid = next((key for key in overrides if name == key or name.startswith(f"{key}.")), None)
    where = f"--set {laid}={overrides[laid]}" if laid else document.where(place)
    return Fault(where, name, _problem(detail), _mend(detail, place))


def _written(data: Any, loc: tuple[int | str, ...]) -> Place:
    """The place in the file: pydantic also names the branch of a union, which stands nowhere in the file."""
    place: Place = ()
    at = data
    for number, step in enumerate(loc):
        found = isinstance(at, dict) and step in at
        found = found or (isinstance(at, list) and isinstance(step, int) and step < len(cast("list[Any]", at)))
        if found or number == len(loc) - 1:
            place = (*place, step)
            at = cast("Any", at[step]) if found else None
    return place


def _problem(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return "is missing"
    if detail["type"] == "extra_forbidden":
        return "is not a field of the scenario file"
    message = detail["msg"].removeprefix("Value error, ")
    given = detail["input"]
    return message if isinstance(given, dict | list | BaseModel) else f"{given!r}: {message[:1].lower()}{message[1:]}"


def _mend(detail: ErrorDetails, place: Place) -> str:
    if detail["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(place[-1]), _field_names(), 1)
        return f"did you mean {close[0]!r}?" if close else MENDS["extra_forbidden"]
    return MENDS.get(detail["type"], "give a value of the kind that the message asks for")


def _field_names() -> list[str]:
    parts = [*vars(models).values(), *vars(series).values()]
    kinds = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
    return sorted({name for kind in kinds for name in kind.model_fields})
