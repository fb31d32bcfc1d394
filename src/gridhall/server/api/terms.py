"""The terms of a write: whether it is only rehearsed, the key that names it, and the version that it changes.

They are read straight from the request, because FastAPI's way costs every submission a tenth of its time; PARAMETERS
says the same for the OpenAPI document.
"""

import hashlib
import re
from typing import Any, NamedTuple

from fastapi import Request

from gridhall.server.api.problem import Problem, shorten

DRY_RUN = "dryRun"
KEY = re.compile("[!-~]{1,128}")
VERSION = re.compile(r'(?:W/)?"?([0-9]{1,9})"?', re.ASCII)
FLAGS = {"true": True, "false": False, "1": True, "0": False}


class Terms(NamedTuple):
    """`key` is the idempotency key or empty, `request_sha256` is set where there is one. `expected` None = any."""

    dry_run: bool
    key: str
    request_sha256: str
    expected: int | None


async def terms_of(request: Request) -> Terms:
    """The terms of a request. Raises Problem."""
    headers = request.headers
    key, if_match, dry_run = headers.get("idempotency-key"), headers.get("if-match"), request.query_params.get(DRY_RUN)
    if key is not None and not KEY.fullmatch(key):
        raise _wrong("header.Idempotency-Key", key, "1 to 128 visible ASCII characters")
    digest = await _request_sha256(request) if key else ""
    return Terms(_flag(dry_run), key or "", digest, _version(if_match))


def _flag(dry_run: str | None) -> bool:
    if dry_run is None:
        return False
    if dry_run not in FLAGS:
        raise _wrong(f"query.{DRY_RUN}", dry_run, "true or false")
    return FLAGS[dry_run]


def _version(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    found = VERSION.fullmatch(if_match)
    if found is None:
        raise _wrong("header.If-Match", if_match, 'the ETag of the object, such as "3"')
    return int(found[1])


def _wrong(field: str, value: str, mend: str) -> Problem:
    return Problem(422, "invalid", f"{shorten(value)} will not do", field, f"give {mend}")


async def _request_sha256(request: Request) -> str:
    asked = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(asked.encode() + await request.body()).hexdigest()


PARAMETERS: list[dict[str, Any]] = [
    {
        "name": DRY_RUN,
        "in": "query",
        "description": "Say what would be; change nothing.",
        "schema": {"type": "boolean", "default": False},
    },
    {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Names this write, so that it is done once however often it is sent.",
        "schema": {"type": "string", "pattern": f"^{KEY.pattern}$"},
    },
    {
        "name": "If-Match",
        "in": "header",
        "description": 'The version that is changed, as the object\'s ETag: "3".',
        "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'},
    },
]
