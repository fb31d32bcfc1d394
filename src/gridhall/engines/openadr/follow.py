"""Following a changing list of events: which load targets to set now, given what was set before.

A server shows the events that are in force. One that is gone was withdrawn, one that changed is set anew; in both
cases the time of its old targets is returned to the default first.
"""

from collections.abc import Iterable, Iterator, Mapping

from gridhall.energy.targets import LoadTarget
from gridhall.engines.openadr.meaning import Meaning

Known = Mapping[str, tuple[LoadTarget, ...]]
"""Targets that were set, by event."""


def follow(known: Known, meanings: Iterable[Meaning], now_ms: int) -> tuple[Known, list[LoadTarget]]:
    """What is known from now on, and the targets to set, in order. `meanings` come least urgent first.

    When nothing changed there is nothing to set. When anything did, every target in force is set again after the
    returns to the default, because what lay under a withdrawn one must come back.
    """
    heard = {each.event_id: tuple(each.targets) for each in meanings if each.targets}
    stale = [target for event, targets in known.items() if heard.get(event) != targets for target in targets]
    fresh = [event for event, targets in heard.items() if known.get(event) != targets]
    if not stale and not fresh:
        return heard, []
    again = (target for targets in heard.values() for target in targets)
    return heard, list(_unfinished([*map(_returned, stale), *again], now_ms))


def _returned(target: LoadTarget) -> LoadTarget:
    return target.model_copy(update={"load_constraint": None})


def _unfinished(targets: Iterable[LoadTarget], now_ms: int) -> Iterator[LoadTarget]:
    return (each for each in targets if each.interval.end_ms is None or each.interval.end_ms > now_ms)
