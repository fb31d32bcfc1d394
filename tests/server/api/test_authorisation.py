"""Every operation, tried by every role in its own place and in others': what happens is what the pure table says.

The operations come from the OpenAPI document, so that a new one is tried without anybody thinking of it. What is
allowed is only rehearsed (`dryRun`); what is denied is asked for in earnest, and must change nothing.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridhall.controller.events import TICK
from gridhall.ledger.entries import Decision, read
from gridhall.server.api.edge import OPEN_PATHS
from gridhall.server.api.problem import RIGHT
from gridhall.server.identity.rights import KINDS, TENANT_KINDS, VERBS, Grant, allows, bind
from gridhall.server.identity.roles import ROLES
from gridhall.server.live.submit import NewJob, new_job_id
from gridhall.server.live.work import Job
from gridhall.server.objects.job import JobSpec
from gridhall.server.store.log_rows import LogRows
from tests.server.api import tries
from tests.server.api.house import House, open_house
from tests.server.api.tries import Place

ROLE_NAMES = (*ROLES, "")
"""The shipped roles, and nobody with no role at all."""


@dataclass(frozen=True)
class Operation:
    """One operation of the API with the right that it needs."""

    name: str
    method: str
    path: str
    verb: str
    kind: str
    has_body: bool
    can_rehearse: bool

    @property
    def is_collection(self) -> bool:
        return self.method == "GET" and "{" not in self.path and self.kind in TENANT_KINDS


def operations_of(document: Any) -> list[Operation]:
    found: list[Operation] = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path not in OPEN_PATHS:
                right = operation.get(RIGHT, [None, None])
                name = f"{method.upper()} {path}"
                dry = any(each["name"] == "dryRun" for each in operation.get("parameters", ()))
                found.append(Operation(name, method.upper(), path, *right, "requestBody" in operation, dry))
    return found


# --- two organisations with something of everything -------------------------------------------------------------------


async def furnish(house: House, organisation: str, project: str) -> Place:
    """A place with one object of every kind."""
    user = await _id(house, "/v1/users", name=f"u {project}", organisation=organisation)
    binding = {"organisation": organisation, "project": project, "spec": {"principal": user, "role": "reader"}}
    token = (await house.admin.post("/v1/tokens", json={"principal": user})).json()["token"]["id"]
    number = house.service.world.directory.get("project", project).number
    spec = JobSpec.model_validate({"command": ["true"], "resources": {"gpus": 1}})
    job = await house.service.loop.happen(NewJob(new_job_id(), "j", organisation, project, number, user, spec))
    assert isinstance(job, Job)
    bare = Place(organisation, project, {})
    ids = {
        "organisation": organisation,
        "project": project,
        "quota": f"quota.{project}",
        "budget": f"budget.{project}",
        "user": user,
        "service_account": await _id(house, "/v1/service-accounts", name=f"s {project}", organisation=organisation),
        "binding": await _id(house, "/v1/role-bindings", **binding),
        "token": token,
        "job": job.id,
        "site": "home",
        "hall": "home:hall",
        "rack": next(iter((await house.admin.get("/v1/racks")).json()["items"]))["metadata"]["id"],
        "node": next(iter((await house.admin.get("/v1/nodes")).json()["items"]))["metadata"]["id"],
        "queue": "normal",
        "feed": "home:f",
        "path": "0/000.p/1",
        "reservation": await _id(house, "/v1/reservations", **tries.BODIES["POST /v1/reservations"](bare)),
    }
    return Place(organisation, project, ids)


async def _id(house: House, path: str, **body: Any) -> str:
    made = await house.admin.post(path, json=body)
    assert made.status_code == 201, made.text
    return made.json()["metadata"]["id"]


async def caller_of(house: House, role: str, place: Place) -> tuple[httpx.AsyncClient, tuple[Grant, ...]]:
    """Somebody of the place's organisation with a role: bound there as narrowly as the role is meant to be."""
    user = await _id(house, "/v1/users", name=f"a {role}", organisation=place.organisation)
    grants: tuple[Grant, ...] = ()
    if role:
        organisation = "" if role.startswith("platform") else place.organisation
        project = place.project if role in ("member", "reader") else ""
        binding = {"organisation": organisation, "project": project, "spec": {"principal": user, "role": role}}
        await _id(house, "/v1/role-bindings", **binding)
        grants = bind(ROLES[role], organisation, project)
    secret = (await house.admin.post("/v1/tokens", json={"principal": user})).json()["secret"]
    return house.client(secret), grants


def fingerprint(house: House) -> str:
    """Everything that a write could have changed by itself."""
    world = house.service.world
    jobs = sorted((job.id, job.version) for job in world.jobs.values())
    resources = [(each.id, each.version, each.deleted_ms) for kind in KINDS for each in world.directory.all(kind, True)]
    tokens = [(each.id, each.revoked_ms) for each in house.register.all_tokens()]
    return repr((jobs, resources, tokens))


async def decided_since(house: House, entries: int) -> list[Decision]:
    """What the core was told since the log had so many entries, wake-ups apart."""
    await house.settled()
    bodies = await LogRows(house.service.database).entries(entries, house.service.loop.log.size)
    decisions = [entry for entry in map(read, bodies) if isinstance(entry, Decision)]
    return [each for each in decisions if each.event[0] != TICK]


# --- what the table says ----------------------------------------------------------------------------------------------


def location(operation: Operation, place: Place) -> tuple[str, str]:
    """Whose the object is that an operation is about."""
    if operation.kind not in TENANT_KINDS or operation.name in tries.OF_SYSTEM:
        return "", ""
    if operation.kind in tries.AT_ORGANISATION or (operation.kind, operation.verb) == ("project", "create"):
        return place.organisation, ""
    return place.organisation, place.project


def expected(operation: Operation, grants: tuple[Grant, ...], place: Place) -> int:
    """200 for allowed, 403 for what they may see, 404 for what they may not."""
    at = location(operation, place)
    if not operation.kind or allows(grants, operation.verb, operation.kind, *at):
        return 200
    if operation.kind not in TENANT_KINDS or operation.name in tries.OF_SYSTEM:
        return 403
    seen = operation.kind
    if operation.verb == "create":
        seen = "project" if at[1] else "organisation"
    return 403 if allows(grants, "read", seen, *at) else 404


async def ask(house: House, client: httpx.AsyncClient, operation: Operation, place: Place, dry: bool) -> httpx.Response:
    path = operation.path.format(**place.ids)
    params = tries.PARAMETERS.get(operation.name, lambda _: {})(place)
    headers: dict[str, str] = {}
    if operation.method == "PUT":
        headers["If-Match"] = (await house.admin.get(path)).headers["etag"]
    if operation.can_rehearse and dry:
        params = {**params, "dryRun": "true"}
    body = tries.BODIES[operation.name](place) if operation.has_body else None
    return await client.request(operation.method, path, params=params, json=body, headers=headers)


def check_collection(answer: httpx.Response, operation: Operation, grants: tuple[Grant, ...], place: Place) -> None:
    """Everything that is shown may be read, and what the place has is shown if it may be read."""
    assert answer.status_code == 200, (operation.name, answer.text)
    items = answer.json()["items"]
    owners = {(about["organisation"], about["project"]) for about in (each.get("metadata", each) for each in items)}
    for owner in owners:
        assert allows(grants, "read", operation.kind, *owner), (operation.name, owner)
    at = location(operation, place)
    if allows(grants, "read", operation.kind, *at):
        assert any(owner[0] == at[0] for owner in owners), (operation.name, "shows nothing", at)


# --- the test ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_every_operation_does_what_the_table_says(tmp_path: Path, role: str) -> None:
    async def story(house: House) -> None:
        foreign = await _id(house, "/v1/organisations", name="foreign")
        sibling = await _id(house, "/v1/projects", name="sibling", organisation="home")
        elsewhere = await _id(house, "/v1/projects", name="elsewhere", organisation=foreign)
        own = await furnish(house, "home", "default")
        places = [own, await furnish(house, "home", sibling), await furnish(house, foreign, elsewhere)]
        client, grants = await caller_of(house, role, own)
        for place in places:
            await try_all(house, client, grants, place)

    async def run() -> None:
        async with open_house(tmp_path, nodes=6) as house:
            await story(house)

    asyncio.run(run())


async def try_all(house: House, client: httpx.AsyncClient, grants: tuple[Grant, ...], place: Place) -> None:
    operations = operations_of(house.app.openapi())
    await house.settled()
    before, entries = fingerprint(house), house.service.loop.log.size
    for operation in operations:
        assert not operation.has_body or operation.name in tries.BODIES, f"tries.py has no body for {operation.name}"
        wanted = expected(operation, grants, place)
        answer = await ask(house, client, operation, place, dry=wanted == 200)
        if operation.is_collection and operation.name not in tries.PARAMETERS:
            check_collection(answer, operation, grants, place)
        else:
            done = answer.is_success or answer.status_code == tries.ANSWERS.get(operation.name)
            got = 200 if done else answer.status_code
            assert got == wanted, (operation.name, place.organisation, place.project, answer.status_code, answer.text)
    assert not await decided_since(house, entries)
    assert fingerprint(house) == before


def test_every_operation_declares_the_right_that_it_needs(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_house(tmp_path) as house:
            for operation in operations_of(house.app.openapi()):
                declared = operation.verb, operation.kind
                known = operation.verb in VERBS and operation.kind in KINDS
                assert declared == ("", "") or known, f"{operation.name} declares no right: {declared}"

    asyncio.run(run())


def test_everything_but_the_open_paths_needs_a_token(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_house(tmp_path) as house:
            stranger = house.client()
            for operation in operations_of(house.app.openapi()):
                path = operation.path.replace("{", "").replace("}", "")
                answer = await stranger.request(operation.method, path)
                assert (answer.status_code, answer.json()["reason"]) == (401, "no-token"), operation.name
            for path in ("/healthz", "/readyz", "/v1/openapi.json"):
                assert (await stranger.get(path)).status_code == 200

    asyncio.run(run())
