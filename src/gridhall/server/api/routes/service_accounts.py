"""Service accounts: programs that ask."""

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
KIND = "service-account"


@router.get("/v1/service-accounts", response_model=Page[Principal], **needs("read", KIND))
async def read_service_accounts(caller: Asking, cut: Paging, organisation: Id | None = None) -> Response:
    """The service accounts that the caller may see."""
    return answer_many(readable(caller, organisation), cut, principals.Shown(caller))


@router.post("/v1/service-accounts", status_code=201, response_model=Principal, **needs("create", KIND))
async def create_service_account(asked: PrincipalRequest, caller: Writing) -> Response:
    """Make a service account. It may do nothing until it has a role."""
    return await principals.create_principal(caller, asked, "sa")


@router.get("/v1/service-accounts/{service_account}", response_model=Principal, **needs("read", KIND))
async def read_service_account(service_account: str, caller: Asking) -> Response:
    """One service account; everybody may read themselves."""
    return principals.read_principal(caller, service_account)


@router.put("/v1/service-accounts/{service_account}", response_model=Principal, **needs("update", KIND))
async def change_service_account(service_account: str, asked: PrincipalChange, caller: Writing) -> Response:
    """Rename, describe, disable or enable a service account."""
    return await principals.change_principal(caller, service_account, asked)


@router.delete("/v1/service-accounts/{service_account}", response_model=Principal, **needs("delete", KIND))
async def delete_service_account(service_account: str, caller: Writing) -> Response:
    """Remove a service account; its tokens are not accepted from then on."""
    return await principals.delete_principal(caller, service_account)
