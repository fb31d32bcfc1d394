"""The reference pages name every field that a file may have."""

import importlib
import re
import types
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from gridhall.engines.twin.tables import TABLES

DOCS = Path(__file__).parents[2] / "docs"


def models_in(kind: Any) -> set[type[BaseModel]]:
    """Models that a type mentions, itself included."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {kind}
    if get_origin(kind) in (Annotated, Union, types.UnionType, tuple, list, dict):
        return {model for part in get_args(kind) for model in models_in(part)}
    return set()


def fields_of(root: type[BaseModel]) -> set[str]:
    names: set[str] = set()
    seen: set[type[BaseModel]] = set()
    waiting = [root]
    while waiting:
        model = waiting.pop()
        if model not in seen:
            seen.add(model)
            for name, field in model.model_fields.items():
                names.add(str(field.validation_alias or name))
                waiting += models_in(field.annotation)
    return names


@pytest.mark.parametrize(
    ("page", "module", "model"),
    [
        ("fleet-file.md", "gridhall.fleet.models", "Fleet"),
        ("scenario-file.md", "gridhall.engines.twin.scenario", "Scenario"),
        ("policy-file.md", "gridhall.scheduling.policy", "Policy"),
    ],
)
def test_reference_page_names_every_field(page: str, module: str, model: str) -> None:
    named = set(re.findall(r"`([a-z0-9_]+)`", (DOCS / page).read_text()))
    assert fields_of(getattr(importlib.import_module(module), model)) - named == set()


def test_run_folder_page_names_every_column() -> None:
    named = set(re.findall(r"`([a-z0-9_]+)`", (DOCS / "run-folder.md").read_text()))
    assert {column for columns in TABLES.values() for column in columns} - named == set()
