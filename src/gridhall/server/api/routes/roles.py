"""Roles and role bindings: who may do what. Nobody gives a role that allows more than they may do themselves."""

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.server.api.caller import Asking, Caller, Writing, missing, needs
from gridhall.server.api.paging import Paging, answer_page
from gridhall.server.api.problem import Problem
from gridhall.server.api.resources import answer_many, answer_one, found, fresh, metadata_of, put, readable, target_of
from gridhall.server.identity.members import make_member, remove_member
from gridhall.server.identity.principal import find_principal
from gridhall.server.identity.rights import Right, bind, covers
from gridhall.server.identity.roles import ROLES
from gridhall.server.ids import new_id
from gridhall.server.live.resources import Put
from gridhall.server.live.world import Resource
from gridhall.server.objects.access import (
    GrantView,
    Me,
    RightView,
    Role,
    RoleBinding,
    RoleBindingRequest,
    RoleBindingSpec,
    RoleName,
)
from gridhall.server.objects.page import Page
from gridhall.server.objects.part import Id

router = APIRouter()
KIND = "role-binding"


@router.get("/v1/me", response_model=Me, **needs("", ""))
async def read_me(caller: Asking) -> Response:
    """Whose token this is, and what it allows."""
    who = caller.principal
    grants = tuple(
        GrantView(verb=each.verb, kind=each.kind, organisation=each.organisation, project=each.project)
        for each in caller.grants
    )
    me = Me(id=who.id, kind=who.kind, name=who.name, organisation=who.organisation, grants=grants)
    return Response(me.model_dump_json(), media_type="application/json")


@router.get("/v1/roles", response_model=Page[Role], **needs("read", "role"))
async def read_roles(caller: Asking) -> Response:
    """The shipped roles with their rights."""
    return answer_page((_role(name, rights) for name, rights in ROLES.items()), None)


@router.get("/v1/role-bindings", response_model=Page[RoleBinding], **needs("read", KIND))
async def read_bindings(
    caller: Asking,
    cut: Paging,
    organisation: Id | None = None,
    project: Id | None = None,
    principal: Id | None = None,
) -> Response:
    """The role bindings that the caller may see."""
    seen = readable(caller, organisation, project)
    mine = (each for each in seen if principal in (None, each.spec["principal"]))
    return answer_many(mine, cut, view)


@router.post("/v1/role-bindings", status_code=201, response_model=RoleBinding, **needs("create", KIND))
async def bind_role(asked: RoleBindingRequest, caller: Writing) -> Response:
    """Give a principal a role."""
    if asked.organisation:
        caller.must(asked.organisation, asked.project)
    else:
        caller.must_everywhere()
    _check(asked, caller)
    new = fresh(caller, new_id("rb"), asked.spec.role, asked.organisation, asked.project, asked.spec)
    return await put(caller, target_of(new), Put(lambda world, _: make_member(world, new)), view, 201)


@router.get("/v1/role-bindings/{binding}", response_model=RoleBinding, **needs("read", KIND))
async def read_binding(binding: str, caller: Asking) -> Response:
    """One role binding."""
    return answer_one(found(caller, KIND, binding), view)


@router.delete("/v1/role-bindings/{binding}", response_model=RoleBinding, **needs("delete", KIND))
async def unbind_role(binding: str, caller: Writing) -> Response:
    """Take a role away."""
    old = found(caller, KIND, binding)
    change = Put(lambda world, now_ms: remove_member(world, KIND, old.id, caller.expected, now_ms))
    return await put(caller, target_of(old), change, view)


def view(resource: Resource) -> RoleBinding:
    """How a role binding is shown."""
    return RoleBinding(metadata=metadata_of(resource), spec=RoleBindingSpec.model_validate(resource.spec))


def _check(asked: RoleBindingRequest, caller: Caller) -> None:
    """Raise the problem of a principal, a role or a place that will not do."""
    if asked.project and not asked.organisation:
        raise Problem(422, "invalid", "a project is in an organisation", "body.organisation", "name it")
    who = find_principal(caller.world.directory, asked.spec.principal)
    if who is None or not (who.organisation == asked.organisation or caller.may(who.organisation, "")):
        raise missing("principal", asked.spec.principal)
    if not covers(caller.grants, bind(ROLES[asked.spec.role], asked.organisation, asked.project)):
        raise Problem(403, "beyond-own-rights", f"{asked.spec.role} allows more there than you may do yourself")


def _role(name: RoleName, rights: frozenset[Right]) -> Role:
    ordered = sorted(rights, key=lambda right: (right.scope, right.kind, right.verb))
    views = tuple(RightView(scope=each.scope, kind=each.kind, verb=each.verb) for each in ordered)
    return Role(name=name, rights=views)
