"""A YAML document as a typed model, or every fault of it with line, field and mend."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, TypeVar, cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gridhall.errors import Fault
from gridhall.fleet.figures import Figure
from gridhall.fleet.yamlfile import Document, Place

Model = TypeVar("Model", bound=BaseModel)

_MENDS = {
    "finite_number": ("is not a finite number", "write a finite number"),
    "float_type": ("is not a number", "write a bare number; the unit is in the field's name"),
    "int_type": ("is not a whole number", "write a whole number"),
    "int_parsing": ("is not a whole number", "write a whole number"),
    "int_from_float": ("is not a whole number", "write a whole number"),
    "bool_parsing": ("is neither true nor false", "write true or false"),
    "bool_type": ("is neither true nor false", "write true or false"),
    "string_type": ("is not text", "write text, in quotes if need be"),
    "tuple_type": ("is not a list", "write a list: one entry a line, each after '- '"),
    "model_type": ("is not a mapping", "write `field: value` lines here"),
    "dict_type": ("is not a mapping", "write `field: value` lines here"),
}
_DATES = ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact")


def typed(document: Document, model: type[Model]) -> tuple[Model | None, list[Fault]]:
    """The document as `model`, and its faults.

    With faults the model is a repaired copy where one could be made (unknown and wrong fields left out, wrong figures
    replaced), so that a caller can go on and find more faults; it is never fit for use.
    """
    try:
        return model.model_validate(document.data), []
    except ValidationError as error:
        details = _own_faults(error.errors(include_url=False))
        faults = sorted((_fault(document, model, entry) for entry in details), key=_line)
        return _repaired(document.data, model, details), faults


def _own_faults(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without the lists that are called too short only because an entry in them is wrong."""
    places = [entry["loc"] for entry in details]

    def has_inner_fault(place: Place) -> bool:
        return any(len(other) > len(place) and other[: len(place)] == place for other in places)

    return [entry for entry in details if entry["type"] != "too_short" or not has_inner_fault(entry["loc"])]


def _line(fault: Fault) -> int:
    return int(fault.where.rpartition(":")[2])


def _fault(document: Document, model: type[BaseModel], entry: ErrorDetails) -> Fault:
    place = entry["loc"]
    bare = place and place[-1] == "value" and place not in document.lines and place[:-1] in document.lines
    if bare and not isinstance(_at(document.data, place[:-1]), dict):
        place = place[:-1]
    problem, mend = _say(model, entry, place)
    return document.fault(place, problem, mend)


def _say(model: type[BaseModel], entry: ErrorDetails, place: Place) -> tuple[str, str]:
    kind, value, context = entry["type"], entry["input"], entry.get("ctx", {})
    if kind == "extra_forbidden":
        return "is not a known field", _known_fields(model, place)
    if kind == "missing":
        return "is missing", f"add `{place[-1]}: ...`"
    if kind == "too_short":
        return "is empty", "add at least one entry"
    if kind == "out_of_range":
        return entry["msg"], f"write {context['wanted']}"
    if kind == "literal_error":
        return f"{value!r} is not a known word", f"use one of: {context['expected']}"
    if kind == "string_pattern_mismatch":
        return f"{value!r} is not of the right form", f"write text that matches {context['pattern']}"
    if kind in _DATES:
        return f"{value!r} is not a date", "write YYYY-MM-DD"
    if kind in _MENDS:
        problem, mend = _MENDS[kind]
        return f"{value!r} {problem}", mend
    said = entry["msg"]
    return f"{value!r} is refused", said[0].lower() + said[1:]


def _known_fields(model: type[BaseModel], place: Place) -> str:
    owner = _model_at(model, place[:-1])
    names = _file_names(owner) if owner else []
    close = get_close_matches(str(place[-1]), names, 1)
    return f"did you mean `{close[0]}`?" if close else f"leave it out; known here: {', '.join(names)}"


def _file_names(model: type[BaseModel]) -> list[str]:
    return [str(info.validation_alias or name) for name, info in model.model_fields.items()]


def _model_at(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """The model that describes a place, by following the annotations of the fields on the way."""
    for step in place:
        if isinstance(step, int):
            continue
        info = model.model_fields.get(step)
        if info is None:
            continue  # a key of a mapping from names to models
        inner = next(_models_in(info.annotation), None)
        if inner is None:
            return None
        model = inner
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _repaired(data: Any, model: type[Model], details: list[ErrorDetails]) -> Model | None:
    copy = _copy(data)
    for entry in sorted(details, key=lambda entry: len(entry["loc"]), reverse=True):
        _repair(copy, model, entry)
    try:
        return model.model_validate(copy)
    except ValidationError:
        return None


def _repair(data: Any, model: type[BaseModel], entry: ErrorDetails) -> None:
    """Put 1 for a wrong figure and a known word for an unknown one, leave out anything else."""
    place = entry["loc"]
    owner = _at(data, place[:-1])
    is_figure = place[-1:] == ("value",) and _model_at(model, place[:-1]) is Figure
    if is_figure:
        place = place[:-1]
        owner = _at(data, place[:-1])
    if not isinstance(owner, dict):
        return
    fields = cast(dict[Any, Any], owner)
    if is_figure or _model_at(model, place) is Figure:
        fields[place[-1]] = 1
    elif entry["type"] == "literal_error":
        fields[place[-1]] = entry.get("ctx", {})["expected"].split("'")[1]
    else:
        fields.pop(place[-1], None)


def _at(data: Any, place: Place) -> Any:
    for step in place:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _copy(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _copy(value) for key, value in cast(dict[Any, Any], data).items()}
    if isinstance(data, list):
        return [_copy(value) for value in cast(list[Any], data)]
    return data
