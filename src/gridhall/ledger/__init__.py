"""The memory: an append-only log that cannot be altered unnoticed, and that a stranger can check.

An entry is canonical JSON (`canonical`), one of a closed list of kinds (`entries`); of tenants' text it holds only a
salted commitment (`commitment`). Entries are the leaves of an RFC 6962 Merkle tree (`tree`, `proofs`). The log signs
its size and root (`note`, `checkpoint`, with a key from `keys`). `log` says what an append writes and touches nothing;
a store (`store`) writes it. `export` lays the log out as static files (`tiles`), which `folder` reads again; `verify`
checks any of them, and `proof_text` is the proof that goes with one entry. Formats are those of C2SP.
"""
