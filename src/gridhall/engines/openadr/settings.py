"""How this client reaches its server, and what it stands for."""

from pathlib import Path

from pydantic import Field

from gridhall.fleet.figures import Part


class VenSettings(Part):
    """One enrolment: a program of a server (VTN), the client's name there, and the feed that its events are about.

    `secret_file` holds the client's secret on its first line. `simple_shed_milli` says what the levels 1 to 3 of a
    SIMPLE event mean: per mille of the feed's default load to shed.
    """

    vtn_url: str = Field(pattern=r"^https?://")
    token_url: str = Field(pattern=r"^https?://")
    client_id: str = Field(min_length=1)
    secret_file: Path
    scope: str = "read_all"
    program_id: str = Field(min_length=1)
    ven_name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")
    resource_name: str = Field(min_length=1)
    feed_tag: str = Field(min_length=1)
    simple_shed_milli: tuple[int, int, int] = (150, 300, 500)
