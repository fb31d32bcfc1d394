"""The reference pages name every field that a file may have."""

import importlib
import re
import types
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from typer.main import get_command

from gridhall.cli.app import app
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
        ("metering.md", "gridhall.money.rates", "RateBook"),
        ("jobs.md", "gridhall.server.objects.job", "JobRequest"),
        ("tenancy.md", "gridhall.server.objects.tenancy", "QuotaSpec"),
        ("tenancy.md", "gridhall.server.objects.tenancy", "BudgetSpec"),
        ("tenancy.md", "gridhall.server.objects.tenancy", "TenantSpec"),
    ],
)
def test_reference_page_names_every_field(page: str, module: str, model: str) -> None:
    named = set(re.findall(r"`([a-z0-9_]+)`", (DOCS / page).read_text()))
    assert fields_of(getattr(importlib.import_module(module), model)) - named == set()


def test_run_folder_page_names_every_column() -> None:
    named = set(re.findall(r"`([a-z0-9_]+)`", (DOCS / "run-folder.md").read_text()))
    assert {column for columns in TABLES.values() for column in columns} - named == set()


def commands_of(group: Any, before: str) -> dict[str, Any]:
    """Every command below a group by its full name, `gridhall fleet check`."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        full = f"{before} {name}"
        found |= commands_of(command, full) if hasattr(command, "commands") else {full: command}
    return found


def test_commands_page_names_every_command_and_option() -> None:
    page = (DOCS / "commands.md").read_text()
    missing: list[str] = []
    for name, command in commands_of(get_command(app), "gridhall").items():
        heading = re.search(rf"^## {name}$(.*?)(?=^## |\Z)", page, re.M | re.S)
        if heading is None:
            missing.append(name)
            continue
        options = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
        missing += [f"{name} {option}" for option in options if f"`{option}" not in heading[1]]
    assert missing == []


def test_api_page_names_every_reason_and_the_server_gives_no_other() -> None:
    problem = importlib.import_module("gridhall.server.objects.problem")
    reasons = set(get_args(problem.Reason))
    rows = [line for line in (DOCS / "api.md").read_text().splitlines() if re.match(r"\| `[a-z-]+`", line)]
    assert {reason for row in rows for reason in re.findall(r"`([a-z-]+)`", row.split("|")[1])} == reasons
    given = re.compile(r"(?:Problem|Refusal|NotKnown)\(\s*(?:\d{3},\s*)?\"([a-z-]+)\"")
    server = Path(problem.__file__).parents[1]
    told = {reason for file in server.rglob("*.py") for reason in given.findall(file.read_text())}
    assert told <= reasons
    assert len(told) > 20


def test_job_page_names_no_field_that_is_not_there_and_every_state() -> None:
    job = importlib.import_module("gridhall.server.objects.job")
    page = (DOCS / "jobs.md").read_text()
    for heading, model in (
        ("spec", "JobSpec"),
        ("resources", "Resources"),
        ("places", "Places"),
        ("placement", "Placement"),
        ("checkpoint", "Checkpoint"),
    ):
        section = page.split(f"## `{heading}`")[1].split("\n## ")[0]
        assert set(re.findall(r"^\| `([a-z_]+)` \|", section, re.M)) == set(getattr(job, model).model_fields), heading
    states = page.split("## States")[1].split("\n## ")[0]
    named = {name for row in re.findall(r"^\| (`.*?) \|", states, re.M) for name in re.findall(r"`([a-z-]+)`", row)}
    assert named == set(get_args(job.JobState))


def test_api_page_lists_every_route_with_its_right() -> None:
    nouns = importlib.import_module("gridhall.server.api.app").NOUNS
    routes = [route for noun in nouns for route in noun.router.routes]
    paths = get_openapi(title="", version="", routes=routes)["paths"]
    rights = {
        f"{method.upper()} {path}": " ".join(operation.get("x-gridhall-right", ["open"])).strip() or "any token"
        for path, operations in paths.items()
        for method, operation in operations.items()
    }
    page = (DOCS / "api.md").read_text()
    assert dict(re.findall(r"^\| `([A-Z]+ /\S+)` \| ([^|]+) \|", page, re.M)) == rights


def test_api_page_names_every_kind_of_event() -> None:
    events = importlib.import_module("gridhall.server.views.events")
    ends = {f"job.{state}" for state in events.FINAL.values()}
    kinds = {*events.JOB_EFFECTS.values(), *events.NODE_EVENTS.values(), *events.CORDONS, *ends}
    assert kinds - set(re.findall(r"`([a-z]+\.[a-z-]+)`", (DOCS / "api.md").read_text())) == set()
