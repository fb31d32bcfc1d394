"""What a request meets before its route, and the form of everything that goes wrong."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridhall.server.api.denials import MOST_PER_MINUTE
from gridhall.server.api.edge import MOST_BYTES
from gridhall.server.objects.problem import Problem
from tests.server.api.house import House, in_house

JSON = {"Content-Type": "application/json"}


def problem_of(answer: httpx.Response) -> Problem:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = Problem.model_validate_json(answer.content)
    assert problem.status == answer.status_code
    return problem


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "status", "reason"),
    [
        ("GET", "/v1/nothing", b"", {}, 404, "no-such-route"),
        ("GET", "/nothing", b"", {}, 404, "no-such-route"),
        ("PATCH", "/v1/users", b"{}", JSON, 405, "method-not-allowed"),
        ("POST", "/v1/users", b"{", JSON, 400, "malformed"),
        ("POST", "/v1/users", b"\xff\xfe", JSON, 400, "malformed"),
        ("POST", "/v1/users", b"[" * 100_000, JSON, 400, "malformed"),
        ("POST", "/v1/users", b'{"name": ' + b"9" * 5000 + b"}", JSON, 400, "malformed"),
        ("POST", "/v1/users", b"{}", {"Content-Type": "text/plain"}, 415, "not-json"),
        ("POST", "/v1/users", b"{}", {}, 415, "not-json"),
        ("POST", "/v1/users", b"", JSON, 422, "invalid"),
        ("POST", "/v1/users", b'{"name": "a\\ud800b"}', JSON, 422, "invalid"),
        ("POST", "/v1/users", b'{"name": "a\\u0000b"}', JSON, 422, "invalid"),
        ("POST", "/v1/users", b'{"name": NaN}', JSON, 422, "invalid"),
        ("GET", "/v1/users?limit=0", b"", {}, 422, "invalid"),
        ("GET", "/v1/users?organistion=home", b"", {}, 422, "invalid"),
        ("GET", "/v1/users/%00%ff%0a", b"", {}, 404, "not-found"),
    ],
)
def test_a_bad_request_gets_a_clear_problem(
    tmp_path: Path, method: str, path: str, content: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    async def story(house: House) -> None:
        answer = await house.admin.request(method, path, content=content, headers=headers)
        problem = problem_of(answer)
        assert (problem.status, problem.reason) == (status, reason), answer.text
        assert problem.detail

    in_house(tmp_path, story)


def test_a_wrong_field_is_named_with_its_value_and_the_mend(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        body = {"name": "x" * 5000, "organization": "home", "spec": {"disabled": "perhaps"}}
        problem = problem_of(await house.admin.post("/v1/users", json=body))
        named = {each.field: each for each in problem.errors}
        assert named["body.organization"].mend == "leave it out, or mind its spelling"
        assert "perhaps" in named["body.spec.disabled"].problem
        assert len(named["body.name"].problem) < 100
        assert "200" in named["body.name"].mend

    in_house(tmp_path, story)


def test_a_body_that_is_too_large_is_refused_whatever_it_says_of_its_length(tmp_path: Path) -> None:
    async def parts() -> Any:
        for _ in range(20):
            yield b" " * (MOST_BYTES // 10)

    async def story(house: House) -> None:
        said = await house.admin.post("/v1/users", content=b" " * (MOST_BYTES + 1), headers=JSON)
        assert problem_of(said).reason == "too-large"
        unsaid = await house.admin.post("/v1/users", content=parts(), headers=JSON)
        assert (unsaid.status_code, problem_of(unsaid).reason) == (413, "too-large")
        just = await house.admin.post("/v1/users", content=b" " * (MOST_BYTES - 2) + b"{}", headers=JSON)
        assert just.status_code == 422

    in_house(tmp_path, story)


def test_a_trace_goes_on_where_the_caller_brings_one(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
        assert problem_of(await house.admin.get("/v1/users/none", headers=headers)).trace_id == trace
        first, second = [problem_of(await house.admin.get("/v1/users/none")).trace_id for _ in range(2)]
        assert first != second

    in_house(tmp_path, story)


def test_strangers_are_written_down_but_cannot_fill_the_disk(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        stranger, before = house.client("ght_guess", "192.0.2.7"), house.service.loop.log.size
        for _ in range(MOST_PER_MINUTE + 30):
            assert (await stranger.get("/v1/users")).status_code == 401
        await house.settled()
        lines = (await house.admin.get("/v1/audit?principal=stranger")).json()["items"]
        assert len(lines) <= MOST_PER_MINUTE
        assert {(each["address"], each["result"]) for each in lines} == {("192.0.2.7", "unknown-token")}
        assert house.service.loop.log.size - before <= MOST_PER_MINUTE
        assert house.app.state.desk.denials.not_written >= 30

    in_house(tmp_path, story)


def test_writes_are_audited_whether_they_are_done_refused_or_denied(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        body = {"name": "x", "organisation": "home"}
        made = (await house.admin.post("/v1/users", json=body)).json()["metadata"]["id"]
        assert (await house.admin.post("/v1/users", json=body)).status_code == 409
        reader = await house.somebody("home", "reader")
        assert (await reader.delete(f"/v1/users/{made}")).status_code == 404
        assert (await reader.post("/v1/users", json=body)).status_code == 403
        await house.settled()
        lines = (await house.admin.get("/v1/audit?kind=user")).json()["items"]
        told = [(each["principal"], each["verb"], each["result"]) for each in lines]
        assert told == [
            ("admin", "create", "done"),
            ("admin", "create", "name-taken"),
            ("reader-of-home", "delete", "not-found"),
            ("reader-of-home", "create", "not-allowed"),
        ]
        assert lines[0]["object"] == lines[2]["object"] == made
        auditor = await house.somebody("home", "organisation-auditor")
        assert (await auditor.get("/v1/audit?kind=user")).json()["items"] == lines
        assert (await reader.get("/v1/audit")).json()["items"] == []

    in_house(tmp_path, story)


def test_the_audit_is_read_page_by_page_and_by_time(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for number in range(5):
            await house.admin.post("/v1/users", json={"name": f"u{number}", "organisation": "home"})
        whole = (await house.admin.get("/v1/audit?kind=user")).json()["items"]
        seen, after = list[Any](), "-1"
        while after is not None:
            page = (await house.admin.get("/v1/audit", params={"kind": "user", "limit": 2, "after": after})).json()
            seen, after = seen + page["items"], page["next"]
        assert seen == whole
        assert len(whole) == 5
        late = whole[3]["time_ms"]
        later = (await house.admin.get(f"/v1/audit?kind=user&from_ms={late}")).json()["items"]
        assert later == [each for each in whole if each["time_ms"] >= late]

    in_house(tmp_path, story)


def test_a_server_that_does_not_decide_says_when_to_come_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.service.loop.stopped = "the disk is full"
        refused = await house.admin.post("/v1/users", json={"name": "x", "organisation": "home"})
        assert (problem_of(refused).reason, refused.headers["retry-after"]) == ("read-only", "5")
        assert (await house.admin.get("/v1/users")).status_code == 200
        assert (await house.admin.get("/healthz")).json()["deciding"] is False
        assert (await house.admin.get("/readyz")).status_code == 503

    in_house(tmp_path, story)


def test_a_key_gives_the_first_answer_again_after_a_restart_too(tmp_path: Path) -> None:
    first: list[Any] = []
    body, key = {"name": "once", "organisation": "home"}, {"Idempotency-Key": "k1"}

    async def story(house: House) -> None:
        first.append((await house.admin.post("/v1/users", json=body, headers=key)).json())
        again = await house.admin.post("/v1/users", json=body, headers=key)
        assert (again.status_code, again.json(), again.headers["idempotent-replay"]) == (201, first[0], "true")

    async def later(house: House) -> None:
        again = await house.admin.post("/v1/users", json=body, headers=key)
        assert again.json() == first[0]
        other = await house.admin.post("/v1/users", json={**body, "name": "twice"}, headers=key)
        assert problem_of(other).reason == "key-used"
        users = (await house.admin.get("/v1/users")).json()["items"]
        assert [each["metadata"]["name"] for each in users].count("once") == 1

    in_house(tmp_path, story)
    in_house(tmp_path, later)


def test_the_document_is_openapi_3_1_with_every_problem(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        document = json.loads((await house.client().get("/v1/openapi.json")).content)
        assert document["openapi"].startswith("3.1")
        answers = document["paths"]["/v1/users"]["post"]["responses"]
        assert {"201", "400", "401", "403", "404", "409", "412", "413", "415", "422", "428", "503", "507"} <= set(
            answers
        )
        assert "application/problem+json" in answers["409"]["content"]

    in_house(tmp_path, story)


def test_a_fault_of_the_server_is_a_problem_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise RuntimeError("secret path /etc/x")

    async def story(house: House) -> None:
        house.app.router.add_route("/v1/broken", lambda request: broken())  # pyright: ignore
        transport = httpx.ASGITransport(house.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, headers=house.admin.headers) as client:
            answer = await client.get("http://house/v1/broken")
        assert (answer.status_code, problem_of(answer).reason) == (500, "failed")
        assert "secret" not in answer.text
        assert problem_of(answer).trace_id in caplog.text

    in_house(tmp_path, story)
