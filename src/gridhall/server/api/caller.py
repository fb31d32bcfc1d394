"""The caller of a route: who asks, and whether they may.

Every operation declares the right that it needs, with `**needs(verb, kind)` on its route; the declaration is in the
OpenAPI document too, and a generated test tries every operation with every role. Inside, `caller.must(organisation,
project)` asks for that right on an object of that project, and `caller.may(...)` filters a collection:

    @router.post("/v1/jobs", status_code=202, response_model=Job, **needs("create", "job"))
    async def submit(request: JobRequest, caller: Asking) -> Response:
        caller.must(organisation, project)

Where the kind is one of the system's own, the right is asked for before the route begins, and nothing is left to ask.
An operation for everybody who has a token declares `needs("", "")`.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.routing import APIRoute

from gridhall.server.api.desk import Declared, Desk
from gridhall.server.api.problem import RIGHT, Problem, address_of, shorten
from gridhall.server.api.terms import DRY_RUN, Terms, terms_of
from gridhall.server.identity.principal import Principal
from gridhall.server.identity.register import Register
from gridhall.server.identity.rights import SYSTEM_KINDS, Grant, allows
from gridhall.server.live.service import Service
from gridhall.server.live.world import World

READING = Terms(False, "", "", None)


def needs(verb: str, kind: str) -> dict[str, Any]:
    """Arguments of a route that declare the right that it needs."""
    return {"openapi_extra": {RIGHT: [verb, kind]}}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks for what. `verb` and `kind` are those that the route declares; `key` is the idempotency key or empty.

    `request_sha256` is set where there is a key. `expected` is the version of `If-Match`, None = not given.
    """

    desk: Desk
    principal: Principal
    grants: tuple[Grant, ...]
    verb: str
    kind: str
    address: str
    trace_id: str
    dry_run: bool = False
    key: str = ""
    request_sha256: str = ""
    expected: int | None = None

    @property
    def service(self) -> Service:
        """The live controller."""
        return self.desk.service

    @property
    def register(self) -> Register:
        """Who is who."""
        return self.desk.register

    @property
    def world(self) -> World:
        """What the controller has in memory."""
        return self.service.world

    def may(self, organisation: str, project: str, verb: str = "", kind: str = "") -> bool:
        """Whether the caller may do what the route does (or another verb, on another kind) to such an object."""
        return allows(self.grants, verb or self.verb, kind or self.kind, organisation, project)

    def must(self, organisation: str, project: str, verb: str = "", kind: str = "", what: str = "") -> None:
        """Raise the problem where the caller may not: 404 for what they cannot even see, 403 for the rest.

        `what` names the object in the message. What is created is not there to be seen: its project, or organisation,
        stands for it.
        """
        verb, kind = verb or self.verb, kind or self.kind
        if self.may(organisation, project, verb, kind):
            return
        if verb == "create":
            seen, what = ("project", project) if project else ("organisation", organisation)
        else:
            seen = kind
        if seen and what and not self.may(organisation, project, "read", seen):
            raise missing(seen, what)
        raise self.denied(what)

    def must_everywhere(self, what: str = "") -> None:
        """Raise 403 where the caller may not do what the route does to things of the system itself."""
        if not self.may("", ""):
            raise self.denied(what)

    def denied(self, what: str) -> Problem:
        """The problem of somebody who may see a thing and may not do what they ask."""
        return Problem(403, "not-allowed", f"{self.principal.id} may not {self.verb} this {self.kind}", object=what)


def missing(kind: str, what: str) -> Problem:
    """The problem of an object that is not there, as far as the caller may know."""
    return Problem(404, "not-found", f"there is no {kind} {shorten(what)}".rstrip(), object=what)


def _declared(desk: Desk, route: APIRoute) -> Declared:
    found = desk.declared.get(route.endpoint)
    if found is None:
        verb, kind = (route.openapi_extra or {})[RIGHT]
        names, writes = _query_names(route.dependant), is_write(route)
        found = Declared(verb, kind, frozenset([*names, DRY_RUN] if writes else names), writes)
        desk.declared[route.endpoint] = found
    return found


def _query_names(dependant: Any) -> list[str]:
    own = [param.alias for param in dependant.query_params]
    return own + [name for part in dependant.dependencies for name in _query_names(part)]


async def _caller(request: Request) -> Caller:
    scope = request.scope
    desk: Desk = request.app.state.desk
    declared = _declared(desk, scope["route"])
    for name in request.query_params:
        if name not in declared.names:
            mend = f"one of: {', '.join(sorted(declared.names))}" if declared.names else "leave it out"
            raise Problem(422, "invalid", f"there is no parameter {shorten(name)}", f"query.{shorten(name)}", mend)
    terms = await terms_of(request) if declared.writes else READING
    who = scope["principal"], scope["grants"]
    caller = Caller(desk, *who, declared.verb, declared.kind, address_of(scope), scope["trace_id"], *terms)
    if declared.kind in SYSTEM_KINDS:
        caller.must_everywhere()
    return caller


async def _writer(request: Request) -> Caller:
    return await _caller(request)


Asking = Annotated[Caller, Depends(_caller)]
"""The caller of a route that reads."""
Writing = Annotated[Caller, Depends(_writer)]
"""The caller of a route that writes: `dryRun`, `Idempotency-Key` and `If-Match` are read too."""


def is_write(route: APIRoute) -> bool:
    """Whether a route asks for its caller as Writing."""
    return any(each.call is _writer for each in route.dependant.dependencies)
