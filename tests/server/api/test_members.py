"""Users, service accounts and role bindings: who may make them, and what nobody may do."""

from pathlib import Path

import httpx

from tests.server.api.house import House, in_house


async def person(house: House, role: str, organisation: str = "home", project: str = "") -> httpx.AsyncClient:
    """A new user with a role."""
    made = await house.admin.post("/v1/users", json={"name": f"a {role} {project}", "organisation": organisation})
    assert made.status_code == 201, made.text
    id = made.json()["metadata"]["id"]
    binding = {"organisation": organisation, "project": project, "spec": {"principal": id, "role": role}}
    bound = await house.admin.post("/v1/role-bindings", json=binding)
    assert bound.status_code == 201, bound.text
    token = await house.admin.post("/v1/tokens", json={"principal": id})
    return house.client(token.json()["secret"])


async def id_of(client: httpx.AsyncClient) -> str:
    """Who a client is."""
    return (await client.get("/v1/me")).json()["id"]


def test_a_user_may_do_what_their_role_says_from_the_moment_they_have_it(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        reader = await person(house, "reader")
        body = {"name": "new", "organisation": "home"}
        refused = await reader.post("/v1/users", json=body)
        assert (refused.status_code, refused.json()["reason"]) == (403, "not-allowed")
        binding = {"organisation": "home", "spec": {"principal": await id_of(reader), "role": "organisation-admin"}}
        assert (await house.admin.post("/v1/role-bindings", json=binding)).status_code == 201
        made = await reader.post("/v1/users", json=body)
        assert made.status_code == 201
        assert made.json()["metadata"]["created_by"] == await id_of(reader)

    in_house(tmp_path, story)


def test_nobody_gives_more_than_they_have(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        boss = await person(house, "organisation-admin")
        for organisation, role in (("home", "platform-admin"), ("home", "platform-reader"), ("", "reader")):
            binding = {"organisation": organisation, "spec": {"principal": await id_of(boss), "role": role}}
            assert (await boss.post("/v1/role-bindings", json=binding)).status_code == 403
        operator = await person(house, "platform-admin")
        stolen = await boss.post("/v1/tokens", json={"principal": await id_of(operator)})
        assert (stolen.status_code, stolen.json()["reason"]) == (403, "beyond-own-rights")

    in_house(tmp_path, story)


def test_the_last_administrator_stays(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        last = await house.admin.delete("/v1/role-bindings/rb_admin")
        assert (last.status_code, last.json()["reason"]) == (409, "last-admin")
        assert (await house.admin.delete("/v1/users/admin")).status_code == 409
        await person(house, "platform-admin")
        assert (await house.admin.delete("/v1/users/admin")).status_code == 200
        assert (await house.admin.get("/v1/me")).json()["reason"] == "principal-gone"

    in_house(tmp_path, story)


def test_a_change_needs_the_version_that_was_seen(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        made = await house.admin.post("/v1/service-accounts", json={"name": "robot", "organisation": "home"})
        path = made.headers["location"]
        assert (made.headers["etag"], path) == ('"1"', f"/v1/service-accounts/{made.json()['metadata']['id']}")
        body = {"name": "robot", "spec": {"disabled": True}}
        assert (await house.admin.put(path, json=body)).status_code == 428
        done = await house.admin.put(path, json=body, headers={"If-Match": made.headers["etag"]})
        assert (done.status_code, done.headers["etag"]) == (200, '"2"')
        late = await house.admin.put(path, json=body, headers={"If-Match": made.headers["etag"]})
        assert (late.status_code, late.json()["reason"]) == (412, "changed")
        odd = await house.admin.put(path, json=body, headers={"If-Match": "yesterday"})
        assert (odd.status_code, odd.json()["errors"][0]["field"]) == (422, "header.If-Match")

    in_house(tmp_path, story)


def test_a_disabled_principal_is_shut_out_at_once(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        reader = await person(house, "reader")
        path = f"/v1/users/{await id_of(reader)}"
        body = {"name": "gone", "spec": {"disabled": True}}
        assert (await house.admin.put(path, json=body, headers={"If-Match": '"1"'})).status_code == 200
        assert (await reader.get("/v1/me")).status_code == 401

    in_house(tmp_path, story)


def test_pages_follow_each_other(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for number in range(7):
            await house.admin.post("/v1/users", json={"name": f"user {number}", "organisation": "home"})
        names, after = list[str](), ""
        while after is not None:
            page = (await house.admin.get("/v1/users", params={"limit": 3, "after": after})).json()
            names += [each["metadata"]["name"] for each in page["items"]]
            after = page["next"]
        assert names == ["admin", *(f"user {number}" for number in range(7))]

    in_house(tmp_path, story)
