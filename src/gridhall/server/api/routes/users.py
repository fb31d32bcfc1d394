"""Users: people who ask."""

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.server.api import principals
from gridhall.server.api.caller import Asking, Writing, needs
from gridhall.server.api.paging import Paging
from gridhall.server.api.resources import answer_many, readable
from gridhall.server.objects.access import Principal, PrincipalChange, PrincipalRequest
from gridhall.server.objects.page import Page
from gridhall.server.objects.part import Id

router = APIRouter()
KIND = "user"


@router.get("/v1/users", response_model=Page[Principal], **needs("read", KIND))
async def read_users(caller: Asking, cut: Paging, organisation: Id | None = None) -> Response:
    """The users that the caller may see."""
    return answer_many(readable(caller, organisation), cut, principals.Shown(caller))


@router.post("/v1/users", status_code=201, response_model=Principal, **needs("create", KIND))
async def create_user(asked: PrincipalRequest, caller: Writing) -> Response:
    """Make a user. It may do nothing until it has a role."""
    return await principals.create_principal(caller, asked, "usr")


@router.get("/v1/users/{user}", response_model=Principal, **needs("read", KIND))
async def read_user(user: str, caller: Asking) -> Response:
    """One user; everybody may read themselves."""
    return principals.read_principal(caller, user)


@router.put("/v1/users/{user}", response_model=Principal, **needs("update", KIND))
async def change_user(user: str, asked: PrincipalChange, caller: Writing) -> Response:
    """Rename, describe, disable or enable a user."""
    return await principals.change_principal(caller, user, asked)


@router.delete("/v1/users/{user}", response_model=Principal, **needs("delete", KIND))
async def delete_user(user: str, caller: Writing) -> Response:
    """Remove a user; its tokens are not accepted from then on."""
    return await principals.delete_principal(caller, user)
