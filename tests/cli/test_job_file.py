"""A job file, and options laid over it."""

from pathlib import Path

import pytest

from gridhall.cli.run import laid_over, read_request
from gridhall.errors import InputError, Problem

EXAMPLE = Path(__file__).parents[2] / "examples/jobs/train.yaml"


def test_options_lie_over_the_file_and_leave_the_rest() -> None:
    spec = {"resources": {"gpus": 16}, "environment": {"STEPS": "5"}}
    plain, asked = read_request(EXAMPLE), read_request(EXAMPLE, {"name": None, "project": "p"}, spec)
    assert (asked.name, asked.project) == (plain.name, "p")
    assert asked.spec.resources.gpus == 16
    assert asked.spec.environment == {**plain.spec.environment, "STEPS": "5"}
    assert asked.spec.model_copy(update={"resources": plain.spec.resources, "environment": plain.spec.environment}) == (
        plain.spec
    )


def test_every_fault_of_a_file_is_named_with_its_field(tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text("spec: {command: [], prio: high}\n")
    with pytest.raises(InputError) as caught:
        read_request(file)
    assert {fault.field for fault in caught.value.faults} == {"spec.command", "spec.prio"}


def test_what_is_no_mapping_is_taken_as_it_is() -> None:
    assert laid_over(["a"], {"b": 1}) == ["a"]
    assert laid_over({"b": None}, {"b": {"c": 1}}) == {"b": {"c": 1}}


def test_a_servers_refusal_is_told_with_each_field_and_its_mend() -> None:
    body = {"detail": "2 fields are wrong", "reason": "invalid"}
    errors = [{"field": "spec.gpus", "problem": "-1 is too small", "mend": "from 0 on"}]
    said = Problem(422, {**body, "errors": errors}).lines()
    assert said == ["2 fields are wrong (invalid)", "spec.gpus: -1 is too small\n    -> from 0 on"]
