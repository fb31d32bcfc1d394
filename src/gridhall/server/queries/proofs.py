"""Proofs out of a log that grows meanwhile: each under a checkpoint of the very tree that it is made from.

The store's last checkpoint would not do: it may be of a transaction that the tree in memory does not know of yet.
"""

from gridhall.ledger.checkpoint import sign_checkpoint
from gridhall.ledger.proof_text import Proof, write_proof
from gridhall.ledger.proving import prove_inclusion
from gridhall.ledger.tree import root
from gridhall.server.live.service import Service
from gridhall.server.store.log_rows import LogRows


async def prove(service: Service, entry: int) -> str:
    """The text of the proof that the log has an entry that is durable or on its way."""
    await service.loop.settled()
    tree = service.loop.log.tree
    note = sign_checkpoint(tree.size, root(tree), service.settings.key)
    path = await prove_inclusion(LogRows(service.database), tree, entry, tree.size)
    return write_proof(Proof(entry, tuple(path), note))
