"""Problems: everything that goes wrong, in one form (RFC 9457), with a reason from a closed list and a mend."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from gridhall.server.api.denials import Denied
from gridhall.server.identity.principal import Principal
from gridhall.server.live.draft import Refusal
from gridhall.server.live.loop import ReadOnly
from gridhall.server.store import StoreAway

log = logging.getLogger("gridhall.api")

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
MOST_ERRORS = 20
LONGEST_VALUE = 60
RIGHT = "x-gridhall-right"
"""The OpenAPI extension that says which right an operation needs: [verb, kind]."""
IS_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}")


class Problem(Exception):
    """A request that cannot be answered as asked: an HTTP status, a reason, and a sentence for people.

    `field` and `mend` where one field is at fault; `object` is what the request was about.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        field: str = "",
        mend: str = "",
        headers: Mapping[str, str] = {},
        object: str = "",
    ) -> None:
        self.object = object
        self.status, self.reason, self.detail, self.headers = status, reason, detail, headers
        self.errors = [{"field": field, "problem": detail, "mend": mend}] if field else []
        super().__init__(detail)


def problem_response(
    trace_id: str,
    status: int,
    reason: str,
    detail: str,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] = {},
    nearest: Mapping[str, int] = {},
) -> Response:
    """A problem as an answer. It is ASCII, whatever the request had in it."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "reason": reason,
        "trace_id": trace_id,
        "errors": list(errors),
        **nearest,
    }
    return Response(json.dumps(body), status, headers, MEDIA_TYPE)


def tell_problems(app: FastAPI) -> None:
    """Give every kind of failure its form."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(ReadOnly, _read_only)
    app.add_exception_handler(StoreAway, _store_away)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _failed)


def address_of(scope: Scope) -> str:
    """Where a request came from."""
    client = scope.get("client")
    return client[0] if client else "local"


def shorten(value: object) -> str:
    """A value as people may see it in a message."""
    text = value if isinstance(value, str) else repr(value)
    text = ascii(text)[1:-1] if not text.isprintable() else text
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


async def _problem(request: Request, problem: Any) -> Response:
    if problem.status in (403, 404) and request.method != "GET":
        _note(request, problem)
    return problem_response(
        request.scope["trace_id"], problem.status, problem.reason, problem.detail, problem.errors, problem.headers
    )


def _note(request: Request, problem: Problem) -> None:
    """Have a write that was denied written down."""
    scope = request.scope
    verb, kind = scope["route"].openapi_extra[RIGHT]
    who: Principal = scope["principal"]
    object = problem.object if IS_ID.fullmatch(problem.object) else ""
    request.app.state.desk.denials.note(
        Denied(who.id, who.organisation, "", verb or "ask", kind or "api", object, problem.reason, address_of(scope))
    )


async def _refusal(request: Request, refusal: Any) -> Response:
    trace_id = request.scope["trace_id"]
    return problem_response(trace_id, refusal.status, refusal.reason, refusal.detail, nearest=refusal.nearest)


async def _read_only(request: Request, problem: Any) -> Response:
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return problem_response(
        request.scope["trace_id"], 503, "read-only", f"nothing is written now: {problem}", (), headers
    )


async def _store_away(request: Request, problem: Any) -> Response:
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    log.error("nothing can be read: %s", problem, extra={"trace_id": request.scope["trace_id"]})
    return problem_response(request.scope["trace_id"], 503, "store-away", "the database does not answer", (), headers)


async def _http(request: Request, problem: Any) -> Response:
    reasons = {404: "no-such-route", 405: "method-not-allowed", 400: "malformed", 413: "too-large"}
    details = {404: "there is nothing here; /v1/openapi.json lists what is"}
    reason = reasons.get(problem.status_code, "failed")
    detail = details.get(problem.status_code) or str(problem.detail)
    return problem_response(request.scope["trace_id"], problem.status_code, reason, detail, (), problem.headers or {})


async def _failed(request: Request, problem: Any) -> Response:
    trace_id = request.scope.get("trace_id", "")
    log.error("trace %s: %s %s failed", trace_id, request.method, request.url.path, exc_info=problem)
    return problem_response(trace_id, 500, "failed", "a fault of the server: please report it with the trace id")


async def _invalid(request: Request, problem: Any) -> Response:
    found: Sequence[Mapping[str, Any]] = problem.errors()
    trace_id = request.scope["trace_id"]
    if found and found[0]["type"] == "json_invalid":
        what = f"the body is no JSON: {found[0]['ctx']['error']} at character {found[0]['loc'][-1]}"
        return problem_response(trace_id, 400, "malformed", what)
    errors = [_field_problem(each) for each in found[:MOST_ERRORS]]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    detail = f"{errors[0]['field']}: {errors[0]['problem']}{more}"
    return problem_response(trace_id, 422, "invalid", detail, errors)


def _field_problem(error: Mapping[str, Any]) -> dict[str, str]:
    field = ".".join(shorten(part) for part in error["loc"])
    if error["type"] == "missing":
        return {"field": field, "problem": "is missing", "mend": "give it"}
    if error["type"] == "extra_forbidden":
        return {"field": field, "problem": "there is no such field", "mend": "leave it out, or mind its spelling"}
    message = str(error["msg"]).removeprefix("Value error, ")
    return {"field": field, "problem": f"{shorten(error.get('input'))} will not do", "mend": message}
