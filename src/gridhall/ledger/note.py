"""Signed notes (C2SP signed-note) with Ed25519 keys: a text, an empty line, and one line for each signature.

A key has a name and a text form: `vkey` to check with, `skey` to sign with. Signatures by keys that the reader does
not know are passed over; a signature by a known key must hold.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gridhall.ledger.malformed import Malformed
from gridhall.ledger.text64 import from_text64, to_text64

ED25519 = b"\x01"
LARGEST_CHARACTERS = 128 * 1024
"""Room for sixteen post-quantum signatures of witnesses."""
SECRET = "PRIVATE+KEY+"
DASH = "— "
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
UNFIT = re.compile(r"[\s+\x00-\x1f]")
"""What a key's name cannot hold."""


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A public key and the name under which it signs."""

    name: str
    public: bytes


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret key and the name under which it signs."""

    name: str
    seed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the signer's name, the key's id (4 bytes) and the signature."""

    name: str
    key_id: bytes
    signature: bytes


def key_id(key: VerifyKey) -> bytes:
    """The four bytes that tell keys of one name apart."""
    return hashlib.sha256(key.name.encode() + b"\n" + ED25519 + key.public).digest()[:4]


def verify_key(key: SigningKey) -> VerifyKey:
    """The public half of a key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return VerifyKey(key.name, Ed25519PrivateKey.from_private_bytes(key.seed).public_key().public_bytes_raw())


def sign(text: str, key: SigningKey) -> str:
    """The signed note of a text that ends in a newline."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.from_private_bytes(key.seed)
    public = VerifyKey(key.name, private.public_key().public_bytes_raw())
    note = f"{text}\n{DASH}{key.name} {to_text64(key_id(public) + private.sign(text.encode()))}\n"
    split(note)
    return note


def split(note: str) -> tuple[str, list[Signature]]:
    """The text and the signatures of a note, not checked. Raises Malformed for what is no note."""
    if len(note) > LARGEST_CHARACTERS:
        raise Malformed(f"is longer than {LARGEST_CHARACTERS:,} characters")
    if CONTROL.search(note):
        raise Malformed("holds control characters")
    text, gap, signatures = note.rpartition("\n\n")
    if not gap or not signatures.endswith("\n"):
        raise Malformed("is no signed note")
    return text + "\n", [_signature(line) for line in signatures[:-1].split("\n")]


def open_note(note: str, keys: Sequence[VerifyKey]) -> str:
    """The text of a note. Raises Malformed unless a known key has signed it and every known key's signature holds."""
    text, signatures = split(note)
    signers = 0
    for signature in signatures:
        for key in keys:
            if (key.name, key_id(key)) == (signature.name, signature.key_id):
                _check(text, signature, key)
                signers += 1
    if not signers:
        names = ", ".join(signature.name for signature in signatures)
        raise Malformed(f"is not signed by a known key (signed as {names})")
    return text


# --- keys as text ---------------------------------------------------------------------------------------------------


def vkey(key: VerifyKey) -> str:
    """The text form of a public key: `name+id+base64`."""
    return f"{key.name}+{key_id(key).hex()}+{to_text64(ED25519 + key.public)}"


def skey(key: SigningKey) -> str:
    """The text form of a secret key."""
    return f"{SECRET}{key.name}+{key_id(verify_key(key)).hex()}+{to_text64(ED25519 + key.seed)}"


def read_vkey(text: str) -> VerifyKey:
    """The public key of its text form. Raises Malformed."""
    name, public = _key_parts(text)
    key = VerifyKey(name, public)
    if vkey(key) != text:
        raise Malformed("has a key id that is not that of its key")
    return key


def read_skey(text: str) -> SigningKey:
    """The secret key of its text form. Raises Malformed."""
    name, seed = _key_parts(text.removeprefix(SECRET))
    key = SigningKey(name, seed)
    if skey(key) != text:
        raise Malformed("is no secret key, or has a key id that is not that of its key")
    return key


def check_name(name: str) -> None:
    """Raises Malformed for what cannot name a key."""
    if not name or UNFIT.search(name):
        raise Malformed("has a key name that is empty or holds spaces or a plus")


def _key_parts(text: str) -> tuple[str, bytes]:
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise Malformed("is no key: name, id and base64 with plus signs between are expected")
    check_name(parts[0])
    data = from_text64(parts[2])
    if data[:1] != ED25519 or len(data) != 33:
        raise Malformed("is no Ed25519 key")
    return parts[0], data[1:]


def _signature(line: str) -> Signature:
    name, space, text = line.removeprefix(DASH).partition(" ")
    if not line.startswith(DASH) or not space:
        raise Malformed("has a signature line that is none")
    check_name(name)
    data = from_text64(text)
    if len(data) < 5:
        raise Malformed("has a signature that is too short")
    return Signature(name, data[:4], data[4:])


def _check(text: str, signature: Signature, key: VerifyKey) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature.signature, text.encode())
    except InvalidSignature as error:
        raise Malformed(f"has a signature of {key.name} that does not hold") from error
