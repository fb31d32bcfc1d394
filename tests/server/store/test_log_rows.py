"""The log in the database is the log that was written: entries, tiles and checkpoints, and the verifier agrees."""

import asyncio

from sqlalchemy import func, select

from gridhall.ledger.entries import Audit, body, read
from gridhall.ledger.log import open_log
from gridhall.ledger.note import verify_key
from gridhall.ledger.tree import TILE_WIDTH, leaf_hash, root
from gridhall.ledger.verify import verify
from gridhall.server.live.draft import Draft
from gridhall.server.store.log_rows import LogRows
from gridhall.server.store.tables import checkpoint, tile
from tests.server.live.house import KEY, hand_engine, nodes_up, running, settings, small_fleet, submit


class Said:
    """A change that writes one entry."""

    def decide(self, draft: Draft) -> int:
        return draft.write(Audit(draft.now_ms, "test", "say", "word", "", "done"))


def test_more_than_a_tile_of_entries_reads_back_and_verifies(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        async with running(settings(store_url, fleet, hand_engine(fleet))) as service:
            await nodes_up(service)
            places = await asyncio.gather(*(service.loop.happen(Said()) for _ in range(2 * TILE_WIDTH)))
            rows, size = LogRows(service.database), service.loop.log.size
            assert await rows.size() == size
            bodies = await rows.entries(0, size)
            assert [isinstance(read(bodies[place]), Audit) for place in places] == [True] * len(places)
            assert await rows.entries(3, 5) == bodies[3:5]
            leaves = await rows.tile(0, 1)
            assert leaves == b"".join(leaf_hash(each) for each in bodies[TILE_WIDTH : 2 * TILE_WIDTH])
            assert await rows.tile(0, 99) == b""
            assert root((await open_log(rows)).tree) == root(service.loop.log.tree)
            verdict = await verify(rows, [verify_key(KEY)])
            assert (verdict.word, verdict.entries, verdict.why) == ("PASS", size, "")

    asyncio.run(story())


def test_a_group_of_changes_is_one_transaction_with_one_checkpoint(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        async with running(settings(store_url, fleet, hand_engine(fleet))) as service:
            await nodes_up(service)
            groups, size = service.loop.groups, service.loop.log.size
            await asyncio.gather(*(submit(service, gpus=1) for _ in range(20)))
            done = service.loop.groups - groups
            assert done <= 4  # the first alone, the others while it was on its way; orders that were taken on
            async with service.database.read() as connection:
                signed = await connection.execute(select(func.count()).where(checkpoint.c.size > size))
                assert signed.scalar_one() <= done
                assert body(read((await LogRows(service.database).entries(size, size + 1))[0]))
                assert (await connection.execute(select(func.count(tile.c.place)))).scalar_one() == 0

    asyncio.run(story())
