"""The proof that goes with one entry: it holds, and no bit of it can be changed."""

import asyncio

import pytest

from gridhall.ledger.log import Log
from gridhall.ledger.malformed import Malformed
from gridhall.ledger.note import SigningKey, sign, verify_key
from gridhall.ledger.proof_text import check_proof, read_proof, write_proof
from gridhall.ledger.proving import prove_entry
from gridhall.ledger.tree import EMPTY
from tests.ledger.slow import MemoryStore

KEY = SigningKey("example.com/log", bytes(range(32)))
KEYS = [verify_key(KEY)]
BODIES = [b'{"n":%d}' % number for number in range(300)]
INDEX = 77


def made() -> bytes:
    log, store = Log(EMPTY), MemoryStore()
    append = log.prepare(BODIES)
    asyncio.run(store.write(append, log.checkpoint(KEY)))
    log.commit(append)
    return asyncio.run(prove_entry(store, log.tree, INDEX)).encode()


PROOF = made()


def test_a_proof_holds_without_the_log() -> None:
    index, checkpoint = check_proof(PROOF, BODIES[INDEX], KEYS)
    assert (index, checkpoint.size, checkpoint.origin) == (INDEX, 300, KEY.name)


def test_a_proof_is_laid_out_as_specified() -> None:
    lines = PROOF.decode().split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 77"]
    gap = lines.index("")
    assert gap == 2 + 9
    assert lines[gap + 1 : gap + 3] == ["example.com/log", "300"]
    assert write_proof(read_proof(PROOF)).encode() == PROOF


def test_a_proof_of_another_entry_fails() -> None:
    with pytest.raises(Malformed, match="does not show that the log has this entry as number 77"):
        check_proof(PROOF, BODIES[INDEX + 1], KEYS)


def test_no_bit_of_a_proof_can_be_flipped() -> None:
    accepted: list[int] = []
    for bit in range(len(PROOF) * 8):
        flipped = bytearray(PROOF)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            check_proof(bytes(flipped), BODIES[INDEX], KEYS)
        except Malformed:
            continue
        accepted.append(bit)
    assert accepted == []


def test_no_byte_of_a_proof_can_be_left_out() -> None:
    for at in range(len(PROOF)):
        with pytest.raises(Malformed):
            check_proof(PROOF[:at] + PROOF[at + 1 :], BODIES[INDEX], KEYS)


def test_a_witness_may_sign_too() -> None:
    text = PROOF.decode()
    checkpoint = read_proof(PROOF).checkpoint
    line = sign(checkpoint.split("\n\n")[0] + "\n", SigningKey("example.com/witness", bytes(32))).split("\n\n")[1]
    assert check_proof((text + line).encode(), BODIES[INDEX], KEYS)[0] == INDEX


def test_a_line_that_nothing_protects_is_refused() -> None:
    with pytest.raises(Malformed, match="no proof"):
        check_proof(PROOF.replace(b"\nindex", b"\nextra AAAA\nindex"), BODIES[INDEX], KEYS)


@pytest.mark.parametrize("text", [b"", b"\xff", b"c2sp.org/tlog-proof@v1\nindex 0\n" + b"A\n" * 200_000, PROOF * 1000])
def test_what_is_no_proof_is_refused(text: bytes) -> None:
    with pytest.raises(Malformed):
        check_proof(text, BODIES[INDEX], KEYS)
