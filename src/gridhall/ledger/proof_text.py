"""A proof that goes with one entry, as text (C2SP tlog-proof@v1): index, path, and the signed checkpoint.

Together with the entry's bytes and the log's key it can be checked anywhere, without the log. The format allows a
line of extra data that nothing protects; these proofs have none, and one that has is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gridhall.ledger.checkpoint import Checkpoint, open_checkpoint, read_number
from gridhall.ledger.malformed import Malformed
from gridhall.ledger.note import LARGEST_CHARACTERS, VerifyKey
from gridhall.ledger.proofs import includes
from gridhall.ledger.text64 import from_text64, to_text64
from gridhall.ledger.tree import HASH_BYTES, leaf_hash

FIRST_LINE = "c2sp.org/tlog-proof@v1"
INDEX = "index "
MOST_HASHES = 63


@dataclass(frozen=True, slots=True)
class Proof:
    """The entry's index, the hashes from its sibling up, and the checkpoint's note."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str


def write_proof(proof: Proof) -> str:
    """The text of a proof."""
    lines = [FIRST_LINE, f"{INDEX}{proof.index}", *map(to_text64, proof.path)]
    return "\n".join(lines) + "\n\n" + proof.checkpoint


def read_proof(text: bytes) -> Proof:
    """The proof of a text, not checked. Raises Malformed."""
    try:
        head, gap, note = text.decode("utf-8").partition("\n\n")
    except UnicodeDecodeError as error:
        raise Malformed("is no UTF-8 text") from error
    lines = head.split("\n", MOST_HASHES + 2)
    if len(note) > LARGEST_CHARACTERS or len(lines) > MOST_HASHES + 2:
        raise Malformed("is too long for a proof")
    if not gap or len(lines) < 2 or lines[0] != FIRST_LINE or not lines[1].startswith(INDEX):
        raise Malformed(f"is no proof: {FIRST_LINE!r} and an index are expected")
    path = tuple(from_text64(line) for line in lines[2:])
    if any(len(step) != HASH_BYTES for step in path):
        raise Malformed("has a path with something that is no SHA-256 hash")
    return Proof(read_number(lines[1].removeprefix(INDEX)), path, note)


def check_proof(text: bytes, body: bytes, keys: Sequence[VerifyKey]) -> tuple[int, Checkpoint]:
    """The index of the entry `body`, and the checkpoint that covers it. Raises Malformed for a proof that fails."""
    proof = read_proof(text)
    checkpoint = open_checkpoint(proof.checkpoint, keys)
    if not includes(leaf_hash(body), proof.index, checkpoint.size, proof.path, checkpoint.root):
        raise Malformed(f"does not show that the log has this entry as number {proof.index:,}")
    return proof.index, checkpoint
