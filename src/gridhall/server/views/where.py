"""Where a job ran, fact by fact, each with what it rests on and who says so."""

from collections.abc import Iterator

from gridhall.server.live.fleet_map import FleetMap
from gridhall.server.live.work import Attempt
from gridhall.server.objects.why import Fact
from gridhall.units import iso_utc

CONTROLLER, FLEET_FILE = "the controller", "the operator's fleet file"

NOT_PROVEN = (
    "no outside witness has signed this log: its operator could show another log to somebody else",
    "country, operator and site of a node are the operator's word; no hardware attests to them",
    "that the processes ran on the named nodes, and when, is what the site's engine reported",
    "nothing is shown about data at rest, networks, or who could reach the machines",
)
"""What `where` does not show, whatever the job."""


def facts_of(fleet: FleetMap, attempt: Attempt, engine: str) -> Iterator[Fact]:
    """What is known of an attempt."""
    site = fleet.fleet.sites[int(fleet.arrays.cell_site[attempt.cell])]
    yield Fact(name="site", value=site.id, rests_on="declared", said_by=FLEET_FILE)
    yield Fact(name="country", value=site.country, rests_on="declared", said_by=FLEET_FILE)
    yield Fact(name="operator", value=site.operator, rests_on="declared", said_by=FLEET_FILE)
    if site.owner:
        yield Fact(name="owner", value=site.owner, rests_on="declared", said_by=FLEET_FILE)
    for place in attempt.places:
        gpus = f" GPUs {','.join(map(str, place.gpus))}" if place.gpus else ""
        yield Fact(name="node", value=f"{place.node}{gpus}", rests_on="measured", said_by=CONTROLLER)
    yield Fact(name="decided", value=_precise(attempt.decided_ms), rests_on="measured", said_by=CONTROLLER)
    if attempt.started_ms:
        yield Fact(name="started", value=_precise(attempt.started_ms), rests_on="measured", said_by=f"engine {engine}")
    if attempt.ended_ms:
        yield Fact(name="released", value=_precise(attempt.ended_ms), rests_on="measured", said_by=CONTROLLER)
    if attempt.outcome:
        yield Fact(name="outcome", value=attempt.outcome, rests_on="measured", said_by=f"engine {engine}")


def _precise(time_ms: int) -> str:
    """A time with its milliseconds."""
    return f"{iso_utc(time_ms)[:-1]}.{time_ms % 1000:03d}Z"
