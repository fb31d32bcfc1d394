"""An export is a log of static files: complete, readable by the same verifier, and never of two pasts."""

import asyncio
import json
from pathlib import Path

import pytest

from gridhall.errors import InputError
from gridhall.ledger.entries import Audit, body
from gridhall.ledger.export import export
from gridhall.ledger.folder import FolderReader
from gridhall.ledger.log import load_tree
from gridhall.ledger.malformed import Malformed
from gridhall.ledger.note import verify_key
from gridhall.ledger.proof_text import check_proof
from gridhall.ledger.proving import prove_entry
from gridhall.ledger.tree import leaf_hash
from gridhall.ledger.verify import Verdict, verify
from tests.ledger.slow import MemoryStore
from tests.ledger.written import KEY, append_bodies, story, write, write_bodies

KEYS = [verify_key(KEY)]
ENTRIES = story(600)
BODIES = [body(entry) for entry in ENTRIES]


def check(folder: Path) -> Verdict:
    return asyncio.run(verify(FolderReader(folder), KEYS))


def exported(folder: Path, bodies: list[bytes] = BODIES) -> MemoryStore:
    store = write_bodies(bodies)[1]
    asyncio.run(export(store, folder))
    return store


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_files_are_those_of_the_specification(tmp_path: Path) -> None:
    store = exported(tmp_path)
    size = len(BODIES)
    found = files(tmp_path)
    edge = f".p/{size % 256}"
    full = [f"{number:03d}" for number in range(size // 256)]
    assert set(found) == {
        "checkpoint",
        "checkpoints.jsonl",
        *(f"tile/0/{name}" for name in [*full, f"{size // 256:03d}{edge}"]),
        *(f"tile/entries/{name}" for name in [*full, f"{size // 256:03d}{edge}"]),
        f"tile/1/000.p/{size // 256}",
    }
    assert found["checkpoint"].decode() == store.notes[-1]
    assert found["tile/0/000"] == b"".join(map(leaf_hash, BODIES[:256]))
    assert [json.loads(line) for line in found["checkpoints.jsonl"].splitlines()] == store.notes


def test_an_export_is_verified_like_the_log(tmp_path: Path) -> None:
    store = exported(tmp_path)
    assert check(tmp_path) == asyncio.run(verify(store, KEYS))


def test_a_later_export_adds_to_the_folder(tmp_path: Path) -> None:
    exported(tmp_path, BODIES[:300])
    before = files(tmp_path)
    exported(tmp_path)
    after = files(tmp_path)
    assert {name: after[name] for name in before if name.startswith("tile")} == {
        name: data for name, data in before.items() if name.startswith("tile")
    }
    assert check(tmp_path).entries == len(BODIES)


def test_entries_without_a_checkpoint_are_left_out(tmp_path: Path) -> None:
    log, store = write_bodies(BODIES[:300])
    append_bodies(log, store, BODIES[300:400], key=None)
    assert asyncio.run(export(store, tmp_path)).size == 300
    assert (check(tmp_path).word, check(tmp_path).entries) == ("PASS", 300)


def test_a_proof_can_be_made_from_an_export(tmp_path: Path) -> None:
    exported(tmp_path)
    reader = FolderReader(tmp_path)
    tree = asyncio.run(load_tree(reader, len(BODIES)))
    text = asyncio.run(prove_entry(reader, tree, 123))
    assert check_proof(text.encode(), BODIES[123], KEYS)[0] == 123


def test_a_log_with_another_past_is_not_exported_over_it(tmp_path: Path) -> None:
    exported(tmp_path, BODIES[:300])
    before = files(tmp_path)
    other = write([entry for entry in ENTRIES if not isinstance(entry, Audit)])[1]
    with pytest.raises(InputError, match="no continuation"):
        asyncio.run(export(other, tmp_path))
    assert files(tmp_path) == before


def test_a_log_that_became_shorter_is_not_exported_over_it(tmp_path: Path) -> None:
    exported(tmp_path)
    with pytest.raises(InputError, match="no continuation"):
        exported(tmp_path, BODIES[:300])


def test_a_log_without_a_checkpoint_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no checkpoint yet"):
        asyncio.run(export(MemoryStore(), tmp_path))


def test_a_log_that_contradicts_its_checkpoint_is_not_exported(tmp_path: Path) -> None:
    store = write_bodies(BODIES)[1]
    store.bodies[-1] = b"other"
    with pytest.raises(Malformed, match="another root"):
        asyncio.run(export(store, tmp_path))


@pytest.mark.parametrize("name", ["tile/0/000", "tile/entries/001", "checkpoints.jsonl"])
def test_any_damage_to_a_file_is_found(tmp_path: Path, name: str) -> None:
    exported(tmp_path)
    path = tmp_path / name
    whole = path.read_bytes()
    for data in (whole[:-1], whole[:1000], whole + b"x", bytes([whole[0] ^ 1]) + whole[1:]):
        path.write_bytes(data)
        assert check(tmp_path).word == "FAIL", data[:20]
    path.write_bytes(whole)
    assert check(tmp_path).word == "PASS"


def test_a_missing_bundle_is_named(tmp_path: Path) -> None:
    exported(tmp_path)
    (tmp_path / "tile/entries/001").unlink()
    verdict = check(tmp_path)
    assert (verdict.word, verdict.entry, verdict.why) == ("FAIL", 256, "is missing")


def test_without_the_history_the_last_checkpoint_is_still_checked(tmp_path: Path) -> None:
    exported(tmp_path)
    (tmp_path / "checkpoints.jsonl").unlink()
    assert (check(tmp_path).word, check(tmp_path).checkpoints) == ("PASS", 1)


def test_a_checkpoint_put_back_to_an_earlier_one_is_found(tmp_path: Path) -> None:
    store = exported(tmp_path)
    (tmp_path / "checkpoint").write_text(store.notes[5])
    assert "its end is missing" in check(tmp_path).why


@pytest.mark.parametrize("data", [b"", b"\xff", b"hello\n"])
def test_a_folder_without_a_checkpoint_is_no_log(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InputError, match="no checkpoint of a log"):
        FolderReader(tmp_path)
    (tmp_path / "checkpoint").write_bytes(data)
    with pytest.raises(InputError, match="no checkpoint of a log"):
        FolderReader(tmp_path)
