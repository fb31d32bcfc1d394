"""Tokens are given out, accepted, refused when they end, and never again after they were revoked."""

from pathlib import Path

from tests.server.api.house import House, in_house


def test_a_token_is_good_until_it_is_revoked(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        given = await house.admin.post("/v1/tokens", json={"life_s": 60})
        assert given.status_code == 201, given.text
        client, token = house.client(given.json()["secret"]), given.json()["token"]["id"]
        assert [each["id"] for each in (await client.get("/v1/tokens")).json()["items"]][-1] == token
        assert (await client.delete(f"/v1/tokens/{token}")).status_code == 200
        refused = await client.get("/v1/tokens")
        assert refused.status_code == 401
        assert refused.json()["reason"] == "revoked-token"
        assert refused.headers["content-type"] == "application/problem+json"

    in_house(tmp_path, story)


def test_a_token_ends(tmp_path: Path) -> None:
    now_ms = [1_000_000]

    async def story(house: House) -> None:
        secret = (await house.admin.post("/v1/tokens", json={"life_s": 60})).json()["secret"]
        now_ms[0] += 59_999
        assert (await house.client(secret).get("/v1/tokens")).status_code == 200
        now_ms[0] += 1
        assert (await house.client(secret).get("/v1/tokens")).json()["reason"] == "expired-token"

    in_house(tmp_path, story, now_ms=lambda: now_ms[0])


def test_the_same_key_gives_the_same_answer_without_the_secret(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        headers = {"Idempotency-Key": "one"}
        first = await house.admin.post("/v1/tokens", json={"life_s": 60}, headers=headers)
        again = await house.admin.post("/v1/tokens", json={"life_s": 60}, headers=headers)
        assert again.json() == {"token": first.json()["token"], "secret": ""}
        other = await house.admin.post("/v1/tokens", json={"life_s": 61}, headers=headers)
        assert (other.status_code, other.json()["reason"]) == (422, "key-used")

    in_house(tmp_path, story)


def test_a_rehearsal_gives_no_token(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        before = (await house.admin.get("/v1/tokens")).json()
        said = await house.admin.post("/v1/tokens?dryRun=true", json={})
        assert (said.status_code, said.json()["secret"]) == (201, "")
        assert (await house.admin.get("/v1/tokens")).json() == before

    in_house(tmp_path, story)
