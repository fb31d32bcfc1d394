"""Who may ask, and how much, told while the work goes on: tried on the objects, and taken back if refused."""

from gridhall.controller import events as ev
from gridhall.scheduling.decisions import (
    SET,
    STOP,
    U_IN_USE,
    U_NO_ROOM,
    U_UNKNOWN,
    U_VALUE,
    U_VERSION,
    UNSET,
    WHY_BUDGET,
)
from gridhall.scheduling.jobs import R_BUDGET, R_CLOSED, R_UNCONSIDERED
from tests.oracle.reference_holds import drop
from tests.oracle.reference_passes import schedule
from tests.oracle.reference_state import Ceiling, Project, State
from tests.oracle.reference_tenancy import UNLIMITED, Owner, new_owner

MOST = 1 << 40
Answer = tuple[int, int]
"""Why nothing was changed (0 = it was), and the version that stands."""


def on_tenancy(s: State, kind: int, fields: list[int]) -> None:
    """Change what the event says, answer, and see who may start now."""
    level, number = (ev.PROJECT, fields[0]) if kind == ev.STANDING else (fields[0], fields[1])
    refused, version = ANSWERS[kind](s, level, number, fields)
    s.say(UNSET if refused else SET, -1, number, level, kind, version, refused)
    if not refused:
        review_waiting(s)
        schedule(s, {cell.number for cell in s.cells})


def owner_at(s: State, level: int, number: int) -> Owner | None:
    known = {ev.ORGANISATION: s.organisations, ev.PROJECT: [each.owner for each in s.projects]}.get(level, [])
    return known[number] if 0 <= number < len(known) else None


def review_waiting(s: State) -> None:
    for job in s.queue():
        shut = s.shut(job.project)
        if shut and job.hold is not None:
            drop(s, job.hold)
        if shut or job.reason in (R_BUDGET, R_CLOSED):
            job.reason = shut or R_UNCONSIDERED


def tell_tenant(s: State, level: int, number: int, fields: list[int]) -> Answer:
    parent, weight = fields[2], fields[3]
    if not 0 <= weight <= MOST:
        return U_VALUE, 0
    above = s.root if level == ev.ORGANISATION else owner_at(s, ev.ORGANISATION, parent)
    known = len(s.organisations if level == ev.ORGANISATION else s.projects)
    if level not in (0, 1) or above is None or not 0 <= number <= known:
        return U_UNKNOWN, 0
    if number == known and number >= s.room[level]:
        return U_NO_ROOM, 0
    if level == ev.PROJECT and number < known and s.projects[number].organisation != parent:
        return U_UNKNOWN, 0
    if number == known and level == ev.ORGANISATION:
        s.organisations.append(new_owner(above))
        s.organisation_weights.append(weight)
    elif number == known:
        s.projects.append(Project(new_owner(above), parent, weight))
    elif level == ev.ORGANISATION:
        s.organisation_weights[number] = weight
    else:
        s.projects[number].weight = weight
    s.root.forget()
    return 0, 0


def tell_quota(s: State, level: int, number: int, fields: list[int]) -> Answer:
    owner = owner_at(s, level, number)
    if owner is None:
        return U_UNKNOWN, 0
    version, nominal, borrow, lend = fields[2:6]
    if version != owner.version:
        return U_VERSION, owner.version
    if not 0 <= nominal <= MOST or not -1 <= borrow <= MOST or not -1 <= lend <= MOST:
        return U_VALUE, owner.version
    before, over = (owner.own, owner.borrow, owner.lend), s.root.over(s.charges())
    owner.own, owner.borrow, owner.lend = nominal, *(UNLIMITED if each < 0 else each for each in (borrow, lend))
    s.root.forget()
    if s.root.over(s.charges()) > over:
        owner.own, owner.borrow, owner.lend = before
        s.root.forget()
        return U_IN_USE, owner.version
    owner.version += 1
    return 0, owner.version


def tell_ceiling(s: State, level: int, number: int, fields: list[int]) -> Answer:
    owner = owner_at(s, level, number)
    kind, version, most = fields[2:5]
    if owner is None:
        return U_UNKNOWN, 0
    if not -1 <= kind < s.hardware:
        return U_VALUE, 0
    ceiling = s.ceilings.setdefault((owner, kind), Ceiling())
    if not -1 <= most <= MOST:
        return U_VALUE, ceiling.version
    if version != ceiling.version:
        return U_VERSION, ceiling.version
    ceiling.most = most if most >= 0 else None
    ceiling.version += 1
    return 0, ceiling.version


def tell_standing(s: State, level: int, number: int, fields: list[int]) -> Answer:
    if owner_at(s, level, number) is None:
        return U_UNKNOWN, 0
    if fields[1] not in (0, 1, 2):
        return U_VALUE, 0
    s.projects[number].standing = fields[1]
    if fields[1] == ev.STOPPED_FOR_BUDGET:
        for slot in sorted(s.jobs):
            job = s.jobs[slot]
            if job.project == number and job.state == "running" and job.preemptible:
                job.state = "stopping"
                s.end_pause(job)
                s.say(STOP, job.id, job.slot, job.attempt, WHY_BUDGET)
    return 0, 0


ANSWERS = {ev.TENANT: tell_tenant, ev.QUOTA: tell_quota, ev.CEILING: tell_ceiling, ev.STANDING: tell_standing}
