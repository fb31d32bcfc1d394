"""The hardware that ships with Gridhall, each figure with its source: `catalogue.yaml` as typed entries."""

from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field

from gridhall.fleet.figures import Part
from gridhall.fleet.hardware import Hardware
from gridhall.fleet.yamlfile import read_yaml

CATALOGUE_FILE = Path(__file__).with_name("catalogue.yaml")


class Catalogue(Part):
    """Hardware types by id, and the sources that their figures name."""

    schema_id: Literal["hardware/v1"] = Field(validation_alias="schema", serialization_alias="schema")
    sources: dict[str, str]
    hardware: dict[str, Hardware]


@cache
def shipped() -> Catalogue:
    """The catalogue of this installation, read once."""
    data: Any = read_yaml(CATALOGUE_FILE).data
    return Catalogue.model_validate(data)


def shipped_hardware() -> MappingProxyType[str, Hardware]:
    """Hardware types that a fleet file may name without describing them."""
    return MappingProxyType(shipped().hardware)
