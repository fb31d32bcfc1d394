"""What the routes of resources have in common: reading one and many, and putting what was planned."""

from collections.abc import Callable, Iterable
from typing import Protocol

from pydantic import BaseModel
from starlette.responses import Response

from gridhall.server.api.caller import Caller, missing
from gridhall.server.api.paging import Cut, answer_page, page_of
from gridhall.server.api.problem import Problem
from gridhall.server.api.write import Answer, Target, write
from gridhall.server.live.draft import Draft
from gridhall.server.live.world import Resource, World
from gridhall.server.objects.part import Metadata

View = Callable[[Resource], BaseModel]


class Planned(Protocol):
    """A change of one resource that can say beforehand what will be."""

    def plan(self, world: World, now_ms: int) -> Resource:
        """What the resource will be. Raises Refusal."""
        ...

    def decide(self, draft: Draft) -> Resource:
        """Let it be so."""
        ...


def metadata_of(resource: Resource) -> Metadata:
    """The metadata of a resource."""
    return Metadata(
        id=resource.id,
        name=resource.name,
        organisation=resource.organisation,
        project=resource.project,
        created_ms=resource.created_ms,
        created_by=resource.created_by,
        modified_ms=resource.modified_ms,
        version=resource.version,
    )


def fresh(caller: Caller, id: str, name: str, organisation: str, project: str, spec: BaseModel) -> Resource:
    """A new resource of the route's kind, made by the caller now."""
    now_ms = caller.service.loop.now_ms()
    who = caller.principal.id
    return Resource(id, caller.kind, name, organisation, project, now_ms, who, now_ms, spec.model_dump())


def found(caller: Caller, kind: str, id: str) -> Resource:
    """A resource on which the caller may do what the route does. Raises Problem."""
    resource = caller.world.directory.get(kind, id)
    if resource is None:
        raise missing(kind, id)
    caller.must(resource.organisation, resource.project, what=id)
    return resource


def readable(caller: Caller, organisation: str | None, project: str | None = None) -> Iterable[Resource]:
    """The resources of the route's kind that the caller may read, of one organisation and project if they are given."""
    for each in caller.world.directory.all(caller.kind):
        here = organisation in (None, each.organisation) and project in (None, each.project)
        if here and caller.may(each.organisation, each.project):
            yield each


def answer_one(resource: Resource, view: View) -> Response:
    """A resource as an answer, with its version as ETag."""
    headers = {"ETag": f'"{resource.version}"'}
    return Response(view(resource).model_dump_json(), headers=headers, media_type="application/json")


def answer_many(resources: Iterable[Resource], cut: Cut, view: View) -> Response:
    """A page of resources as an answer."""
    page, following = page_of(resources, cut)
    return answer_page(map(view, page), following)


async def put(caller: Caller, target: Target, change: Planned, view: View, status: int = 200) -> Response:
    """Let a change of a resource happen, or with `dryRun` only say what would be."""
    where = f"/v1/{caller.kind}s/{target.id}" if status == 201 else ""

    def answer(resource: Resource) -> Answer:
        return Answer(status, view(resource), resource.version, where)

    def rehearse() -> Answer:
        return answer(change.plan(caller.world, caller.service.loop.now_ms()))

    return await write(caller, target, change, answer, rehearse)


def version_seen(caller: Caller) -> int:
    """The version that the caller saw; a write that replaces an object needs it."""
    if caller.expected is None:
        raise Problem(
            428,
            "needs-if-match",
            "say which version you change",
            "header.If-Match",
            'read the object, and send its ETag as If-Match, such as "3"',
        )
    return caller.expected


def target_of(resource: Resource) -> Target:
    """What a write about a resource is about."""
    return Target(resource.id, resource.organisation, resource.project)
