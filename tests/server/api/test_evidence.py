"""Why a job waits is said in one sentence; where it ran is shown with proofs that hold without the server."""

import hashlib
from base64 import b64decode
from pathlib import Path

from gridhall.ledger.entries import Decision, read
from gridhall.ledger.note import read_vkey
from gridhall.ledger.proof_text import check_proof
from tests.server.api.house import House, in_house
from tests.server.api.test_jobs import ask
from tests.server.live.house import submit, until


def test_why_says_what_is_lacking_and_when_it_could_start(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        first = await submit(house.service, gpus=16)
        waiting = await submit(house.service, gpus=8)
        why = (await house.admin.get(f"/v1/jobs/{waiting.id}/why")).json()
        assert why["sentence"].startswith(f"{waiting.id} waits for ")
        assert "the earliest start is 20" in why["sentence"]
        assert why["start_ms"] > house.service.loop.now_ms()
        placed = (await house.admin.get(f"/v1/jobs/{first.id}/why")).json()
        assert placed["sentence"] == f"{first.id} does not wait: its nodes are chosen; the engine starts it."

    in_house(tmp_path, story)


def test_where_shows_the_place_with_a_proof_that_anybody_can_check(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        job = (await house.admin.post("/v1/jobs", json=ask())).json()["metadata"]["id"]
        await until(lambda: house.engine.starts)
        house.engine.ended(house.engine.starts[0].key)
        await until(lambda: not house.engine.held)
        where = (await house.admin.get(f"/v1/jobs/{job}/where")).json()
        facts = {each["name"]: (each["value"], each["rests_on"]) for each in where["attempts"][0]["facts"]}
        assert facts["country"] == ("GB", "declared")
        assert facts["operator"] == ("test", "declared")
        assert facts["node"][1] == "measured"
        assert where["not_proven"]
        key = read_vkey(where["log_key"])
        proofs = [where["submitted"], *where["attempts"][0]["proofs"]]
        for proof in proofs:
            index, _ = check_proof(proof["proof"].encode(), b64decode(proof["body"]), [key])
            assert index == proof["entry"]
        submitted = read(b64decode(where["submitted"]["body"]))
        assert isinstance(submitted, Decision)
        spec = where["spec"]
        assert submitted.commit == spec["commitment"]
        sealed = bytes.fromhex(spec["salt"]) + spec["document"].encode()
        assert hashlib.sha256(sealed).hexdigest() == spec["commitment"]

    in_house(tmp_path, story)
