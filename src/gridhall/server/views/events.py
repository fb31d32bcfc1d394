"""Events out of the log: what an entry means to somebody who watches.

A decision is an event for each of its effects that people care about; an audit entry is one for what was done to an
object. Entries hold numbers only: whose job a number is comes from the store.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gridhall.controller import events as e
from gridhall.controller.events import EVENT_WIDTH
from gridhall.ledger.entries import Audit, Close, Decision, Entry, Part, Report, Segment, widen
from gridhall.scheduling import decisions as d
from gridhall.scheduling.decisions import EFFECT_WIDTH
from gridhall.server.live.fleet_map import FleetMap
from gridhall.server.live.projection import FINAL
from gridhall.server.objects.event import Event

DONE = "done"
"""Result of an audited write that was carried out."""
JOB_EFFECTS = {
    d.ACCEPT: "job.submitted",
    d.START: "job.placed",
    d.PAUSE: "job.pausing",
    d.RESUME: "job.resuming",
    d.STOP: "job.stopping",
    d.RELEASE: "job.released",
    d.HOLD: "job.reserved",
}
NODE_EVENTS = {e.NODE_UP: "node.up", e.NODE_DOWN: "node.down", e.NODE_OUT: "node.out", e.DRAIN: "node.drained"}
JOB_EVENTS = {e.PAUSED: "job.paused", e.RESUMED: "job.resumed"}
CORDONS = ("node.uncordoned", "node.cordoned")
FEED_EVENTS = {e.TARGET: "feed.target"}


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose an object is; `id` is what people call it."""

    id: str
    organisation: str
    project: str


NOBODY = Owner("", "", "")


def jobs_in(entries: Iterable[Entry]) -> set[int]:
    """The numbers of the jobs that some entries speak of."""
    decisions = [entry for entry in entries if isinstance(entry, Decision | Part)]
    decided = {effect[2] for entry in decisions for effect in entry.effects if effect[0] != d.WAKE and len(effect) > 2}
    events = (widen(entry.event, EVENT_WIDTH) for entry in decisions if isinstance(entry, Decision))
    return decided | {event[6] for event in events if event[0] in JOB_EVENTS}


def events_of(
    place: int, entry: Entry, fleet: FleetMap, jobs: Mapping[int, Owner], audited: Mapping[int, Owner]
) -> Iterator[Event]:
    """The events of one entry, in the order in which they happened; `audited` is by the place of the audit entry."""
    match entry:
        case Decision():
            yield from _happened(place, entry, fleet, jobs)
            yield from _decided(place, entry, jobs)
        case Part():
            yield from _decided(place, entry, jobs)
        case Audit() if entry.result == DONE and entry.resource_kind not in ("job", "node"):
            owner = audited.get(place, NOBODY)
            yield _event(place, entry.time_ms, f"{entry.resource_kind}.{entry.verb}", owner)
        case Report():
            about = Owner(entry.about, "", "")
            yield _event(place, entry.time_ms, f"engine.{entry.said}", about)
        case Audit() | Segment() | Close():
            return


def _happened(place: int, entry: Decision, fleet: FleetMap, jobs: Mapping[int, Owner]) -> Iterator[Event]:
    event = widen(entry.event, EVENT_WIDTH)
    of_node = CORDONS[event[3]] if event[0] == e.CORDON else NODE_EVENTS.get(event[0])
    if of_node is not None:
        yield _event(place, event[1], of_node, Owner(fleet.node_ids[event[2]], "", ""))
    elif event[0] in JOB_EVENTS and event[6] in jobs:
        yield _event(place, event[1], JOB_EVENTS[event[0]], jobs[event[6]])
    elif event[0] in FEED_EVENTS:
        feed = fleet.arrays.power_names[event[2]].replace("/", ":")
        yield _event(place, event[1], FEED_EVENTS[event[0]], Owner(feed, "", ""))


def _decided(place: int, entry: Decision | Part, jobs: Mapping[int, Owner]) -> Iterator[Event]:
    for row in entry.effects:
        effect = widen(row, EFFECT_WIDTH)
        owner = jobs.get(effect[2])
        kind = f"job.{FINAL[effect[5]]}" if effect[0] == d.DONE else JOB_EFFECTS.get(effect[0])
        if owner is not None and kind is not None:
            yield _event(place, effect[1], kind, owner)


def _event(place: int, time_ms: int, kind: str, owner: Owner) -> Event:
    return Event(
        number=place,
        time_ms=time_ms,
        kind=kind,
        object=owner.id,
        organisation=owner.organisation,
        project=owner.project,
    )
