"""What the routes of users and of service accounts have in common: both are principals."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from gridhall.server.api.caller import Caller, missing
from gridhall.server.api.resources import answer_one, fresh, metadata_of, put, target_of, version_seen
from gridhall.server.identity.members import change_member, make_member, remove_member
from gridhall.server.ids import new_id
from gridhall.server.live.resources import Put
from gridhall.server.live.world import Resource
from gridhall.server.objects.access import Principal, PrincipalChange, PrincipalRequest, PrincipalSpec, PrincipalStatus


@dataclass(frozen=True, slots=True)
class Shown:
    """How a principal is shown to a caller."""

    caller: Caller

    def __call__(self, resource: Resource) -> Principal:
        """The principal as it is read."""
        tokens = len(self.caller.register.tokens_of(resource.id))
        return Principal(
            metadata=metadata_of(resource),
            spec=PrincipalSpec.model_validate(resource.spec),
            status=PrincipalStatus(tokens=tokens),
        )


async def create_principal(caller: Caller, asked: PrincipalRequest, prefix: str) -> Response:
    """Make a principal of an organisation, or of the system where the caller is of the system and names none."""
    organisation = asked.organisation or caller.principal.organisation
    if organisation:
        caller.must(organisation, "")
    else:
        caller.must_everywhere()
    new = fresh(caller, new_id(prefix), asked.name, organisation, "", asked.spec)
    change = Put(lambda world, _: make_member(world, new))
    return await put(caller, target_of(new), change, Shown(caller), 201)


def read_principal(caller: Caller, id: str) -> Response:
    """One principal; everybody may read themselves."""
    return answer_one(_found(caller, id), Shown(caller))


async def change_principal(caller: Caller, id: str, asked: PrincipalChange) -> Response:
    """Give a principal another name and spec."""
    old, expected = _found(caller, id), version_seen(caller)
    spec: Mapping[str, object] = asked.spec.model_dump()
    change = Put(lambda world, now_ms: change_member(world, old.kind, id, expected, now_ms, asked.name, spec))
    return await put(caller, target_of(old), change, Shown(caller))


async def delete_principal(caller: Caller, id: str) -> Response:
    """Remove a principal; its tokens are not accepted from then on."""
    old = _found(caller, id)
    change = Put(lambda world, now_ms: remove_member(world, old.kind, id, caller.expected, now_ms))
    return await put(caller, target_of(old), change, Shown(caller))


def _found(caller: Caller, id: str) -> Resource:
    resource = caller.world.directory.get(caller.kind, id)
    if resource is None:
        raise missing(caller.kind, id)
    if id != caller.principal.id or caller.verb != "read":
        caller.must(resource.organisation, resource.project, what=id)
    return resource
