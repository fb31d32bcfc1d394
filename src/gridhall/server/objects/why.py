"""Why a job waits, and where a job ran."""

from typing import Literal

from gridhall.server.objects.part import Part

Rests = Literal["measured", "attested", "declared"]
"""What a fact rests on: the controller's or engine's observation, evidence of a third party or hardware, or a word."""


class Why(Part):
    """Why a job is where it is, in one sentence and in parts. `helps` says what would let it start sooner.

    `start_ms` None = nothing can be said; `basis` says what the time rests on.
    """

    job: str
    state: str
    sentence: str
    reason: str
    words: str
    start_ms: int | None
    basis: Literal["now", "hold", "plan", "back-off", "none"]
    ahead: int
    helps: tuple[str, ...]


class Fact(Part):
    """Something that is said of an attempt, what it rests on, and who says so."""

    name: str
    value: str
    rests_on: Rests
    said_by: str


class Proof(Part):
    """That an entry is in the log: its place, its bytes in base64, and the proof text (C2SP tlog-proof)."""

    entry: int
    about: str
    body: str
    proof: str


class AttemptWhere(Part):
    """Where one attempt ran or runs."""

    attempt: int
    facts: tuple[Fact, ...]
    proofs: tuple[Proof, ...]


class Commitment(Part):
    """What opens the commitment to the job's spec in the log: SHA-256 over the salt and the document's bytes.

    `salt` is in hexadecimal, `document` is the JSON text.
    """

    commitment: str
    salt: str
    document: str


class Where(Part):
    """Where a job ran, with proofs that it was decided so, and what is not proven. `log_key` checks the proofs."""

    job: str
    log_key: str
    submitted: Proof
    spec: Commitment
    attempts: tuple[AttemptWhere, ...]
    not_proven: tuple[str, ...]
