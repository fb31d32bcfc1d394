"""The log in memory: what the next append writes, and what the log's checkpoint says.

    append = log.prepare(bodies)        # nothing is changed yet
    ... the store writes it, in one transaction with whatever belongs to it ...
    log.commit(append)                  # or log.discard() when the transaction failed

There is one append at a time: its hashes build on those before it, so the next must not be prepared before its fate is
known. Whoever cannot know it (a connection that broke during the commit) opens the log again from the store.
"""

from collections.abc import Sequence

from gridhall.ledger.checkpoint import read_unchecked, sign_checkpoint
from gridhall.ledger.malformed import Malformed
from gridhall.ledger.note import SigningKey
from gridhall.ledger.store import Append, LogReader
from gridhall.ledger.tree import TILE_HEIGHT, TILE_WIDTH, Tree, grow, leaf_hash, rebuild, root, subtree_root
from gridhall.ledger.whole import whole_entries, whole_tile


class Log:
    """A log at the size that is durable, and the append that is on its way."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._pending: Append | None = None

    @property
    def tree(self) -> Tree:
        """The tree of the durable entries."""
        return self._tree

    @property
    def size(self) -> int:
        """Number of durable entries; the index of the next one."""
        return self._tree.size

    def prepare(self, bodies: Sequence[bytes]) -> Append:
        """What an append of these canonical entries writes."""
        if self._pending is not None:
            raise RuntimeError("an append is on its way: commit or discard it first")
        leaves = tuple(leaf_hash(body) for body in bodies)
        tree, tiles = grow(self._tree, leaves)
        self._pending = Append(self.size, tuple(bodies), leaves, tuple(tiles), tree.size, root(tree), tree)
        return self._pending

    def commit(self, append: Append) -> None:
        """The append is durable."""
        if append is not self._pending:
            raise RuntimeError("this append is not the one on its way")
        self._tree, self._pending = append.tree, None

    def discard(self) -> None:
        """The append on its way was not written, and never will be."""
        self._pending = None

    def checkpoint(self, key: SigningKey) -> str:
        """The signed checkpoint of the append on its way, to be written with it; else of the durable log.

        Nobody may see it before it is durable.
        """
        tree = self._tree if self._pending is None else self._pending.tree
        return sign_checkpoint(tree.size, root(tree), key)


async def open_log(reader: LogReader) -> Log:
    """The log as it was left. Raises Malformed when what is stored does not agree with the last checkpoint."""
    note = await reader.last_checkpoint()
    size = await reader.size()  # after the checkpoint: the log may be growing
    if note is not None:
        await _agree(reader, note, size)
    return Log(await load_tree(reader, size))


async def load_tree(reader: LogReader, size: int) -> Tree:
    """The tree of the first `size` entries, from stored tiles and the entries that fill none yet."""
    edges = [b"".join(leaf_hash(body) for body in await whole_entries(reader, size - size % TILE_WIDTH, size))]
    below = size >> TILE_HEIGHT
    while below:
        first = below - below % TILE_WIDTH
        edges.append(
            b"".join([subtree_root(await whole_tile(reader, len(edges) - 1, index)) for index in range(first, below)])
        )
        below >>= TILE_HEIGHT
    return rebuild(edges)


async def _agree(reader: LogReader, note: str, size: int) -> None:
    checkpoint = read_unchecked(note)
    if checkpoint.size > size:
        raise Malformed(f"holds {size:,} entries, but a signed checkpoint says {checkpoint.size:,}")
    if root(await load_tree(reader, checkpoint.size)) != checkpoint.root:
        raise Malformed(f"has another root at size {checkpoint.size:,} than its checkpoint says")
