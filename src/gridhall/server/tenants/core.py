"""Telling the core about tenants: an event in, SET or UNSET back."""

from gridhall.kernel import Ints
from gridhall.scheduling.decisions import (
    U_IN_USE,
    U_NO_ROOM,
    U_UNKNOWN,
    U_VALUE,
    U_VERSION,
    UNSET,
    UNSET_REASONS,
)
from gridhall.server.live.draft import Draft, Refusal
from gridhall.server.live.projection import project

_ANSWERS = {
    U_UNKNOWN: (404, "not-found"),
    U_VERSION: (412, "changed"),
    U_IN_USE: (409, "in-use"),
    U_NO_ROOM: (507, "no-room"),
    U_VALUE: (422, "invalid"),
}


def tell_core(draft: Draft, event: Ints) -> int:
    """Let the core set something; the version that it has now. Raises Refusal where nothing was set."""
    effects = draft.step(event)
    project(draft, effects)
    answer = effects[0]
    if answer[0] == UNSET:
        status, reason = _ANSWERS[answer[7]]
        raise Refusal(status, reason, UNSET_REASONS[answer[7]])
    return answer[6]
