"""What all bodies have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$", max_length=80)]
Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=200)]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=32_768)]


class Part(BaseModel):
    """One mapping of a body: unknown fields are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Metadata(Part):
    """What every object has. Times are ms UTC; `version` grows with every change and answers `If-Match`."""

    id: str
    name: str
    organisation: str = ""
    project: str = ""
    created_ms: int
    created_by: str
    modified_ms: int
    version: int = Field(ge=1)
