"""Tokens: everybody asks for their own; an administrator of an organisation asks for those of its principals."""

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.server.api.caller import Asking, Caller, Writing, missing, needs
from gridhall.server.api.paging import answer_page
from gridhall.server.api.problem import Problem
from gridhall.server.api.write import Answer, Target, write
from gridhall.server.identity import tokens
from gridhall.server.identity.principal import Principal, find_principal, grants_of
from gridhall.server.identity.rights import covers
from gridhall.server.objects.page import Page
from gridhall.server.objects.part import Id
from gridhall.server.objects.token import NewToken, Token, TokenRequest

router = APIRouter()
MOST_TOKENS = 100
"""Most tokens of one principal that can be used at a time."""


@router.post("/v1/tokens", status_code=201, response_model=NewToken, **needs("create", "token"))
async def issue(asked: TokenRequest, caller: Writing) -> Response:
    """Give a token to oneself or to a principal of one's organisation. Its secret is shown this once."""
    principal = _principal(caller, asked.principal or caller.principal.id)
    _check(caller, principal)
    token, secret = tokens.new_token(principal.id, _life_ms(asked, principal), caller.register.now_ms())

    def answer(made: tokens.Token, secret: str = secret) -> Answer:
        body, kept = (NewToken(token=_view(made), secret=each) for each in (secret, ""))
        return Answer(201, body, location=f"/v1/tokens/{made.id}", kept=kept)

    target = Target(token.id, principal.organisation)
    return await write(caller, target, tokens.IssueToken(token), answer, lambda: answer(token, ""))


@router.get("/v1/tokens", response_model=Page[Token], **needs("read", "token"))
async def read_tokens(caller: Asking, principal: Id | None = None) -> Response:
    """The tokens of a principal (oneself by default) that can still be used."""
    found = _principal(caller, principal or caller.principal.id)
    return answer_page([_view(each) for each in caller.register.tokens_of(found.id)], None)


@router.delete("/v1/tokens/{token}", response_model=Page[Token], **needs("delete", "token"))
async def revoke(token: str, caller: Writing) -> Response:
    """Revoke a token at once, for ever."""
    found = caller.register.token(token)
    if found is None:
        raise missing("token", token)
    principal = _principal(caller, found.principal, token)
    return await _revoke(caller, (found,), Target(token, principal.organisation))


@router.delete("/v1/tokens", response_model=Page[Token], **needs("delete", "token"))
async def revoke_all(caller: Writing, principal: Id) -> Response:
    """Revoke all tokens of a principal, such as after one was lost."""
    who = _principal(caller, principal)
    return await _revoke(caller, tuple(caller.register.tokens_of(who.id)), Target(who.id, who.organisation))


async def _revoke(caller: Caller, found: tuple[tokens.Token, ...], target: Target) -> Response:
    def answer(revoked: tuple[tokens.Token, ...]) -> Answer:
        return Answer(200, Page[Token](items=tuple(map(_view, revoked)), next=None))

    change = tokens.RevokeTokens(found, caller.register.now_ms())
    return await write(caller, target, change, answer, lambda: answer(found))


def _principal(caller: Caller, id: str, what: str = "") -> Principal:
    """A principal whose tokens the caller may deal with."""
    if id == caller.principal.id:
        return caller.principal
    found = find_principal(caller.world.directory, id)
    if found is None:
        raise missing("token" if what else "principal", what or id)
    caller.must(found.organisation, "", what=what or id)
    return found


def _check(caller: Caller, principal: Principal) -> None:
    """Raise the problem of a token that would allow more than the caller may do, or is one too many."""
    if principal.id != caller.principal.id:
        theirs = grants_of(caller.world.directory, principal.id)
        if not covers(caller.grants, theirs):
            raise Problem(403, "beyond-own-rights", f"{principal.id} may do more than you", object=principal.id)
    if len(caller.register.tokens_of(principal.id)) >= MOST_TOKENS:
        detail = f"{principal.id} has {MOST_TOKENS} tokens: revoke some"
        raise Problem(409, "too-many", detail, object=principal.id)


def _life_ms(asked: TokenRequest, principal: Principal) -> int:
    most_s = tokens.LONGEST_MS[principal.kind] // 1000
    if asked.life_s > most_s:
        detail = f"a {principal.kind} has tokens for {most_s // 3600} hours at most"
        raise Problem(422, "invalid", detail, "body.life_s", f"give at most {most_s}")
    return asked.life_s * 1000


def _view(token: tokens.Token) -> Token:
    return Token(
        id=token.id,
        principal=token.principal,
        created_ms=token.created_ms,
        expires_ms=token.expires_ms,
        revoked_ms=token.revoked_ms,
    )
