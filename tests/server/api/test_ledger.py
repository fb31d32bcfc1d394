"""The log can be read as static files and checked with nothing but its key."""

from pathlib import Path

from gridhall.ledger.checkpoint import open_checkpoint
from gridhall.ledger.note import verify_key
from gridhall.ledger.proof_text import check_proof
from gridhall.ledger.tiles import unpack
from gridhall.ledger.tree import leaf_hash, node_hash
from tests.server.api.house import House, in_house
from tests.server.api.test_jobs import ask
from tests.server.live.house import KEY

KEYS = [verify_key(KEY)]


def test_entries_and_tiles_agree_with_the_checkpoint_and_with_proofs(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for _ in range(3):
            await house.admin.post("/v1/jobs", json=ask())
        checkpoint = open_checkpoint((await house.admin.get("/v1/ledger/checkpoint")).text, KEYS)
        size = checkpoint.size
        assert size == house.service.loop.log.size
        bundle = await house.admin.get(f"/v1/ledger/tile/entries/000.p/{size}")
        bodies = unpack(bundle.content)
        tile = (await house.admin.get(f"/v1/ledger/tile/0/000.p/{size}")).content
        assert tile == b"".join(map(leaf_hash, bodies))
        for index, body in enumerate(bodies):
            proof = (await house.admin.get(f"/v1/ledger/proof?entry={index}")).content
            assert check_proof(proof, body, KEYS) == (index, checkpoint)

    in_house(tmp_path, story)


def test_a_full_tile_is_read_and_its_root_is_in_the_level_above(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for _ in range(3):
            await house.admin.post("/v1/jobs:batch", json={"jobs": [ask() for _ in range(100)]})
        tile = (await house.admin.get("/v1/ledger/tile/0/000")).content
        row = [tile[at : at + 32] for at in range(0, len(tile), 32)]
        assert len(row) == 256
        while len(row) > 1:
            row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
        assert (await house.admin.get("/v1/ledger/tile/1/000.p/1")).content == row[0]
        grown = await house.admin.get(f"/v1/ledger/consistency?old=256&size={house.service.loop.log.size}")
        assert grown.text.count("\n") > 0

    in_house(tmp_path, story)


def test_what_is_no_tile_or_not_there_yet_is_not_found(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for path in ("0/000", "0/0", "0/x000/000", "entries/001", "0/000.p/256", "0/000.p/0", "9/000.p/1", "../x"):
            assert (await house.admin.get(f"/v1/ledger/tile/{path}")).status_code == 404, path
        assert (await house.admin.get("/v1/ledger/proof?entry=100000")).status_code == 404
        member = await house.somebody("home", "member")
        assert (await member.get("/v1/ledger/checkpoint")).status_code == 403

    in_house(tmp_path, story)
