"""The edge: what every request meets before its route, as plain ASGI.

It names the request (a trace id, the caller's own where `traceparent` brings one), finds out who asks, and refuses what
is too large or not JSON. Nobody's body is read before it is known who they are.
"""

import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridhall.server.api.problem import address_of, problem_response
from gridhall.server.identity.register import NotKnown, Register
from gridhall.server.log_lines import TRACE_ID

log = logging.getLogger("gridhall.api")

MOST_BYTES = 1 << 20
"""Largest body."""
TOO_LARGE = f"a body may have {MOST_BYTES:,} bytes at most"
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/metrics", "/v1/openapi.json"})
"""Paths that everybody may read. Everything else under /v1 needs a token."""
WITH_BODY = ("POST", "PUT", "PATCH")
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="gridhall"'}


@dataclass
class Edge:
    """`refused` is told of every request that was not recognised: address and reason."""

    app: ASGIApp
    register: Register
    refused: Callable[[str, str], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope["trace_id"] = trace_id_of(headers)
        traced = TRACE_ID.set(scope["trace_id"])
        refusal = self._look_at(scope, headers)
        try:
            if refusal is None:
                await self.app(scope, _limited(receive), send)
            else:
                await problem_response(scope["trace_id"], *refusal)(scope, receive, send)
        finally:
            TRACE_ID.reset(traced)

    def _look_at(self, scope: Scope, headers: Headers) -> tuple[Any, ...] | None:
        """What is wrong with a request, as arguments of `problem_response`."""
        if scope["path"] not in OPEN_PATHS:
            try:
                scope["principal"], scope["grants"] = self.register.recognise(secret_of(headers))
            except NotKnown as problem:
                self.refused(address_of(scope), problem.reason)
                return 401, problem.reason, str(problem), (), CHALLENGE
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > MOST_BYTES:
            return _too_large()
        has_body = length != "0" or "transfer-encoding" in headers
        if scope["method"] in WITH_BODY and has_body and not is_json(headers.get("content-type", "")):
            return 415, "not-json", "the body must be JSON", (), {"Accept": "application/json"}
        return None


def secret_of(headers: Headers) -> str:
    """The bearer token of a request. Raises NotKnown where there is none."""
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise NotKnown("no-token", "give a token: Authorization: Bearer ght_...")
    return secret.strip()


def trace_id_of(headers: Headers) -> str:
    """The trace that a request belongs to."""
    match = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    return match[1] if match else secrets.token_hex(16)


def is_json(content_type: str) -> bool:
    """Whether a content type is that of JSON."""
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _too_large() -> tuple[Any, ...]:
    return 413, "too-large", TOO_LARGE, (), {"Connection": "close"}


def _limited(receive: Receive) -> Receive:
    """`receive` that stops at the largest body, whatever the headers said."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MOST_BYTES:
            raise HTTPException(413, TOO_LARGE)
        return message

    return limited
