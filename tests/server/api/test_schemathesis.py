"""Requests made from the OpenAPI document, valid ones and broken ones.

None is answered with a failure of the server, and every answer is one that the document declares.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gridhall.server.api.app import NOUNS
from gridhall.server.api.problem import RIGHT
from gridhall.server.identity.bootstrap import bootstrap
from tests.server.api.house import House, open_house
from tests.server.api.test_authorisation import furnish
from tests.server.api.tries import Place

EXAMPLES = 12
"""Requests of each operation and mode."""
MAY_FAIL = (503, 507)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = [
    (method, route.path_format)  # pyright: ignore
    for noun in NOUNS
    for route in noun.router.routes
    for method in sorted(route.methods)  # pyright: ignore
    if (route.openapi_extra or {}).get(RIGHT)  # pyright: ignore
]


class Block:
    """A furnished house on a loop of its own, which runs while somebody waits for an answer."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self._opened = open_house(folder)
        self.house: House = self.do(self._opened.__aenter__())
        self.place: Place = self.do(furnish(self.house, "home", "default"))
        self.schema = schemathesis.openapi.from_dict(self.house.app.openapi())

    def do(self, story: Any) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(story, 20))

    def send(self, case: Case) -> httpx.Response:
        """Send a case as it is, also where it is broken."""
        prepared = requests.Request(**case.as_transport_kwargs("http://house")).prepare()
        token = self.house.admin.headers["Authorization"]
        headers = {**prepared.headers, "Authorization": token, "Accept": "*/*"}  # an event stream has no end
        body: Any = prepared.body or b""
        content = body.encode() if isinstance(body, str) else body
        return self.do(
            self.house.admin.request(str(prepared.method), str(prepared.url), content=content, headers=headers)
        )

    def version(self, path: str) -> str:
        """The ETag of what is at a path."""
        return self.do(self.house.admin.get(path)).headers.get("etag", '"1"')

    def renew(self) -> None:
        """A new token: a case may have revoked it."""
        secret = self.do(bootstrap(self.house.service, self.house.register.now_ms()))
        self.house.admin = self.house.client(secret)

    def close(self) -> None:
        self.do(self._opened.__aexit__(None, None, None))
        self.loop.close()


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Block]:
    opened = Block(tmp_path_factory.mktemp("block"))
    yield opened
    opened.close()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_one_that_the_document_declares(
    block: Block, method: str, path: str, mode: GenerationMode
) -> None:
    operation = block.schema[path][method]

    @seed(20260407)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode), known=st.booleans())
    def ask(case: Case, known: bool) -> None:
        if known:  # about something that is there
            case.path_parameters = {
                name: block.place.ids.get(name, value) for name, value in case.path_parameters.items()
            }
        for endless in ("follow", "wait"):
            case.query.pop(endless, None)
        answer = block.send(case)
        if answer.status_code == 401:
            block.renew()
        elif answer.status_code not in MAY_FAIL:
            case.validate_response(answer, checks=CHECKS)

    ask()
