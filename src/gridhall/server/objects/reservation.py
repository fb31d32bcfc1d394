"""A reservation: nodes of one kind of hardware at one site, kept for a project from a time until a time."""

from typing import Literal, Self

from pydantic import Field, model_validator

from gridhall.server.objects.part import Id, Metadata, Name, Part

LONGEST_MS = 366 * 24 * 3_600_000
ReservationState = Literal["pending", "active", "ended"]


class ReservationSpec(Part):
    """What is to be kept. Empty `sites` or `hardware` = any; all nodes come from one of the cells that remain."""

    nodes: int = Field(ge=1, le=100_000)
    hardware: tuple[Id, ...] = ()
    sites: tuple[Id, ...] = ()
    gpus: bool = True
    from_ms: int = Field(default=0, ge=0, le=1 << 50)
    until_ms: int = Field(ge=1, le=1 << 50)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until_ms <= self.from_ms:
            raise ValueError("until_ms must be after from_ms")
        return self


class ReservationRequest(Part):
    """A wish for a reservation. `from_ms` 0 = from now."""

    name: Name = "reservation"
    project: Id = ""
    spec: ReservationSpec


class ReservationStatus(Part):
    """Where it stands. `entry` is the place of its decision in the log."""

    state: ReservationState
    site: str
    hardware: str
    from_ms: int
    until_ms: int
    gpus: int
    nodes: tuple[str, ...]
    entry: int


class Reservation(Part):
    """A reservation as it is read."""

    metadata: Metadata
    spec: ReservationSpec
    status: ReservationStatus
