"""Tokens: everybody asks for their own; an administrator of an organisation asks for those of its principals."""

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.server.api.caller import Asking, Caller, Writing, missing, needs
from gridhall.server.api.paging import answer_page
from gridhall.server.api.problem import Problem
from gridhall.server.api.write import Answer, Target, write
from gridhall.server.identity import tokens
from gridhall.server.identity.principal import Principal, find_principal
from gridhall.server.objects.page import Page
from gridhall.server.objects.part import Id
from gridhall.server.objects.token import NewToken, Token, TokenRequest

router = APIRouter()


@router.post("/v1/tokens", status_code=201, response_model=NewToken, **needs("create", "token"))
async def issue(asked: TokenRequest, caller: Writing) -> Response:
    """Give a token to oneself or to a principal of one's organisation. Its secret is shown this once."""
    principal = _principal(caller, asked.principal or caller.principal.id)
    life_ms = asked.life_s * 1000
    if life_ms > tokens.LONGEST_MS[principal.kind]:
        hours = tokens.LONGEST_MS[principal.kind] // 3_600_000
        detail = f"a {principal.kind} has tokens for {hours} hours at most"
        raise Problem(422, "invalid", detail, "body.life_s", f"give at most {hours * 3600}")
    token, secret = tokens.new_token(principal.id, life_ms, caller.register.now_ms())

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


@router.delete("/v1/tokens/{token}", response_model=Token, **needs("delete", "token"))
async def revoke(token: str, caller: Writing) -> Response:
    """Revoke a token at once."""
    found = caller.register.token(token)
    if found is None:
        raise missing("token", token)
    principal = _principal(caller, found.principal, token)
    change = tokens.RevokeToken(found, caller.register.now_ms())

    def answer(revoked: tokens.Token) -> Answer:
        return Answer(200, _view(revoked))

    return await write(caller, Target(token, principal.organisation), change, answer, lambda: answer(found))


def _principal(caller: Caller, id: str, what: str = "") -> Principal:
    """A principal whose tokens the caller may deal with."""
    if id == caller.principal.id:
        return caller.principal
    found = find_principal(caller.world.directory, id)
    if found is None:
        raise missing("token" if what else "principal", what or id)
    caller.must(found.organisation, "", what=what or id)
    return found


def _view(token: tokens.Token) -> Token:
    return Token(
        id=token.id,
        principal=token.principal,
        created_ms=token.created_ms,
        expires_ms=token.expires_ms,
        revoked_ms=token.revoked_ms,
    )
